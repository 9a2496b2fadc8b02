// SPDX-License-Identifier: Apache-2.0
/** Where the nodes of each open file are shown, and how large they have turned out to be. */

import type { DocumentView } from "../api/types";
import { NODE_WIDTH, type Point, type Rect, boxRect, freePlace, nodeSizes } from "./geometry";
import { placeNodes, placedByHand } from "./layout";

type Size = { width: number; height: number };

const shown = new Map<string, { document: DocumentView; places: ReadonlyMap<string, Point> }>();
const measured = new Map<string, Map<string, Size>>();

/** The place of every step and input; the same map for the same document. */
export function placesOf(document: DocumentView): ReadonlyMap<string, Point> {
  const known = shown.get(document.path);
  if (known?.document === document) return known.places;
  const places = placeNodes(document, known?.places);
  shown.set(document.path, { document, places });
  return places;
}

export function noteSize(path: string, id: string, size: Size): void {
  let sizes = measured.get(path);
  if (!sizes) measured.set(path, (sizes = new Map()));
  sizes.set(id, size);
}

/** The sizes of all nodes: measured where they were drawn, else computed. */
export function sizesOf(document: DocumentView): Map<string, Size> {
  const sizes = nodeSizes(document);
  for (const [id, size] of measured.get(document.path) ?? []) {
    if (sizes.has(id)) sizes.set(id, size);
  }
  return sizes;
}

export function rectsOf(document: DocumentView): Map<string, Rect> {
  const sizes = sizesOf(document);
  return new Map([...placesOf(document)].map(([id, place]) => [id, { ...place, ...sizes.get(id)! }]));
}

/** All that is drawn: nodes, notes and groups. */
export function allRects(document: DocumentView): Rect[] {
  return [...rectsOf(document).values(), ...document.boxes.map(boxRect)];
}

export function hasHandPlaces(document: DocumentView): boolean {
  return placedByHand(document).size > 0;
}

/** Where a new node goes; null in a file whose nodes all are laid out for it. */
export function placeForNew(document: DocumentView, beside: string | null, side: "left" | "right" = "right"): Point | null {
  if (!hasHandPlaces(document)) return null;
  const rects = rectsOf(document);
  const near = beside === null ? undefined : rects.get(beside);
  const taken = [...rects.values()];
  const size = { width: NODE_WIDTH, height: 120 };
  const step = NODE_WIDTH + GAP;
  if (near) return freePlace({ x: near.x + (side === "right" ? step : -step), y: near.y }, size, taken);
  const bottom = Math.max(...taken.map((rect) => rect.y + rect.height));
  const left = Math.min(...taken.map((rect) => rect.x));
  return freePlace({ x: left, y: bottom + GAP / 2 }, size, taken);
}

const GAP = 64;
