// SPDX-License-Identifier: Apache-2.0
/** Inputs of the workflow as the file declares them, and the edits that change one. */

import type { DocumentView, EditMessage, InputView, JsonObject, JsonValue } from "../api/types";

/** What the file writes for an input, in the long form. */
export function declared(input: InputView): JsonObject {
  const { type, description, default: fallback, is_required: isRequired } = input;
  const data: JsonObject = { type };
  if (description) data["description"] = description;
  if (fallback !== null) data["default"] = fallback;
  else if (!isRequired) data["optional"] = true;
  return data;
}

/** A change of one key; undefined takes it away. */
export function changed(input: InputView, key: string, value: JsonValue | undefined): JsonObject {
  const { [key]: _, ...data } = declared(input);
  return value === undefined || value === false || value === "" ? data : { ...data, [key]: value };
}

/**
 * Declares an input, or takes it away. A file that declares none has every input that it reads:
 * the first declaration names them all, since with one the others would be unknown.
 */
export function declare(document: DocumentView, name: string, data: JsonObject | undefined): EditMessage[] {
  const isDeclared = /^["']?inputs["']?\s*:/m.test(document.text);
  if (isDeclared && data) return [{ kind: "set-value", path: ["inputs", name], value: data }];
  const others = Object.fromEntries(document.inputs.filter((each) => each.name !== name).map((each) => [each.name, declared(each)]));
  if (data) return [{ kind: "set-value", path: ["inputs"], value: { ...others, [name]: data } }];
  return [{ kind: "remove-value", path: Object.keys(others).length ? ["inputs", name] : ["inputs"] }];
}
