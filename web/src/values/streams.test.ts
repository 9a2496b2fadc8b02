// SPDX-License-Identifier: Apache-2.0
import { afterEach, expect, test, vi } from "vitest";
import { appendText, BEGINNING, clearText, KEPT, subscribeText, textSince } from "./streams";

afterEach(() => clearText("a.yaml"));

test("what was written is given from any place on", () => {
  appendText("a.yaml", "s", "Hello, ");
  appendText("a.yaml", "s", "world");
  expect(textSince("a.yaml", "s", BEGINNING)).toMatchObject({ text: "Hello, world", start: 0, end: 12 });
  const place = textSince("a.yaml", "s", BEGINNING);
  appendText("a.yaml", "s", "!");
  expect(textSince("a.yaml", "s", place).text).toBe("!");
});

test("steps and files do not hear of each other", () => {
  const heard = vi.fn();
  const stop = subscribeText("a.yaml", "s", heard);
  appendText("a.yaml", "other", "x");
  appendText("b.yaml", "s", "x");
  expect(heard).not.toHaveBeenCalled();
  appendText("a.yaml", "s", "x");
  stop();
  appendText("a.yaml", "s", "x");
  expect(heard).toHaveBeenCalledTimes(1);
  clearText("b.yaml");
});

test("a reader of a cleared stream begins again, even if as much was written meanwhile", () => {
  appendText("a.yaml", "s", "first");
  const place = textSince("a.yaml", "s", BEGINNING);
  clearText("a.yaml", "s");
  appendText("a.yaml", "s", "second answer");
  expect(textSince("a.yaml", "s", place)).toMatchObject({ text: "second answer", start: 0, end: 13 });
});

test("no more is kept than the limit allows, and no character is halved", () => {
  const emoji = "🙂".repeat(1 << 16);
  for (let written = 0; written < KEPT * 2; written += emoji.length + 1) appendText("a.yaml", "s", `x${emoji}`);
  const piece = textSince("a.yaml", "s", BEGINNING);
  expect(piece.text.length).toBeLessThanOrEqual(KEPT * 1.25);
  expect(() => encodeURIComponent(piece.text)).not.toThrow();
  expect(piece.end - piece.start).toBe(piece.text.length);
});
