// SPDX-License-Identifier: Apache-2.0
/** How large nodes are and where their ports sit, known before anything is drawn. */

import type { BoxView, DocumentView, StepView } from "../api/types";

export interface Point {
  x: number;
  y: number;
}

export interface Rect extends Point {
  width: number;
  height: number;
}

/** In pixels at zoom 1; canvas.css says the same of `.step-*`. */
export const GRID = 8;
export const NODE_WIDTH = 216;
export const HEADER_HEIGHT = 44;
export const PORT_HEIGHT = 22;
export const PORTS_PADDING = 4;
export const INPUT_HEIGHT = 52;
/** What the value given to an input takes at most, as in runs/runs.css. */
export const GIVEN_HEIGHT = 44;
export const GROUP_TITLE = 32;
/** What a step's state and output take at most, as in runs/runs.css: no node grows over another. */
export const BODY_HEIGHT = 128;

/** The names of the two ports that no `PortView` describes. */
export const OUTPUT_PORT = "out";
export const WAIT_PORT = "wait";

export const snap = (value: number): number => Math.round(value / GRID) * GRID;

export const snapped = ({ x, y }: Point): Point => ({ x: snap(x), y: snap(y) });

export function portRows(step: StepView): number {
  return Math.max(step.inputs.length, 1);
}

export function stepHeight(step: StepView): number {
  return HEADER_HEIGHT + PORTS_PADDING * 2 + portRows(step) * PORT_HEIGHT + BODY_HEIGHT;
}

/** The middle of the port in row `row`, from the node's top. */
export function portOffset(row: number): number {
  return HEADER_HEIGHT + PORTS_PADDING + row * PORT_HEIGHT + PORT_HEIGHT / 2;
}

/** The sizes of steps and inputs by their ids. */
export function nodeSizes(document: DocumentView): Map<string, { width: number; height: number }> {
  const sizes = new Map<string, { width: number; height: number }>();
  for (const input of document.inputs) {
    sizes.set(`inputs.${input.name}`, { width: NODE_WIDTH, height: INPUT_HEIGHT + GIVEN_HEIGHT });
  }
  for (const step of document.steps) {
    sizes.set(step.id, { width: NODE_WIDTH, height: stepHeight(step) });
  }
  return sizes;
}

export function overlaps(a: Rect, b: Rect, margin = 0): boolean {
  return (
    a.x < b.x + b.width + margin &&
    b.x < a.x + a.width + margin &&
    a.y < b.y + b.height + margin &&
    b.y < a.y + a.height + margin
  );
}

export function contains(outer: Rect, inner: Rect): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

/** The smallest rectangle around `rects`; null if there are none. */
export function around(rects: readonly Rect[]): Rect | null {
  const first = rects[0];
  if (!first) return null;
  let { x, y } = first;
  let right = x + first.width;
  let bottom = y + first.height;
  for (const rect of rects) {
    x = Math.min(x, rect.x);
    y = Math.min(y, rect.y);
    right = Math.max(right, rect.x + rect.width);
    bottom = Math.max(bottom, rect.y + rect.height);
  }
  return { x, y, width: right - x, height: bottom - y };
}

/** The frame of a group around `rects`, with room for its title. */
export function frameAround(rects: readonly Rect[]): Rect | null {
  const inner = around(rects);
  if (!inner) return null;
  const margin = GRID * 3;
  const x = snap(inner.x - margin);
  const y = snap(inner.y - margin - GROUP_TITLE);
  return {
    x,
    y,
    width: snap(inner.x + inner.width + margin - x),
    height: snap(inner.y + inner.height + margin - y),
  };
}

/** The first place at or below `start` where `size` covers nothing of `taken`. */
export function freePlace(start: Point, size: { width: number; height: number }, taken: readonly Rect[]): Point {
  const place = { ...snapped(start), ...size };
  for (let tries = 0; tries <= taken.length; tries++) {
    const hit = taken.find((rect) => overlaps(place, rect, GRID * 2));
    if (!hit) break;
    place.y = Math.ceil((hit.y + hit.height + GRID * 3) / GRID) * GRID;
  }
  return { x: place.x, y: place.y };
}

export const boxRect = ({ x, y, width, height }: BoxView): Rect => ({ x, y, width, height });
