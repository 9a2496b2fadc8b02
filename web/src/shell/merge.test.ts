// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";

import type { HunkView } from "../api/types";
import { complete, firstPicks, result } from "./merge";

const hunks: HunkView[] = [
  { kind: "same", base: ["a\n"], mine: ["a\n"], theirs: ["a\n"] },
  { kind: "theirs", base: ["b\n"], mine: ["b\n"], theirs: ["B\n"] },
  { kind: "conflict", base: [], mine: ["m\n"], theirs: ["t\n"] },
];

describe("a merge", () => {
  it("has a pick for everything but a conflict", () => {
    expect(firstPicks(hunks)).toEqual(["mine", "theirs", null]);
    expect(complete(firstPicks(hunks))).toBe(null);
    expect(complete(["mine", "theirs", "base"])).toEqual(["mine", "theirs", "base"]);
  });

  it("keeps what is here of a file that was removed", () => {
    const gone = hunks.map((hunk) => ({ ...hunk, theirs: [] }));
    expect(firstPicks(gone)).toEqual(["mine", "mine", "mine"]);
  });

  it("shows what it would give, and what is open", () => {
    expect(result(hunks, firstPicks(hunks)).map((each) => each.text)).toEqual(["a", "B", ""]);
    expect(result(hunks, firstPicks(hunks)).at(-1)?.from).toBe("open");
    expect(result(hunks, ["mine", "theirs", "mine-then-theirs"]).map((each) => each.text)).toEqual(["a", "B", "m", "t"]);
  });
});
