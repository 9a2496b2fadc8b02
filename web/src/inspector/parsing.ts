// SPDX-License-Identifier: Apache-2.0
/** Between what is typed in a field and the value that the file gets. */

import type { JsonValue, ParameterView } from "../api/types";

/** A value; undefined for "not written"; or why the text is none. */
export type Parsed = { value: JsonValue | undefined } | { why: string };

const UNSET: Parsed = { value: undefined };
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

export const isTemplate = (text: string): boolean => text.includes("{{") || text.includes("{%");

/** A number as it was typed, or a template that gives one; empty takes it away. */
export function parseNumber(typed: string, limits: Pick<ParameterView, "type" | "minimum" | "maximum">): Parsed {
  const text = typed.trim();
  if (!text) return UNSET;
  if (isTemplate(text)) return { value: text };
  if (!NUMBER.test(text)) return { why: `"${text}" is not a number` };
  const value = Number(text);
  if (limits.type === "integer" && !Number.isInteger(value)) return { why: "a whole number is wanted" };
  if (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    return { why: "this number is too large to be kept exactly here; write it in the text" };
  }
  if (limits.minimum !== null && value < limits.minimum) return { why: `the least is ${limits.minimum}` };
  if (limits.maximum !== null && value > limits.maximum) return { why: `the most is ${limits.maximum}` };
  return { value };
}

/** `500ms`, `2s`, `5m`, `1h`. */
export function parseDuration(typed: string): Parsed {
  const text = typed.trim();
  if (!text) return UNSET;
  if (/^\d+(\.\d+)?(ms|s|m|h)$/.test(text)) return { value: text };
  const mend = /^\d+(\.\d+)?$/.test(text) ? `write ${text}s for seconds` : "write it as 500ms, 2s, 5m or 1h";
  return { why: `"${text}" is not a duration; ${mend}` };
}

/** JSON, or a text without quotes where it could be nothing else. */
export function parseJson(typed: string): Parsed {
  const text = typed.trim();
  if (!text) return UNSET;
  try {
    return { value: JSON.parse(text) as JsonValue };
  } catch (error) {
    if (!/^[[{"]/.test(text) || isTemplate(text)) return { value: typed };
    return { why: `this is not JSON: ${placeIn(text, error)}` };
  }
}

/** The other way round: what `parseJson` reads as this value. */
export function jsonText(value: JsonValue | undefined): string {
  if (value === undefined) return "";
  if (typeof value !== "string") return JSON.stringify(value, null, 2);
  const read = parseJson(value);
  return "value" in read && read.value === value ? value : JSON.stringify(value);
}

/** One text a line; empty lines are none. */
export function parseLines(typed: string): Parsed {
  const lines = typed.split("\n").map((line) => line.trim()).filter(Boolean);
  if (lines.length === 1 && lines[0] && isTemplate(lines[0])) return { value: lines[0] };
  return lines.length ? { value: lines } : UNSET;
}

export function linesText(value: JsonValue | undefined): string {
  if (Array.isArray(value)) return value.map(jsonText).join("\n");
  return value === undefined ? "" : jsonText(value);
}

/** What a browser says of broken JSON, with its line where it tells a position. */
export function placeIn(text: string, error: unknown): string {
  const words = error instanceof Error ? error.message.replace(/^JSON\.parse: /, "") : "it cannot be read";
  const position = /position (\d+)/.exec(words)?.[1];
  if (position === undefined || words.includes("line ")) return words;
  return `${words} (line ${text.slice(0, Number(position)).split("\n").length})`;
}
