// SPDX-License-Identifier: Apache-2.0
/** Which part of the graph is seen when a file opens, and when something is to be shown. */

import type { Viewport } from "@xyflow/react";

import { type Rect, around } from "./geometry";

interface Size {
  width: number;
  height: number;
}

const MARGIN = 24;
const READABLE = 0.65;
export const SMALLEST = 0.05;

/** Everything, if it can be read then; else the beginning, in a size that can be read. */
export function firstView(rects: readonly Rect[], { width, height }: Size): Viewport {
  const all = around(rects);
  if (!all) return { x: width / 3, y: height / 3, zoom: 1 };
  const whole = Math.min((width - 2 * MARGIN) / all.width, (height - 2 * MARGIN) / all.height);
  const zoom = Math.min(1, Math.max(READABLE, whole));
  if (whole >= READABLE) return wholeView(rects, { width, height });
  const centred = (room: number, start: number, length: number): number => room / 2 - (start + length / 2) * zoom;
  const first = rects.reduce((a, b) => (b.x < a.x || (b.x === a.x && b.y < a.y) ? b : a));
  const fits = (room: number, length: number): boolean => length * zoom <= room - 2 * MARGIN;
  return {
    x: fits(width, all.width) ? centred(width, all.x, all.width) : MARGIN - all.x * zoom,
    y: fits(height, all.height) ? centred(height, all.y, all.height) : Math.min(height / 3, MARGIN * 3) - first.y * zoom,
    zoom,
  };
}

/** Everything, however small. React Flow's own way waits until all nodes were drawn once. */
export function wholeView(rects: readonly Rect[], { width, height }: Size): Viewport {
  const all = around(rects) ?? { x: 0, y: 0, width: 1, height: 1 };
  const whole = Math.min((width - 2 * MARGIN) / all.width, (height - 2 * MARGIN) / all.height);
  const zoom = Math.min(1, Math.max(SMALLEST, whole));
  return { x: width / 2 - (all.x + all.width / 2) * zoom, y: height / 2 - (all.y + all.height / 2) * zoom, zoom };
}

/** Moved as little as brings `rect`'s upper part into view; the same one if it is. */
export function showing(view: Viewport, rect: Rect, { width, height }: Size): Viewport {
  const { zoom } = view;
  const left = rect.x * zoom + view.x;
  const top = rect.y * zoom + view.y;
  const dx = shift(left, Math.min(rect.width * zoom, width - 2 * MARGIN), width);
  const dy = shift(top, Math.min(rect.height * zoom, height - 2 * MARGIN), height);
  return dx === 0 && dy === 0 ? view : { x: view.x + dx, y: view.y + dy, zoom };
}

function shift(start: number, length: number, room: number): number {
  if (start < MARGIN) return MARGIN - start;
  const over = start + length - (room - MARGIN);
  return over > 0 ? -over : 0;
}

/** Where each file was looked at last, as long as the page is open. */
export const views = new Map<string, Viewport>();

export const prefersStill = (): boolean => window.matchMedia("(prefers-reduced-motion: reduce)").matches;
