// SPDX-License-Identifier: Apache-2.0
/** Where an arrow key leads: along connections, else to what lies that way. */

import type { DocumentView } from "../api/types";
import type { Point } from "./geometry";
import { neighbours, nodeIds } from "./graph";

export type Direction = "left" | "right" | "up" | "down";

/** The node an arrow leads to from `id`; null where there is none. */
export function walk(
  document: DocumentView,
  places: ReadonlyMap<string, Point>,
  id: string | undefined,
  direction: Direction,
): string | null {
  const all = neighbours(document);
  if (id === undefined || !places.has(id)) return first(document, places);
  const { before, after } = all.get(id) ?? { before: [], after: [] };
  if (direction === "right") return topmost(after, places) ?? towards(places, id, direction);
  if (direction === "left") return topmost(before, places) ?? towards(places, id, direction);
  const siblings =
    before.length > 0
      ? before.flatMap((source) => all.get(source)?.after ?? [])
      : [...all.keys()].filter((other) => all.get(other)?.before.length === 0);
  const column = [...new Set([...siblings, id])].sort(byHeight(places));
  const next = column[column.indexOf(id) + (direction === "down" ? 1 : -1)];
  return next ?? towards(places, id, direction);
}

/** The leftmost node, the highest of those; where a walk begins. */
export function first(document: DocumentView, places: ReadonlyMap<string, Point>): string | null {
  const ids = nodeIds(document).filter((id) => places.has(id));
  ids.sort((a, b) => places.get(a)!.x - places.get(b)!.x || byHeight(places)(a, b));
  return ids[0] ?? null;
}

function byHeight(places: ReadonlyMap<string, Point>): (a: string, b: string) => number {
  return (a, b) => {
    const one = places.get(a) ?? ORIGIN;
    const other = places.get(b) ?? ORIGIN;
    return one.y - other.y || one.x - other.x;
  };
}

const ORIGIN: Point = { x: 0, y: 0 };

function topmost(ids: readonly string[], places: ReadonlyMap<string, Point>): string | null {
  return [...ids].sort(byHeight(places))[0] ?? null;
}

/** The nearest node in a direction; what lies straight ahead is nearer than what is aside. */
function towards(places: ReadonlyMap<string, Point>, id: string, direction: Direction): string | null {
  const from = places.get(id)!;
  let best: string | null = null;
  let least = Infinity;
  for (const [other, place] of places) {
    const dx = place.x - from.x;
    const dy = place.y - from.y;
    const ahead = { left: -dx, right: dx, up: -dy, down: dy }[direction];
    const aside = Math.abs(direction === "left" || direction === "right" ? dy : dx);
    if (other === id || ahead <= 0) continue;
    const distance = ahead + 2 * aside;
    if (distance < least) {
      least = distance;
      best = other;
    }
  }
  return best;
}
