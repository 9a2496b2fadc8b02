// SPDX-License-Identifier: Apache-2.0
/** What a step's templates can read, and telling a template that is nothing but one name. */

import type { DocumentView, PaletteView, StepView } from "../api/types";
import { misfit } from "../canvas/fits";
import { INPUTS, reachable } from "../canvas/graph";
import { fieldNames } from "./schema";
import { valueAt } from "./writing";

export interface Readable {
  /** As a template names it: "inputs.recording", "facts.people". */
  name: string;
  type: string | null;
  /** Why it may not go where it is asked for; "" if it may. */
  reason: string;
}

const WHOLE = /^\s*\{\{-?\s*([\p{L}_][\p{L}\p{N}_]*(?:\.[\p{L}\p{N}_]+)*)\s*-?\}\}\s*$/u;

/** The name that a text reads and nothing else; null for any other text. */
export function wholeName(value: unknown): string | null {
  return typeof value === "string" ? (WHOLE.exec(value)?.[1] ?? null) : null;
}

export const reading = (name: string): string => `{{ ${name} }}`;

/** Inputs, and the steps that do not themselves read the step. */
export function readableBy(document: DocumentView, palette: PaletteView | null, step: StepView | null, type: string | null): Readable[] {
  const after = step ? reachable(document, step.id, "after") : new Set<string>();
  const judged = (name: string, output: string | null): Readable => ({
    name,
    type: output,
    reason: misfit(palette, output, type)?.reason ?? "",
  });
  const inputs = document.inputs.map((input) => judged(INPUTS + input.name, input.type));
  const steps = document.steps.filter((each) => !after.has(each.id)).map((each) => judged(each.id, each.output));
  return [...inputs, ...steps];
}

/** The same with the fields of JSON outputs, and what a loop and an input bring: for templates. */
export function namesFor(document: DocumentView, palette: PaletteView | null, step: StepView | null): Readable[] {
  const whole = readableBy(document, palette, step, null);
  const fields = whole.flatMap(({ name }) => {
    const source = document.steps.find((each) => each.id === name);
    const schema = source && valueAt(source.data, ["output", "schema"]);
    return fieldNames(schema).map((field): Readable => ({ name: `${name}.${field}`, type: null, reason: "" }));
  });
  const own: Readable[] = [];
  if (step?.data["for_each"] !== undefined) own.push({ name: "item", type: null, reason: "" }, { name: "index", type: null, reason: "" });
  if (step?.data["input"] !== undefined) own.push({ name: "input", type: null, reason: "" });
  return [...whole, ...fields, ...own];
}
