// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { firstLine, hasHiddenSigns, sliceWhole, visible } from "./signs";

test("escapes and controls become pictures", () => {
  expect(visible("\u001b[31mred\u0007 \u007f \u0085")).toBe("␛[31mred␇ ␡ \ufffd");
});

test("controls of direction are shown", () => {
  expect(visible("a\u202eb\u2069c")).toBe("a⇄b⇄c");
});

test("lines, tabs and right-to-left marks stay", () => {
  const text = "a\tb\r\nc\nשלום\u200f";
  expect(visible(text)).toBe(text);
  expect(hasHiddenSigns(text)).toBe(false);
});

test("a return that would overwrite a line is shown", () => {
  expect(visible("safe\revil")).toBe("safe␍evil");
});

test("what is shown is as long as what was written", () => {
  let every = "";
  for (let code = 0; code < 0x2100; code += 1) every += String.fromCharCode(code);
  expect(visible(every).length).toBe(every.length);
});

test("a slice never halves a character", () => {
  expect(sliceWhole("🙂🙂", 1, 4)).toBe("🙂");
  expect(sliceWhole("🙂🙂", 0, 3)).toBe("🙂");
});

test("a label is one line", () => {
  expect(firstLine("  a\nb\u0000c", 10)).toBe("a b␀c");
  expect(firstLine("abcdefghij", 5)).toBe("abcd…");
});
