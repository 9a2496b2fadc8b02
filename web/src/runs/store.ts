// SPDX-License-Identifier: Apache-2.0
/** What the page knows of the runs of each open file, and how components watch it. */

import type { ForecastView, JsonValue, ProblemView, RunMessage, RunSummary, StepForecastView } from "../api/types";
import { createStore, useStore } from "../state/store";
import type { Run, StepRun } from "./fold";
import { own } from "../state/own";

/** Which part of a workflow to run, and how. */
export interface RunChoice {
  /** Run this step anew, and what follows. */
  start?: string;
  /** Run only this step, and what it needs. */
  until?: string;
  /** Steps to ask again though their answers are known. */
  refresh?: string[];
  noCache?: boolean;
}

/** An earlier run, looked at on the graph as it was after `position` of its facts. */
export interface ShownRun {
  whole: Run;
  run: Run;
  messages: RunMessage[];
  position: number;
}

export interface FileRuns {
  /** The run that goes on, or went on last in this tab. */
  current: Run | null;
  /** Its facts, but for pieces of text and progress. */
  log: readonly RunMessage[];
  choice: RunChoice;
  shown: ShownRun | null;
  forecast: ForecastView | null;
  breakpoints: string[];
  pins: Record<string, string>;
  history: RunSummary[];
  inputs: Record<string, JsonValue>;
  /** The run that waits for its inputs to be given. */
  asking: RunChoice | null;
  isStarting: boolean;
  isStopping: boolean;
  /** The run is followed no longer, and tried to be reached again. */
  isLost: boolean;
  /** Why the last run did not begin. */
  problems: ProblemView[];
}

export const NOTHING: FileRuns = {
  current: null,
  log: [],
  choice: {},
  shown: null,
  forecast: null,
  breakpoints: [],
  pins: {},
  history: [],
  inputs: {},
  asking: null,
  isStarting: false,
  isStopping: false,
  isLost: false,
  problems: [],
};

export const runs = createStore<Record<string, FileRuns>>({});

export function runsOf(path: string): FileRuns {
  return runs.get()[path] ?? NOTHING;
}

export function changeRuns(path: string, change: Partial<FileRuns>): void {
  const old = runsOf(path);
  const differs = Object.entries(change).some(([key, value]) => !Object.is(old[key as keyof FileRuns], value));
  if (!differs) return;
  runs.set((all) => ({ ...all, [path]: { ...(all[path] ?? NOTHING), ...change } }));
  if ("inputs" in change || "breakpoints" in change || "current" in change) remember(path);
}

// -- watching

export function useRuns<S>(path: string, select: (file: FileRuns) => S, equal?: (a: S, b: S) => boolean): S {
  return useStore(runs, (all) => select(all[path] ?? NOTHING), equal);
}

/** The run whose state the graph shows. */
export function shownRun(file: FileRuns): Run | null {
  return file.shown ? file.shown.run : file.current;
}

export function useStepRun(path: string, step: string): StepRun | undefined {
  return useRuns(path, (file) => own(shownRun(file)?.steps, step));
}

export function useStepForecast(path: string, step: string): StepForecastView | undefined {
  return useRuns(path, (file) => own(file.forecast?.steps, step));
}

export function isRunning(file: FileRuns): boolean {
  return file.isStarting || file.current?.summary.status === "running";
}

export function useIsRunning(path: string): boolean {
  return useRuns(path, isRunning);
}

// -- what outlives a reload of the page, in this tab alone

interface Kept {
  inputs: Record<string, JsonValue>;
  breakpoints: string[];
  run: string;
}

const KEY = "lao.runs:";
const MOST_KEPT = 200_000; // characters: sessionStorage is small, and a pasted book is not needed there

function remember(path: string): void {
  const { inputs, breakpoints, current } = runsOf(path);
  const kept: Kept = { inputs, breakpoints, run: current?.summary.id ?? "" };
  let text = JSON.stringify(kept);
  if (text.length > MOST_KEPT) text = JSON.stringify({ ...kept, inputs: {} });
  try {
    if (sessionStorage.getItem(KEY + path) !== text) sessionStorage.setItem(KEY + path, text);
  } catch {
    // a full or forbidden storage: they last as long as the page
  }
}

export function recollect(path: string): Kept {
  const kept: Kept = { inputs: {}, breakpoints: [], run: "" };
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(KEY + path) ?? "{}");
    if (typeof found !== "object" || found === null) return kept;
    const { inputs, breakpoints, run } = found as Partial<Record<keyof Kept, unknown>>;
    if (typeof inputs === "object" && inputs !== null && !Array.isArray(inputs)) kept.inputs = inputs as Kept["inputs"];
    if (Array.isArray(breakpoints)) kept.breakpoints = breakpoints.filter((each) => typeof each === "string");
    if (typeof run === "string") kept.run = run;
  } catch {
    // not ours, or broken: nothing is remembered
  }
  return kept;
}
