// SPDX-License-Identifier: Apache-2.0
/** Transforms of an input as files write them: `strip`, `{ truncate: 4000 }`, `{ regex: … }`. */

import type { JsonObject, JsonValue } from "../api/types";
import { isObject } from "./writing";

export interface TransformKey {
  name: string;
  label: string;
  type: "text" | "integer" | "json" | "choice";
  choices?: string[];
}

export interface TransformSort {
  name: string;
  /** What it does, in a few words. */
  about: string;
  /** What it is told, the first of which may stand alone: `{ truncate: 4000 }`. */
  keys: TransformKey[];
  /** What it is when it is added. */
  fresh: JsonValue;
}

const text = (name: string, label: string): TransformKey => ({ name, label, type: "text" });

export const TRANSFORMS: TransformSort[] = [
  { name: "strip", about: "removes white space at both ends", keys: [], fresh: "strip" },
  { name: "lines", about: "cuts a text into lines", keys: [], fresh: "lines" },
  { name: "truncate", about: "keeps so many characters", keys: [{ name: "characters", label: "Characters", type: "integer" }, { name: "keep", label: "Keep", type: "choice", choices: ["start", "end"] }], fresh: { truncate: 4000 } },
  { name: "split", about: "cuts a text into pieces", keys: [text("separator", "Separator"), { name: "characters", label: "At most characters", type: "integer" }], fresh: { split: { characters: 4000 } } },
  { name: "join", about: "makes one text of a list", keys: [text("join", "Between them")], fresh: "join" },
  { name: "select", about: "takes a part of JSON", keys: [text("select", "Pointer, such as /people")], fresh: { select: "/" } },
  { name: "regex", about: "finds or replaces a pattern", keys: [text("pattern", "Pattern"), text("replace", "Replace each by")], fresh: { regex: "\\S+" } },
  { name: "json", about: "reads a text as JSON", keys: [], fresh: "json" },
  { name: "plugin", about: "a plugin of the kind preprocessor", keys: [text("plugin", "Its name"), { name: "with", label: "Its parameters, as JSON", type: "json" }], fresh: { plugin: "?" } },
];

export interface Told {
  sort: TransformSort;
  /** What it is told, by the names of its keys. */
  values: JsonObject;
}

/** Null for what no form is known for: it is shown as JSON. */
export function readTransform(value: JsonValue): Told | null {
  const name = typeof value === "string" ? value : isObject(value) ? nameIn(value) : "";
  const sort = TRANSFORMS.find((each) => each.name === name);
  if (!sort) return null;
  if (!isObject(value)) return { sort, values: {} };
  if (name === "plugin") return { sort, values: value };
  const told = value[name];
  if (isObject(told)) return { sort, values: told };
  const [first] = sort.keys;
  return first && told !== undefined ? { sort, values: { [first.name]: told } } : null;
}

function nameIn(value: JsonObject): string {
  return "plugin" in value ? "plugin" : (Object.keys(value)[0] ?? "");
}

/** The shortest way to write it. */
export function writeTransform({ sort, values }: Told): JsonValue {
  const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== ""));
  if (sort.name === "plugin") return given;
  const [first] = sort.keys;
  const names = Object.keys(given);
  if (!first || names.length === 0) return sort.name === "join" ? "join" : sort.fresh;
  if (names.length === 1 && names[0] === first.name) return { [sort.name]: given[first.name] ?? null };
  return { [sort.name]: given };
}

export function moved<T>(list: readonly T[], from: number, by: number): T[] {
  const to = Math.max(0, Math.min(list.length - 1, from + by));
  const next = [...list];
  next.splice(to, 0, ...next.splice(from, 1));
  return next;
}

/** Separators are often line ends, which a field of one line shows and takes as `\\n`. */
export function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\t", "\\t");
}

export function unescaped(text: string): string {
  return text.replace(/\\([nt\\])/g, (_, sign: string) => ({ n: "\n", t: "\t" })[sign] ?? "\\");
}
