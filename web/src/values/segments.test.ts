// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { segmentAt, segmentsOf } from "./segments";

const LINES = [
  { start: 0, end: 2, text: "Good morning." },
  { start: 2, end: 4.5, text: "Let us begin." },
  { start: 9, end: 10, text: "Done." },
];

test("a list of timed lines is a transcript, anything else is none", () => {
  expect(segmentsOf(LINES)).toBe(LINES);
  for (const other of [null, [], {}, "text", [{ start: 0, end: 1 }], [...LINES, 3]]) expect(segmentsOf(other)).toBeNull();
});

test("the line being said is found; in a silence there is none", () => {
  expect([0, 1.9, 2, 4.4, 7, 9.5, 60].map((time) => segmentAt(LINES, time))).toEqual([0, 0, 1, 1, -1, 2, -1]);
  expect(segmentAt([], 1)).toBe(-1);
});
