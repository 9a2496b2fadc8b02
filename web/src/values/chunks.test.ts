// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { chunkAt, chunksOf, found, MOST_FOUND, startsOf } from "./chunks";

const places = (text: string, words: string) => [...found(text, words)].at(-1) ?? [];

test("pieces end at lines, and together are the text", () => {
  const text = "one\ntwo\nthree\nfour\n";
  const chunks = chunksOf(text, 9);
  expect(chunks).toEqual(["one\ntwo\n", "three\n", "four\n"]);
  expect(chunks.join("")).toBe(text);
});

test("a line without an end is cut, but never inside a character", () => {
  const text = `x${"🙂".repeat(50)}`;
  const chunks = chunksOf(text, 10);
  expect(chunks.join("")).toBe(text);
  for (const chunk of chunks) expect(() => encodeURIComponent(chunk)).not.toThrow();
});

test("the piece of a place is found", () => {
  const starts = startsOf(["abc", "de", "f"]);
  expect([0, 2, 3, 4, 5].map((place) => chunkAt(starts, place))).toEqual([0, 0, 1, 1, 2]);
});

test("every place is found, whatever the case, also across stretches", () => {
  expect(places("Aa aA bb", "aa")).toEqual([0, 3]);
  const far = `${"-".repeat((1 << 20) - 2)}needle${"-".repeat(1 << 20)}Needle`;
  expect(places(far, "needle")).toEqual([(1 << 20) - 2, (1 << 20) - 2 + 6 + (1 << 20)]);
});

test("a search for nothing, or for too much, ends", () => {
  expect(places("abc", "")).toEqual([]);
  expect(places("a".repeat(MOST_FOUND * 3), "a").length).toBe(MOST_FOUND);
});
