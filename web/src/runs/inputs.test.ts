// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";

import type { InputView, MaterialView } from "../api/types";
import { choices, fieldKind, fromRun, givenInputs, missingInputs, readValue, shownValue } from "./inputs";

function input(type: string, is_required = true): InputView {
  return { name: "x", type, description: "", default: null, is_required, position: null };
}

describe("inputs", () => {
  it("are asked for by type", () => {
    expect(["text", "json", "audio", "list[audio]", "list[text]"].map(fieldKind)).toEqual([
      "text",
      "json",
      "file",
      "files",
      "json",
    ]);
  });

  it("offer the files that fit", () => {
    const material = (["audio", "text"] as const).map((type): MaterialView => ({ path: type, type, size: 1 }));
    expect(choices("audio", material).map((each) => each.path)).toEqual(["audio"]);
    expect(choices("list[audio]", material).map((each) => each.path)).toEqual(["audio"]);
    expect(choices("file", material)).toHaveLength(2);
  });

  it("are read as what they are, and say what is wrong", () => {
    expect(readValue(input("text"), " a ")).toEqual({ value: " a ", problem: "" });
    expect(readValue(input("json"), '{"a": 1}')).toEqual({ value: { a: 1 }, problem: "" });
    expect(readValue(input("list[audio]"), "a.wav\n\nb.wav\n")).toEqual({ value: ["a.wav", "b.wav"], problem: "" });
    expect(readValue(input("json"), "{").problem).toMatch(/this is not JSON/);
    expect(readValue(input("list[text]"), "{}").problem).toMatch(/list/);
    expect(readValue(input("audio"), "").problem).toBe("x is needed");
  });

  it("may be left to their default", () => {
    expect(readValue(input("json", false), " ")).toEqual({ value: undefined, problem: "" });
    expect(missingInputs([input("text", false)], {})).toEqual([]);
    expect(missingInputs([input("text")], {})).toHaveLength(1);
  });

  it("that no longer fit are asked for again, and others are not sent", () => {
    expect(missingInputs([input("list[text]")], { x: "a" })).toHaveLength(1);
    expect(givenInputs([input("list[text]")], { x: "a", gone: 1 })).toEqual({});
    expect(givenInputs([input("text")], { x: "a", gone: 1 })).toEqual({ x: "a" });
  });

  it("of an earlier run are given again, files by their path", () => {
    const given = fromRun({ x: { file: "a.wav", type: "audio" }, many: [{ file: "b.wav", type: "audio" }], j: { a: 1 } });
    expect(given).toEqual({ x: "a.wav", many: ["b.wav"], j: { a: 1 } });
  });

  it("are shown as they were typed", () => {
    expect(shownValue("text", "a\nb")).toBe("a\nb");
    expect(shownValue("json", "a")).toBe('"a"');
    expect(shownValue("list[audio]", ["a", "b"])).toBe("a\nb");
    expect(shownValue("audio", undefined)).toBe("");
  });
});
