// SPDX-License-Identifier: Apache-2.0
/** What a form writes to: one mapping of the file, or the same one of several steps. */

import { createContext, useContext } from "react";
import type { DocumentView, EditMessage, JsonObject, JsonValue, ProblemView, StepView } from "../api/types";
import { tryEdit } from "../state/documents";
import { keysAt } from "./keyPlaces";
import { type Key, valueAt, writeAt } from "./writing";

export interface Place {
  base: Key[];
  data: JsonObject;
}

export interface Target {
  document: DocumentView;
  /** Begins the labels of the history: "summary", "3 steps". */
  who: string;
  /** The step that the form is about, if it is one. */
  step: StepView | null;
  places: Place[];
  problems: { keys: string[]; problem: ProblemView }[];
}

const TargetContext = createContext<Target | null>(null);
export const TargetProvider = TargetContext.Provider;

export function useTarget(): Target {
  const target = useContext(TargetContext);
  if (!target) throw new Error("a field stands in no form");
  return target;
}

/** What all the places have at a path; undefined where they differ or have nothing. */
export function commonValue(target: Target, path: readonly string[]): JsonValue | undefined {
  const [first, ...others] = target.places.map((place) => valueAt(place.data, path));
  return others.every((other) => JSON.stringify(other) === JSON.stringify(first)) ? first : undefined;
}

export function isMixed(target: Target, path: readonly string[]): boolean {
  return new Set(target.places.map((place) => JSON.stringify(valueAt(place.data, path)))).size > 1;
}

/** Writes a value at a path of every place, undefined takes it away; one step of the history. */
export function write(target: Target, path: readonly string[], value: JsonValue | undefined, what = path.at(-1) ?? ""): Promise<ProblemView[]> {
  const edits = target.places.flatMap((place) => writeAt(place.base, place.data, path, value) ?? []);
  return send(target, edits, what);
}

export async function send(target: Target, edits: EditMessage[], what: string): Promise<ProblemView[]> {
  if (!edits.length) return [];
  const outcome = await tryEdit(target.document.path, `${target.who}: ${what}`, edits);
  return outcome.problems;
}

/** The problems of a key and of what is below it. */
export function problemsAt(target: Target, path: readonly string[]): ProblemView[] {
  return target.problems.filter(({ keys }) => path.every((key, index) => keys[index] === key)).map(({ problem }) => problem);
}

export function stepTarget(document: DocumentView, steps: StepView[]): Target {
  const [step] = steps;
  const isOne = steps.length === 1 && step !== undefined;
  return {
    document,
    who: isOne ? step.id : `${steps.length} steps`,
    step: isOne ? step : null,
    places: steps.map(({ id, data }) => ({ base: ["steps", id], data })),
    problems: isOne ? problemsOf(document, step) : [],
  };
}

function problemsOf(document: DocumentView, step: StepView): Target["problems"] {
  const mine = document.problems.filter((problem) => problem.step === step.id);
  return mine.map((problem) => ({ problem, keys: keysAt(document.text, step.line, problem.line, problem.column) }));
}
