// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { firstOpen, idOf, inWords, rowsOf, SHOWN_CHILDREN, templatePath } from "./jsonRows";

const FACTS = { people: ["Ana", "Bo"], place: { city: "Lviv" }, "a/b": 1 };
const all = { open: new Set(["", "/people", "/place"]), most: new Map<string, number>() };

test("only what is unfolded becomes rows", () => {
  expect(rowsOf(FACTS, { ...all, open: new Set() }).map((row) => row.name)).toEqual([""]);
  expect(rowsOf(FACTS, all).map((row) => row.name)).toEqual(["", "people", "0", "1", "place", "city", "a/b"]);
});

test("rows know their place among their siblings", () => {
  const row = rowsOf(FACTS, all).find((each) => each.id === "/people/1");
  expect(row).toMatchObject({ depth: 2, place: 2, siblings: 2, isFolder: false });
});

test("a long list ends in a row that stands for the rest", () => {
  const list = Array.from({ length: SHOWN_CHILDREN + 5 }, (_, index) => index);
  expect(rowsOf(list, all).at(-1)).toMatchObject({ hidden: 5, depth: 1 });
  const more = { ...all, most: new Map([["", 1000]]) };
  expect(rowsOf(list, more).length).toBe(SHOWN_CHILDREN + 6);
});

test("places have ids of their own, whatever their names hold", () => {
  expect(idOf(["a/b", "~", 0])).toBe("/a~1b/~0/0");
});

test("a small value is unfolded at first, a large one only as far as a page", () => {
  expect(firstOpen(FACTS)).toEqual(new Set(["", "/people", "/place"]));
  const wide = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`k${index}`, [1, 2, 3]]));
  const open = firstOpen(wide);
  expect(open.has("")).toBe(true);
  expect(rowsOf(wide, { ...all, open }).length).toBeLessThanOrEqual(40);
});

test("templates read a part by its name, or in brackets where it has none", () => {
  expect(templatePath("facts", ["people", 0])).toBe("facts.people.0");
  expect(templatePath("facts", ["a b", "c"])).toBe('facts["a b"].c');
});

test("values in words", () => {
  expect(["a\nb", 1.5, null, true, [], [1], {}, { a: 1, b: 2 }].map((value) => inWords(value))).toEqual(['"a b"', "1.5", "null", "true", "[]", "1 item", "{}", "{ a, b }"]);
});
