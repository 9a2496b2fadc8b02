// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { valueAt, writeAt } from "./writing";

const BASE = ["steps", "summary"];

test("a value that differs is one edit of its own key", () => {
  expect(writeAt(BASE, { options: { temperature: 0, seed: 1 } }, ["options", "temperature"], 0.5)).toEqual({
    kind: "set-value", path: ["steps", "summary", "options", "temperature"], value: 0.5,
  });
});

test("the same value is no edit", () => {
  expect(writeAt(BASE, { with: { labels: ["a"] } }, ["with", "labels"], ["a"])).toBeNull();
  expect(writeAt(BASE, {}, ["timeout"], undefined)).toBeNull();
});

test("a mapping that is not there is written with its first key", () => {
  expect(writeAt(BASE, {}, ["options", "seed"], 7)).toEqual({ kind: "set-value", path: [...BASE, "options"], value: { seed: 7 } });
});

test("the last key takes its mapping with it", () => {
  expect(writeAt(BASE, { options: { seed: 7 } }, ["options", "seed"], undefined)).toEqual({ kind: "remove-value", path: [...BASE, "options"] });
  expect(writeAt(BASE, { options: { seed: 7, top_k: 1 } }, ["options", "seed"], undefined)).toEqual({ kind: "remove-value", path: [...BASE, "options", "seed"] });
});

test("short forms are read, and written out when a second key comes", () => {
  expect(valueAt({ retry: 3 }, ["retry", "attempts"])).toBe(3);
  expect(writeAt(BASE, { retry: 3 }, ["retry", "backoff"], "2s")).toEqual({ kind: "set-value", path: [...BASE, "retry"], value: { attempts: 3, backoff: "2s" } });
  expect(writeAt(BASE, { retry: 3 }, ["retry", "attempts"], undefined)).toEqual({ kind: "remove-value", path: [...BASE, "retry"] });
  expect(valueAt({ output: "json" }, ["output", "type"])).toBe("json");
});

test("false and empty texts are values", () => {
  expect(writeAt(BASE, {}, ["default"], "")).toMatchObject({ kind: "set-value", value: "" });
  expect(writeAt(BASE, {}, ["default"], null)).toMatchObject({ kind: "set-value", value: null });
});
