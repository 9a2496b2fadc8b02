// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { jsonText, parseDuration, parseJson, parseLines, parseNumber } from "./parsing";

const ANY = { type: "number", minimum: null, maximum: null };
const PART = { type: "number", minimum: 0, maximum: 1 };
const WHOLE = { type: "integer", minimum: 1, maximum: null };

test("numbers are taken as they are written", () => {
  expect(["0.7", " 1e-3 ", "-4", ".5", "0"].map((text) => parseNumber(text, ANY))).toEqual([0.7, 0.001, -4, 0.5, 0].map((value) => ({ value })));
});

test("an empty field takes the value away, a template stays a text", () => {
  expect(parseNumber("  ", ANY)).toEqual({ value: undefined });
  expect(parseNumber("{{ inputs.seed }}", WHOLE)).toEqual({ value: "{{ inputs.seed }}" });
});

test("what is no number, outside its limits, or cannot be kept exactly is said", () => {
  for (const text of ["abc", "0x10", "1,5", "Infinity", "1e999", "12345678901234567890"]) expect(parseNumber(text, ANY)).toHaveProperty("why");
  expect(parseNumber("1.5", PART)).toEqual({ why: "the most is 1" });
  expect(parseNumber("0", WHOLE)).toEqual({ why: "the least is 1" });
  expect(parseNumber("1.5", WHOLE)).toEqual({ why: "a whole number is wanted" });
});

test("durations need a unit", () => {
  expect(parseDuration("2s")).toEqual({ value: "2s" });
  expect(parseDuration("30")).toEqual({ why: '"30" is not a duration; write 30s for seconds' });
  expect(parseDuration("soon")).toHaveProperty("why");
});

test("what is shown for a JSON value is read as that value", () => {
  for (const value of ["plain words", "true", "", " x", '"quoted"', "[half", 3, null, true, { a: [1] }, "{{ step }}"]) {
    expect(parseJson(jsonText(value))).toEqual({ value });
  }
});

test("broken JSON is refused, with a place", () => {
  expect(parseJson('{ "a": }')).toHaveProperty("why");
  expect(parseJson("{{ a }} and {{ b }}")).toEqual({ value: "{{ a }} and {{ b }}" });
});

test("lists are a text a line", () => {
  expect(parseLines("a\n\n b \n")).toEqual({ value: ["a", "b"] });
  expect(parseLines("{{ inputs.labels }}")).toEqual({ value: "{{ inputs.labels }}" });
  expect(parseLines(" \n")).toEqual({ value: undefined });
});
