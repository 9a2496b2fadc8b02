// SPDX-License-Identifier: Apache-2.0
// @vitest-environment happy-dom
import { act, useRef } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { type Moving, useMoving } from "./useMoving";

let root: Root;
let moving: Moving;
let surface: HTMLElement;

function Surface() {
  const box = useRef<HTMLDivElement>(null);
  moving = useMoving(box);
  return <div ref={box} />;
}

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.useFakeTimers();
  const place = document.body.appendChild(document.createElement("div"));
  root = createRoot(place);
  act(() => root.render(<Surface />));
  surface = place.firstElementChild as HTMLElement;
});

afterEach(() => {
  act(() => root.unmount());
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const isMarked = (): boolean => surface.hasAttribute("data-moving");

test("the canvas is marked while it is panned, and a moment longer", () => {
  moving.onMoveStart(null, { x: 0, y: 0, zoom: 1 });
  expect(isMarked()).toBe(false);
  moving.onMove(null, { x: 9, y: 0, zoom: 1 });
  expect(isMarked()).toBe(true);
  moving.onMoveEnd(null, { x: 9, y: 0, zoom: 1 });
  expect(isMarked()).toBe(true);
  vi.runAllTimers();
  expect(isMarked()).toBe(false);
});

test("the tremble of a click marks nothing: the click is for what is under it", () => {
  moving.onMoveStart(null, { x: 0, y: 0, zoom: 1 });
  moving.onMove(null, { x: 2, y: 1, zoom: 1 });
  expect(isMarked()).toBe(false);
});

test("it is not marked while it is zoomed", () => {
  moving.onMoveStart(null, { x: 0, y: 0, zoom: 1 });
  moving.onMove(null, { x: 9, y: 0, zoom: 1 });
  moving.onMove(null, { x: 9, y: 0, zoom: 1.1 });
  expect(isMarked()).toBe(false);
});
