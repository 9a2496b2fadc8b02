// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { peaksOf } from "./peaks";

test("the outline is the loudest of each stretch and of each channel", () => {
  const left = Float32Array.of(0, 0.25, 0, -0.5, 0, 0);
  const right = Float32Array.of(0, 0, 0, 0, 0.125, 0);
  expect([...peaksOf([left, right], 3)]).toEqual([0.5, 1, 0.25]);
});

test("silence and nothing have flat outlines", () => {
  expect([...peaksOf([new Float32Array(4)], 2)]).toEqual([0, 0]);
  expect(peaksOf([], 4).length).toBe(0);
  expect(peaksOf([Float32Array.of(1)], 4).length).toBe(1);
});
