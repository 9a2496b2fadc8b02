// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { countInWords, sizeInWords, timeInWords } from "./measures";

test("sizes", () => {
  expect([0, 1, 1023, 1024, 4_404_019, 3 * 2 ** 30].map(sizeInWords)).toEqual(["0 bytes", "1 byte", "1023 bytes", "1.0 KiB", "4.2 MiB", "3.0 GiB"]);
});

test("times", () => {
  expect([0, 7.9, 760, 3729, Number.NaN].map(timeInWords)).toEqual(["0:00", "0:07", "12:40", "1:02:09", "0:00"]);
});

test("counts", () => {
  expect(countInWords(1, "line", "lines")).toBe("1 line");
  expect(countInWords(12345, "line", "lines")).toBe("12,345 lines");
});
