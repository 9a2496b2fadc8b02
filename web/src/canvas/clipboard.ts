// SPDX-License-Identifier: Apache-2.0
/** Steps on the system's clipboard: JSON text, as a workflow file writes the steps. */

import type { DocumentView, JsonObject, PasteEdit } from "../api/types";
import { GRID, type Point, snap } from "./geometry";
import { stepById } from "./graph";

/** Steps that were copied, with where they were drawn and which of them wait. */
export interface Clip {
  steps: JsonObject[];
  positions: Record<string, [number, number]>;
  connections: [string, string][];
}

const FORMAT = "lao-steps/1";
const LIMIT = 1_000_000;

/** The steps among `ids`; null if there are none. */
export function copied(document: DocumentView, places: ReadonlyMap<string, Point>, ids: readonly string[]): Clip | null {
  const clip: Clip = { steps: [], positions: {}, connections: [] };
  for (const id of ids) {
    const step = stepById(document, id);
    if (!step) continue;
    clip.steps.push(step.data);
    const place = places.get(id);
    if (place) clip.positions[id] = [snap(place.x), snap(place.y)];
  }
  for (const { kind, source, target } of document.edges) {
    if (kind === "wait" && ids.includes(source) && ids.includes(target)) clip.connections.push([source, target]);
  }
  return clip.steps.length > 0 ? clip : null;
}

export function toText(clip: Clip): string {
  return JSON.stringify({ format: FORMAT, ...clip }, null, 1);
}

/** Reads what `toText` wrote; null if the text is anything else. */
export function fromText(text: string): Clip | null {
  if (text.length > LIMIT || !text.includes(FORMAT)) return null;
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(read) || read["format"] !== FORMAT) return null;
  const { steps, positions, connections } = read;
  if (!Array.isArray(steps) || steps.length === 0 || !steps.every(isStepData)) return null;
  if (!isObject(positions) || !Array.isArray(connections)) return null;
  if (!Object.values(positions).every(isPlace) || !connections.every(isPair)) return null;
  return {
    steps,
    positions: positions as Record<string, [number, number]>,
    connections: connections as [string, string][],
  };
}

/** The edit that adds a clip's steps, `away` steps of the grid from where they were. */
export function pasted(clip: Clip, { away, isPlaced }: { away: number; isPlaced: boolean }): PasteEdit {
  const edit: PasteEdit = { kind: "paste", steps: clip.steps, connections: clip.connections };
  if (!isPlaced) return edit;
  const moved = Object.entries(clip.positions).map(([id, [x, y]]): [string, [number, number]] => [
    id,
    [x + away * GRID, y + away * GRID],
  ]);
  return { ...edit, positions: Object.fromEntries(moved) };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isStepData = (value: unknown): value is JsonObject => isObject(value) && typeof value["id"] === "string";

const isPlace = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 2 && value.every((part) => Number.isInteger(part));

const isPair = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === "string");
