// SPDX-License-Identifier: Apache-2.0
/** Where nodes are drawn that a file says nothing of: left to right, as they are run. */

import type { DocumentView } from "../api/types";
import { type Point, type Rect, freePlace, nodeSizes, snapped } from "./geometry";
import { layered } from "./layered";

type Sizes = ReadonlyMap<string, { width: number; height: number }>;

/** The places of all nodes, as if none had been placed by hand. */
export function layoutAll(document: DocumentView, sizes: Sizes = nodeSizes(document)): Map<string, Point> {
  const links = document.edges.map(({ source, target }) => [source, target] as const);
  return new Map([...layered(sizes, links)].map(([id, place]) => [id, snapped(place)]));
}

/** The places that the file itself gives. */
export function placedByHand(document: DocumentView): Map<string, Point> {
  const places = new Map<string, Point>();
  const put = (id: string, position: [number, number] | null): void => {
    if (position) places.set(id, { x: position[0], y: position[1] });
  };
  for (const input of document.inputs) put(`inputs.${input.name}`, input.position);
  for (const step of document.steps) put(step.id, step.position);
  return places;
}

/**
 * The place of every node. Those of the file stay. The others keep the place they
 * were `shown` at, so that nothing jumps when one is dragged; new ones go where a
 * layout of all would put them, moved aside where something is already.
 */
export function placeNodes(document: DocumentView, shown: ReadonlyMap<string, Point> = new Map()): Map<string, Point> {
  const places = placedByHand(document);
  const sizes = nodeSizes(document);
  if (places.size === sizes.size) return places;
  const wanted = layoutAll(document, sizes);
  if (places.size === 0) return wanted;
  const shift = places.size * 2 >= sizes.size ? usualShift(places, wanted) : { x: 0, y: 0 };
  const missing = [...wanted.keys()].filter((id) => !places.has(id));
  for (const id of missing) {
    const before = shown.get(id);
    if (before) places.set(id, before);
  }
  const taken: Rect[] = [...places].map(([id, place]) => ({ ...place, ...sizes.get(id)! }));
  for (const id of missing) {
    if (places.has(id)) continue;
    const { x, y } = wanted.get(id)!;
    const size = sizes.get(id)!;
    const place = freePlace({ x: x + shift.x, y: y + shift.y }, size, taken);
    places.set(id, place);
    taken.push({ ...place, ...size });
  }
  return places;
}

/** How far a person has moved the nodes, by the one in the middle. */
function usualShift(places: ReadonlyMap<string, Point>, wanted: ReadonlyMap<string, Point>): Point {
  const middle = (axis: "x" | "y"): number => {
    const moves = [...places].map(([id, place]) => place[axis] - (wanted.get(id)?.[axis] ?? 0));
    return moves.sort((a, b) => a - b)[Math.floor(moves.length / 2)] ?? 0;
  };
  return { x: middle("x"), y: middle("y") };
}
