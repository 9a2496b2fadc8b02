// SPDX-License-Identifier: Apache-2.0
/** The inputs of a run: how each is asked for, read and kept. */

import type { InputView, JsonValue, MaterialView } from "../api/types";
import { own } from "../state/own";

export type FieldKind = "text" | "json" | "file" | "files";

/** How an input is asked for, by its type as a file writes it. */
export function fieldKind(type: string): FieldKind {
  if (isFileType(type)) return "file";
  const item = itemType(type);
  if (item !== null && isFileType(item)) return "files";
  return type === "text" ? "text" : "json";
}

/** The material that fits an input. */
export function choices(type: string, material: readonly MaterialView[]): MaterialView[] {
  const wanted = itemType(type) ?? type;
  return material.filter((each) => wanted === "file" || each.type === wanted);
}

/** What a field shows for a value that was given before. */
export function shownValue(type: string, value: JsonValue | undefined): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string" && fieldKind(type) !== "json") return value;
  if (fieldKind(type) === "files" && Array.isArray(value)) return value.join("\n");
  const path = filePath(value);
  return path ?? JSON.stringify(value, null, 2);
}

export type Read = { value: JsonValue | undefined; problem: "" } | { value?: never; problem: string };

/** What a person typed, as it is sent; undefined leaves the input to its default. */
export function readValue(input: InputView, typed: string): Read {
  const kind = fieldKind(input.type);
  if (typed.trim() === "" && !(kind === "text" && typed !== "")) {
    return input.is_required ? { problem: `${input.name} is needed` } : { value: undefined, problem: "" };
  }
  if (kind === "text" || kind === "file") return { value: typed, problem: "" };
  if (kind === "files") return { value: typed.split("\n").filter((line) => line.trim() !== ""), problem: "" };
  return readJson(input, typed);
}

function readJson(input: InputView, typed: string): Read {
  let value: JsonValue;
  try {
    value = JSON.parse(typed) as JsonValue;
  } catch (error) {
    const why = error instanceof Error ? error.message : "it cannot be read";
    return { problem: `this is not JSON: ${why}` };
  }
  if (input.type.startsWith("list[") && !Array.isArray(value)) {
    return { problem: `${input.name} takes ${input.type}: a list in square brackets` };
  }
  return { value, problem: "" };
}

/** The inputs that would be missing, or no longer fit what the file declares. */
export function missingInputs(inputs: readonly InputView[], given: Record<string, JsonValue>): InputView[] {
  return inputs.filter((input) => {
    const value = own(given, input.name);
    if (value === undefined || value === null || value === "") return input.is_required;
    return !fitsType(input.type, value);
  });
}

/** Those of the remembered values that the file still asks for. */
export function givenInputs(
  inputs: readonly InputView[],
  remembered: Record<string, JsonValue>,
): Record<string, JsonValue> {
  const given: Record<string, JsonValue> = {};
  for (const { name, type } of inputs) {
    const value = own(remembered, name);
    if (value !== undefined && fitsType(type, value)) given[name] = value;
  }
  return given;
}

function fitsType(type: string, value: JsonValue): boolean {
  const kind = fieldKind(type);
  if (kind === "text" || kind === "file") return typeof value === "string";
  if (kind === "files") return Array.isArray(value);
  return !type.startsWith("list[") || Array.isArray(value);
}

/** The values an earlier run was given, as they are given again. */
export function fromRun(given: Record<string, unknown>): Record<string, JsonValue> {
  const values: Record<string, JsonValue> = {};
  for (const [name, value] of Object.entries(given)) values[name] = plain(value as JsonValue);
  return values;
}

function plain(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(plain);
  return filePath(value) ?? value;
}

/** The path of a file as facts write it: `{"file": path, "type": kind}`. */
function filePath(value: JsonValue): string | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const { file, type, ...rest } = value;
  const isFile = typeof file === "string" && typeof type === "string" && Object.keys(rest).length === 0;
  return isFile ? file : null;
}

function isFileType(type: string): boolean {
  return ["audio", "image", "document", "file"].includes(type);
}

function itemType(type: string): string | null {
  return /^list\[(.+)\]$/.exec(type)?.[1] ?? null;
}
