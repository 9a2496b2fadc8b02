// SPDX-License-Identifier: Apache-2.0
// @vitest-environment happy-dom
import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { appendText, clearText, StreamingText } from "./StreamingText";

let box: HTMLElement;
let root: Root;
let frames: FrameRequestCallback[];

beforeEach(() => {
  frames = [];
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.stubGlobal("requestAnimationFrame", (run: FrameRequestCallback) => frames.push(run));
  box = document.body.appendChild(document.createElement("div"));
  root = createRoot(box);
  act(() => root.render(<StreamingText path="a.yaml" step="s" isSmall />));
});

afterEach(() => {
  act(() => root.unmount());
  box.remove();
  clearText("a.yaml");
  vi.unstubAllGlobals();
});

const text = () => box.querySelector('[role="log"]')?.textContent ?? "";
const frame = () => frames.splice(0).forEach((run) => run(0));

test("many pieces are one write in the next frame", () => {
  for (const piece of ["Good ", "morning", ", "]) appendText("a.yaml", "s", piece);
  expect([text(), frames.length]).toEqual(["", 1]);
  frame();
  expect(text()).toBe("Good morning, ");
});

test("what a model writes is text, with its controls shown", () => {
  appendText("a.yaml", "s", "<img src=http://192.0.2.1/x>\u001b[2J");
  frame();
  expect(text()).toBe("<img src=http://192.0.2.1/x>␛[2J");
  expect(box.querySelector("img")).toBeNull();
});

test("a new answer takes the old one's place", () => {
  appendText("a.yaml", "s", "the first");
  frame();
  clearText("a.yaml", "s");
  appendText("a.yaml", "s", "the second answer");
  frame();
  expect(text()).toBe("the second answer");
});

test("a node keeps the end of a long answer", () => {
  for (let count = 0; count < 40; count += 1) {
    appendText("a.yaml", "s", "x".repeat(4000));
    frame();
  }
  appendText("a.yaml", "s", "the end");
  frame();
  expect(text().length).toBeLessThan(12_000);
  expect(text().length).toBeGreaterThan(8_000);
  expect(text().endsWith("xthe end")).toBe(true);
});
