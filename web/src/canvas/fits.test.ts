// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";

import { entriesGiving, entriesTaking, judge, sourcesFor, targetsFor } from "./fits";
import { MEETING, PALETTE, port, step } from "./fixtures";

const names = (verdicts: { source: string; target: string; port: string }[]): string[] =>
  verdicts.map(({ source, target, port }) => `${source}>${target}:${port}`);

describe("what fits", () => {
  test("a value of another type is refused with the reason and what would mend it", () => {
    const verdict = judge(MEETING, PALETTE, { source: "inputs.recording", target: "summary", port: "with.text" });
    expect(verdict.reason).toBe("audio is not text");
    expect(verdict.converter).toBe("transcribe");
  });

  test("a loop is refused, whatever the types", () => {
    expect(judge(MEETING, PALETTE, { source: "summary", target: "transcript", port: "" }).reason).toContain("loop");
    expect(judge(MEETING, PALETTE, { source: "summary", target: "summary", port: "with.text" }).reason).toContain("itself");
  });

  test("a port that takes anything takes everything", () => {
    expect(judge(MEETING, null, { source: "entities", target: "summary", port: "with.text" }).reason).toBe("");
  });

  test("the menu lists what is wanting first, then what a converter mends, then what is connected, and waits last", () => {
    const wanting = { ...MEETING, steps: [...MEETING.steps, step("second", [port("with.audio", "audio")], "text"), step("tags", [port("with.text", "text")], "json")] };
    expect(names(targetsFor(wanting, PALETTE, "inputs.recording"))).toEqual([
      "inputs.recording>second:with.audio",
      "inputs.recording>tags:with.text",
      "inputs.recording>transcript:with.audio",
    ]);
    expect(names(targetsFor(MEETING, PALETTE, "transcript"))).toEqual([
      "transcript>summary:with.style",
      "transcript>summary:with.text",
      "transcript>entities:with.text",
      "transcript>summary:",
      "transcript>entities:",
    ]);
  });

  test("no menu offers a loop", () => {
    expect(names(targetsFor(MEETING, PALETTE, "summary"))).toEqual(["summary>entities:with.text", "summary>entities:"]);
    expect(names(sourcesFor(MEETING, PALETTE, "transcript"))).toEqual(["inputs.recording>transcript:with.audio"]);
  });

  test("entries are found by what they take and give", () => {
    expect(entriesTaking(PALETTE, "audio").map((each) => each.id)).toEqual(["transcribe"]);
    expect(entriesGiving(PALETTE, "audio")).toEqual([]);
  });
});
