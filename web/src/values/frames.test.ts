// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { inNextFrame, keepFramesFree } from "./frames";

let frames: FrameRequestCallback[];
const frame = (): void => frames.splice(0).forEach((run) => run(0));

beforeEach(() => {
  frames = [];
  vi.stubGlobal("requestAnimationFrame", (run: FrameRequestCallback) => frames.push(run));
});

afterEach(() => {
  keepFramesFree(false);
  vi.unstubAllGlobals();
});

test("work that is asked for twice is done once, in the next frame", () => {
  const work = vi.fn();
  inNextFrame(work);
  inNextFrame(work);
  expect(work).not.toHaveBeenCalled();
  frame();
  frame();
  expect(work).toHaveBeenCalledTimes(1);
});

test("while the canvas moves, work waits for the third frame, and all of it is done then", () => {
  const [first, second] = [vi.fn(), vi.fn()];
  keepFramesFree(true);
  inNextFrame(first);
  frame();
  inNextFrame(second);
  frame();
  expect(first).not.toHaveBeenCalled();
  frame();
  expect([first.mock.calls.length, second.mock.calls.length]).toEqual([1, 1]);
});
