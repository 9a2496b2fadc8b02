// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";

import { changedLines, diffLines, nearChanges } from "./lineDiff";

function side(text: string, which: "before" | "after"): (other: string) => string {
  return (other) => {
    const rows = which === "before" ? diffLines(text, other) : diffLines(other, text);
    return rows
      .map((row) => row[which])
      .filter((line) => line !== null)
      .join("\n");
  };
}

describe("diffLines", () => {
  it("marks a changed line and leaves the others", () => {
    expect(diffLines("a\nb\nc", "a\nB\nc").map((row) => row.kind)).toEqual(["same", "changed", "same"]);
  });

  it("finds lines that came and went", () => {
    expect(diffLines("a\nb\nc\nd", "a\nc\nd\ne").map((row) => row.kind)).toEqual([
      "same",
      "removed",
      "same",
      "same",
      "added",
    ]);
  });

  it("says that equal texts are equal, empty ones too", () => {
    expect(changedLines(diffLines("a\nb", "a\nb"))).toBe(0);
    expect(changedLines(diffLines("", ""))).toBe(0);
    expect(changedLines(diffLines("", "x"))).toBe(1);
  });

  it("gives both texts back whole, whatever they are", () => {
    let seed = 7;
    const random = (below: number) => (seed = (seed * 48271) % 2147483647) % below;
    for (let round = 0; round < 300; round += 1) {
      const make = () => Array.from({ length: random(12) }, () => "abcd"[random(4)]).join("\n");
      const [before, after] = [make(), make()];
      expect(side(before, "before")(after)).toBe(before);
      expect(side(after, "after")(before)).toBe(after);
      for (const row of diffLines(before, after)) expect(row.kind === "same").toBe(row.before === row.after);
    }
  });

  it("does not get lost in long texts that share nothing", () => {
    const long = (word: string) => Array.from({ length: 5000 }, (_, line) => `${word} ${line}`).join("\n");
    expect(changedLines(diffLines(long("a"), long("b")))).toBe(5000);
  });
});

describe("nearChanges", () => {
  it("leaves out what is far from a change", () => {
    const text = Array.from({ length: 30 }, (_, line) => String(line));
    const rows = nearChanges(diffLines(text.join("\n"), text.with(15, "x").join("\n")), 1);
    expect(rows.map((row) => row?.after ?? null)).toEqual([null, "14", "x", "16", null]);
  });
});
