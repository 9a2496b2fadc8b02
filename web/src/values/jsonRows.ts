// SPDX-License-Identifier: Apache-2.0
/** The rows of a JSON value as a tree: only what is unfolded becomes a row. */

import type { JsonValue } from "../api/types";
import { firstLine } from "./signs";

export type JsonPath = readonly (string | number)[];

export interface JsonRow {
  /** The place as a text, which no other place has. */
  id: string;
  path: JsonPath;
  depth: number;
  /** "" for the value itself. */
  name: string;
  value: JsonValue;
  isFolder: boolean;
  isOpen: boolean;
  /** Its number among its siblings from 1, and how many they are. */
  place: number;
  siblings: number;
  /** So many of its children are not shown; such a row stands for them. */
  hidden: number;
}

/** Children of one value that are shown before "more" is asked for. */
export const SHOWN_CHILDREN = 100;

export interface Unfolded {
  open: ReadonlySet<string>;
  /** How many children are shown where it is not `SHOWN_CHILDREN`. */
  most: ReadonlyMap<string, number>;
}

export function rowsOf(value: JsonValue, unfolded: Unfolded): JsonRow[] {
  const rows: JsonRow[] = [];
  const walk = (part: JsonValue, path: JsonPath, name: string, place: number, siblings: number): void => {
    const id = idOf(path);
    const isFolder = childCount(part) > 0;
    const isOpen = isFolder && unfolded.open.has(id);
    rows.push({ id, path, depth: path.length, name, value: part, isFolder, isOpen, place, siblings, hidden: 0 });
    if (!isOpen) return;
    const count = childCount(part);
    const shown = Math.min(count, unfolded.most.get(id) ?? SHOWN_CHILDREN);
    childrenOf(part, shown).forEach(([key, child], index) => walk(child, [...path, key], String(key), index + 1, count));
    if (shown < count) rows.push(moreRow(path, count, count - shown));
  };
  walk(value, [], "", 1, 1);
  return rows;
}

function moreRow(path: JsonPath, siblings: number, hidden: number): JsonRow {
  const rest = { value: null, isFolder: false, isOpen: false, place: siblings };
  return { id: `${idOf(path)}…`, path, depth: path.length + 1, name: "", siblings, hidden, ...rest };
}

export function childCount(value: JsonValue): number {
  if (Array.isArray(value)) return value.length;
  return typeof value === "object" && value !== null ? Object.keys(value).length : 0;
}

function childrenOf(value: JsonValue, most: number): [string | number, JsonValue][] {
  if (Array.isArray(value)) return value.slice(0, most).map((child, index) => [index, child]);
  return typeof value === "object" && value !== null ? Object.entries(value).slice(0, most) : [];
}

/** A JSON pointer. */
export function idOf(path: JsonPath): string {
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** What is unfolded at first: as deep as it stays a page. */
export function firstOpen(value: JsonValue, most = 40): Set<string> {
  const open = new Set<string>();
  let rows = 1;
  let level: [JsonPath, JsonValue][] = [[[], value]];
  while (level.length) {
    const next: [JsonPath, JsonValue][] = [];
    for (const [path, part] of level) {
      const count = childCount(part);
      if (!count || (rows + count > most && path.length > 0)) continue;
      rows += Math.min(count, SHOWN_CHILDREN);
      open.add(idOf(path));
      for (const [key, child] of childrenOf(part, SHOWN_CHILDREN)) next.push([[...path, key], child]);
    }
    level = next;
  }
  return open;
}

/** What a template writes to read a part of a step's output: `facts.people.0`. */
export function templatePath(step: string, path: JsonPath): string {
  return path.reduce<string>((read, part) => {
    const name = String(part);
    const isName = typeof part === "number" || /^[\p{L}_][\p{L}\p{N}_]*$/u.test(name);
    return isName ? `${read}.${name}` : `${read}[${JSON.stringify(name)}]`;
  }, step);
}

/** A value on one line: a leaf as JSON writes it, anything larger as what it holds. */
export function inWords(value: JsonValue, most = 200): string {
  if (typeof value === "string") return `"${firstLine(value, most)}"`;
  if (Array.isArray(value)) return value.length ? `${value.length} ${value.length === 1 ? "item" : "items"}` : "[]";
  if (typeof value !== "object" || value === null) return String(value);
  const names = Object.keys(value);
  return names.length ? `{ ${firstLine(names.join(", "), 60)} }` : "{}";
}
