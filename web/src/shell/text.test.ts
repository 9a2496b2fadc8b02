// SPDX-License-Identifier: Apache-2.0
// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";

import type { FileView } from "../api/types";
import { isStillOf, keepDraft, keptDraft } from "./draft";
import { freeName, nameProblem, withEnding } from "./fileNames";
import { countLines, indented, offsetOfLine } from "./lines";

const files: FileView[] = ["a.yaml", "a-2.yaml"].map((path) => ({ path, modified: 0, size: 0, is_open: false, has_unsaved: false }));

describe("lines", () => {
  it("are counted and found", () => {
    expect([countLines(""), countLines("a\nb\n")]).toEqual([1, 3]);
    expect([1, 2, 3, 9].map((line) => offsetOfLine("a\nbc\nd", line))).toEqual([0, 2, 5, 6]);
  });

  it("are moved right and left by Tab", () => {
    expect(indented("ab", 1, 1, false)).toEqual({ text: "a  b", start: 3, end: 3 });
    expect(indented("x\na\n\nb", 2, 6, false)).toEqual({ text: "x\n  a\n\n  b", start: 4, end: 10 });
    expect(indented("x\n   a\n b", 6, 9, true)).toEqual({ text: "x\n a\nb", start: 4, end: 6 });
  });
});

describe("names of files", () => {
  it("get an ending, and a number where they are taken", () => {
    expect([withEnding(" b "), withEnding("b.YML")]).toEqual(["b.yaml", "b.YML"]);
    expect([freeName("a.yaml", files), freeName("b", files)]).toEqual(["a-3.yaml", "b.yaml"]);
  });

  it.each(["/etc/x", "../x", "a//b", "a\\b", ".hidden", "x/.y", "a", "n\u0000"])("%j is refused", (name) => {
    expect(nameProblem(name, files)).not.toBe("");
  });

  it.each(["b", "sub/b.yaml", "ä b.yml", ""])("%j is not", (name) => {
    expect(nameProblem(name, files)).toBe("");
  });
});

describe("a draft", () => {
  it("outlives a reload, and ends when it is taken away", () => {
    keepDraft("a.yaml", { text: "new", base: "old", version: 1 });
    expect(keptDraft("a.yaml")?.text).toBe("new");
    keepDraft("a.yaml", null);
    expect(keptDraft("a.yaml")).toBe(null);
    sessionStorage.setItem("lao.draft:a.yaml", '{"text": 1}');
    expect(keptDraft("a.yaml")).toBe(null);
  });

  it("is of a file that nobody else changed, also while a part of it was sent", () => {
    const draft = { text: "abc", base: "a", version: 1, sent: "ab" };
    expect(["a", "ab", "abc", "x"].map((text) => isStillOf(draft, { text }))).toEqual([true, true, true, false]);
  });
});
