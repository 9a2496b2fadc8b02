// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import type { DocumentView, InputView } from "../api/types";
import { changed, declare } from "./inputs";

const input = (name: string, more: Partial<InputView> = {}): InputView => ({ name, type: "text", description: "", default: null, is_required: true, position: null, ...more });
const file = (text: string, inputs: InputView[]) => ({ text, inputs }) as DocumentView;

test("a declared input is written alone", () => {
  expect(declare(file("lao: 1\ninputs:\n  a: text\n", [input("a")]), "b", { type: "json" })).toEqual([{ kind: "set-value", path: ["inputs", "b"], value: { type: "json" } }]);
});

test("the first declaration names every input that the file reads", () => {
  const edits = declare(file("lao: 1\nsteps: []\n", [input("a"), input("b")]), "a", { type: "json" });
  expect(edits).toEqual([{ kind: "set-value", path: ["inputs"], value: { b: { type: "text" }, a: { type: "json" } } }]);
});

test("the last input takes the key with it", () => {
  expect(declare(file("inputs:\n  a: text\n", [input("a")]), "a", undefined)).toEqual([{ kind: "remove-value", path: ["inputs"] }]);
});

test("a change keeps what else is said of the input", () => {
  const known = input("a", { description: "What", is_required: false });
  expect(changed(known, "type", "audio")).toEqual({ type: "audio", description: "What", optional: true });
  expect(changed(known, "optional", false)).toEqual({ type: "text", description: "What" });
  expect(changed(known, "default", "x")).toEqual({ type: "text", description: "What", optional: true, default: "x" });
});
