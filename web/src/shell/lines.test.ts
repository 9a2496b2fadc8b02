// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";

import { asTyped, asWritten } from "./lines";

describe("line ends of a text that is typed over", () => {
  it.each([
    ["a\r\nb\r\n", "a\nB\n", "a\r\nB\r\n"],
    ["a\r\nb", "a\nx\nb", "a\r\nx\r\nb"],
    ["a\nb\r\nc\n", "a\nb\nc!\n", "a\nb\r\nc!\n"],
    ["a\r\n\r\nb\n", "a\n\n\nb\n", "a\r\n\r\n\r\nb\n"],
    ["a\r\n\r\nb\r\n", "", ""],
    ["a\rb", "ab", "ab"],
    ["a\nb", "c\nb\n", "c\nb\n"],
  ])("stay as they are: %j, %j", (old, typed, written) => {
    expect(asWritten(old, typed)).toBe(written);
  });

  it("are all the same as before if nothing was typed", () => {
    const old = "a\r\n\nb\rc\r\n\r\n";
    expect(asWritten(old, asTyped(old))).toBe(old);
  });
});
