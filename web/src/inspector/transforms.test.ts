// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { escaped, moved, readTransform, TRANSFORMS, unescaped, writeTransform } from "./transforms";

const around = (value: Parameters<typeof readTransform>[0]) => {
  const told = readTransform(value);
  return told && writeTransform(told);
};

test("every form that files write is read, and written the same", () => {
  for (const value of ["strip", "lines", "json", "join", { join: ", " }, { truncate: 4000 }, { truncate: { characters: 9, keep: "end" } }, { split: "---" }, { split: { characters: 8000 } }, { select: "/people/0" }, { regex: "\\d+" }, { regex: { pattern: "a", replace: "b" } }, { plugin: "tidy", with: { fillers: ["um"] } }]) {
    expect(around(value)).toEqual(value);
  }
});

test("what is added is a transform of its sort", () => {
  for (const sort of TRANSFORMS) expect(readTransform(sort.fresh)?.sort).toBe(sort);
});

test("a long form whose second key is emptied becomes the short one", () => {
  const told = readTransform({ truncate: { characters: 9, keep: "end" } });
  expect(told && writeTransform({ ...told, values: { characters: 9, keep: "" } })).toEqual({ truncate: 9 });
});

test("what is not known is left as it is", () => {
  for (const value of ["shout", { shout: 1 }, 3, null]) expect(readTransform(value)).toBeNull();
});

test("elements move one place, and not beyond the ends", () => {
  expect(moved(["a", "b", "c"], 0, 1)).toEqual(["b", "a", "c"]);
  expect(moved(["a", "b", "c"], 0, -1)).toEqual(["a", "b", "c"]);
});

test("separators are typed as they are shown", () => {
  expect(escaped("\n\t\\")).toBe("\\n\\t\\\\");
  for (const text of ["\n\n", "a\\nb", "\\", " | ", "\\t\t"]) expect(unescaped(escaped(text))).toBe(text);
});
