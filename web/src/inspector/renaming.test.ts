// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { nameProblem, renameIn } from "./renaming";

test("an input is renamed where a template reads it", () => {
  expect(renameIn("Read {{ inputs.text }} and {% if inputs.text.x %}", "text", "words")).toBe("Read {{ inputs.words }} and {% if inputs.words.x %}");
});

test("other names and plain words stay", () => {
  const template = "inputs.text {{ inputs.text2 }} {{ my_inputs.text }} {{ x.inputs.text }}";
  expect(renameIn(template, "text", "words")).toBe(template);
});

test("a name that templates could not read is refused", () => {
  expect(nameProblem("a-b", [])).toContain("a_b");
  expect(nameProblem("1st", [])).not.toBe("");
  expect(nameProblem("größe", [])).toBe("");
  expect(nameProblem("text", ["text"])).toContain("already");
});
