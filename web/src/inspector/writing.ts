// SPDX-License-Identifier: Apache-2.0
/** How a value is written into a mapping of the file: which single edit does it. */

import type { EditMessage, JsonObject, JsonValue } from "../api/types";

export type Key = string | number;

/** The long form of what a file may write short. */
const LONG: Record<string, (short: JsonValue) => JsonObject> = {
  retry: (attempts) => ({ attempts }),
  output: (type) => ({ type }),
};

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The mapping under a key, in its long form; empty if there is none. */
export function mappingAt(data: JsonObject, key: string): JsonObject {
  const value = data[key];
  if (isObject(value)) return value;
  return value === undefined || value === null ? {} : (LONG[key]?.(value) ?? {});
}

/** What stands at a place; undefined if nothing does. */
export function valueAt(data: JsonObject, path: readonly Key[]): JsonValue | undefined {
  const [first, ...rest] = path;
  if (first === undefined) return data;
  if (rest.length === 0) return data[first];
  return rest.reduce<JsonValue | undefined>((found, key) => {
    if (Array.isArray(found)) return found[Number(key)];
    return isObject(found) ? found[key] : undefined;
  }, mappingAt(data, String(first)));
}

/**
 * The edit that puts a value at one or two keys of a mapping that stands at `base`; undefined takes
 * it away, with the mapping around it if that would be empty. Null if nothing changes.
 */
export function writeAt(base: readonly Key[], data: JsonObject, path: readonly string[], value: JsonValue | undefined): EditMessage | null {
  const [first, second] = path;
  if (first === undefined) return null;
  const old = valueAt(data, path);
  if (value === undefined ? old === undefined : same(old, value)) return null;
  if (second === undefined) return put([...base, first], value);
  const { [second]: _, ...others } = mappingAt(data, first);
  if (isObject(data[first])) {
    const isLast = value === undefined && Object.keys(others).length === 0;
    return put(isLast ? [...base, first] : [...base, first, second], value);
  }
  if (value !== undefined) return put([...base, first], { ...others, [second]: value });
  return put([...base, first], Object.keys(others).length ? others : undefined);
}

function put(path: Key[], value: JsonValue | undefined): EditMessage {
  return value === undefined ? { kind: "remove-value", path } : { kind: "set-value", path, value };
}

export function same(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && JSON.stringify(a) === JSON.stringify(b));
}
