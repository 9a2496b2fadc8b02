// SPDX-License-Identifier: Apache-2.0
/** Giving an input of the workflow another name, wherever templates read it. */

import type { DocumentView, EditMessage, InputView, JsonValue } from "../api/types";
import { declare, declared } from "./inputs";
import type { Key } from "./writing";

/** The keys of a step whose texts are templates. */
const TEMPLATES = ["prompt_template", "system", "input", "with", "options", "when", "for_each"];

/** The edits; together they are one step of the history. */
export function renameInput(document: DocumentView, input: InputView, name: string): EditMessage[] {
  const old = input.name;
  const edits = declare(document, name, declared(input));
  edits.push({ kind: "remove-value", path: ["inputs", old] });
  const change = (path: Key[], value: JsonValue) => {
    for (const [place, text] of textsIn(value, path)) {
      const renamed = renameIn(text, old, name);
      if (renamed !== text) edits.push({ kind: "set-value", path: place, value: renamed });
    }
  };
  for (const step of document.steps) {
    for (const key of TEMPLATES) if (step.data[key] !== undefined) change(["steps", step.id, key], step.data[key]);
  }
  for (const output of document.outputs) change(["outputs", output.name], output.template);
  return edits;
}

function* textsIn(value: JsonValue, path: Key[]): Generator<[Key[], string]> {
  if (typeof value === "string") yield [path, value];
  else if (Array.isArray(value)) for (const [index, each] of value.entries()) yield* textsIn(each, [...path, index]);
  else if (typeof value === "object" && value !== null) for (const [key, each] of Object.entries(value)) yield* textsIn(each, [...path, key]);
}

/** Changes `inputs.old` inside `{{ }}` and `{% %}`, and nowhere else. */
export function renameIn(template: string, old: string, name: string): string {
  const reads = new RegExp(`(?<![\\p{L}\\p{N}_.])inputs\\.${old}(?![\\p{L}\\p{N}_])`, "gu");
  return template.replace(/\{\{[\s\S]*?\}\}|\{%[\s\S]*?%\}/g, (code) => code.replace(reads, `inputs.${name}`));
}

/** Why a text cannot be the name of a step or an input; "" if it can. */
export function nameProblem(name: string, taken: readonly string[]): string {
  if (name.includes("-")) return `templates read a dash as minus; write ${name.replaceAll("-", "_")}`;
  if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name)) return "a name is letters, digits and underscores, and begins with no digit";
  return taken.includes(name) ? `there is already a ${name}` : "";
}
