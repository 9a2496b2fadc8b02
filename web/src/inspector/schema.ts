// SPDX-License-Identifier: Apache-2.0
/** Schemas of outputs as they are typed: JSON Schema, or `name, age int, tags [str]`. */

import type { JsonValue } from "../api/types";
import { type Parsed, placeIn } from "./parsing";
import { isObject } from "./writing";

const TYPES = ["str", "int", "float", "bool", "date"];
const FIELD = /^\s*([\p{L}_][\p{L}\p{N}_]*)(?:[ \t]+(?:([\p{L}\p{N}_]+)|\[[ \t]*([\p{L}\p{N}_]+)[ \t]*\]))?[ \t]*(?::[\s\S]*)?\s*$/u;
const KNOWN = ["string", "integer", "number", "boolean", "object", "array", "null"];

export function schemaText(schema: JsonValue | undefined): string {
  if (schema === undefined || schema === null) return "";
  return typeof schema === "string" ? schema : JSON.stringify(schema, null, 2);
}

/** The schema; a first look at its form, of which the server has the last word. */
export function parseSchema(typed: string): Parsed {
  const text = typed.trim();
  if (!text) return { value: undefined };
  if (!text.startsWith("{")) {
    const why = shorthandProblem(text);
    return why ? { why } : { value: typed };
  }
  let schema: JsonValue;
  try {
    schema = JSON.parse(text) as JsonValue;
  } catch (error) {
    return { why: `this is not JSON: ${placeIn(text, error)}` };
  }
  const why = shapeProblem(schema);
  return why ? { why } : { value: schema };
}

function shorthandProblem(text: string): string {
  const seen = new Set<string>();
  for (const field of fieldsOf(text)) {
    const match = FIELD.exec(field);
    if (!match) return `"${field.trim()}" is not a field; write a name and a type, such as age int or tags [str]`;
    const type = match[3] ?? match[2] ?? "str";
    if (!TYPES.includes(type)) return `there is no type "${type}"; the types are ${TYPES.join(", ")}`;
    const name = match[1] ?? "";
    if (seen.has(name)) return `the field "${name}" is here twice`;
    seen.add(name);
  }
  return "";
}

function fieldsOf(text: string): string[] {
  return text.includes("\n") ? text.split("\n").filter((line) => line.trim()) : text.split(",");
}

/** Why a value is no schema; looks at what people get wrong, at any depth. */
function shapeProblem(schema: JsonValue, place = ""): string {
  if (typeof schema === "boolean") return "";
  const where = place ? ` at ${place}` : "";
  if (!isObject(schema)) return `a schema is an object${where}`;
  const types = Array.isArray(schema["type"]) ? schema["type"] : [schema["type"]];
  const strange = types.find((type) => type !== undefined && !KNOWN.includes(String(type)));
  if (strange !== undefined) return `there is no type ${JSON.stringify(strange)}${where}; the types are ${KNOWN.join(", ")}`;
  const { properties, required, items } = schema;
  if (properties !== undefined && !isObject(properties)) return `"properties" is an object of schemas by name${where}`;
  if (required !== undefined && !(Array.isArray(required) && required.every((name) => typeof name === "string"))) return `"required" is a list of names${where}`;
  for (const [name, part] of Object.entries(properties ?? {})) {
    const why = shapeProblem(part, `${place}/${name}`);
    if (why) return why;
  }
  return items === undefined ? "" : shapeProblem(items, `${place}/items`);
}

/** The fields that templates can read of a step with this schema. */
export function fieldNames(schema: JsonValue | undefined): string[] {
  if (typeof schema === "string") return fieldsOf(schema).flatMap((field) => FIELD.exec(field)?.[1] ?? []);
  return isObject(schema) && isObject(schema["properties"]) ? Object.keys(schema["properties"]) : [];
}
