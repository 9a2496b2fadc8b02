// SPDX-License-Identifier: Apache-2.0
/** Beginning, stopping and going on with runs; pins and breakpoints. */

import { api, ApiError, problem } from "../api/client";
import type {
  CancelRequest,
  DocumentView,
  JsonValue,
  PinRequest,
  PinsView,
  ProblemView,
  RunReply,
  RunRequest,
  RunView,
} from "../api/types";
import { toast, toastProblems } from "../shell/toasts";
import { documents, load, progress } from "../state/documents";
import { noteLost } from "../state/workspace";
import { nextBreakpoints } from "./breakpoints";
import { followRun } from "./following";
import { fromRun, givenInputs, missingInputs } from "./inputs";
import { changeRuns, isRunning, type RunChoice, runsOf, shownRun } from "./store";
import { own } from "../state/own";

/** Runs the working text; asks for inputs first, where some are missing. */
export async function startRun(path: string, choice: RunChoice = {}): Promise<void> {
  const document = await settled(path);
  if (!document || isRunning(runsOf(path)) || !canRun(document)) return;
  if (missingInputs(document.inputs, runsOf(path).inputs).length > 0) return changeRuns(path, { asking: choice });
  await begin(path, choice);
}

/** Asks for the inputs though all are known, and then runs. */
export function askInputs(path: string, choice: RunChoice = {}): void {
  changeRuns(path, { asking: choice, problems: [] });
}

/** The dialog was answered. */
export async function startWith(path: string, inputs: Record<string, JsonValue>): Promise<void> {
  const choice = runsOf(path).asking ?? {};
  changeRuns(path, { inputs, asking: null });
  await begin(path, choice);
}

/** Runs the working text again with what an earlier run was given. */
export async function runAgain(path: string, run: RunView): Promise<void> {
  takeInputsOf(path, run);
  await startRun(path);
}

export function takeInputsOf(path: string, run: RunView): void {
  changeRuns(path, { inputs: { ...runsOf(path).inputs, ...fromRun(run.given) } });
}

/** Goes on after a pause; `edited` are outputs that take the place of what steps gave. */
export async function goOn(path: string, edited: Record<string, JsonValue>): Promise<void> {
  const { current, choice } = runsOf(path);
  const pausedBefore = current?.summary.paused_before ?? [];
  if (!current || pausedBefore.length === 0) return;
  const done = Object.keys(current.steps).filter((id) => current.steps[id]?.status === "done");
  const further = { continues: current.summary.id, edited, past: [...done, ...pausedBefore] };
  await begin(path, { ...(choice.until === undefined ? {} : { until: choice.until }) }, further);
}

/** The pause is over, and what follows does not run. */
export function dismissPause(path: string): void {
  const { current } = runsOf(path);
  if (current) changeRuns(path, { current: { ...current, summary: { ...current.summary, paused_before: [] } } });
}

export async function cancelRun(path: string): Promise<void> {
  const { current, isStopping } = runsOf(path);
  if (current?.summary.status !== "running" || isStopping) return;
  changeRuns(path, { isStopping: true });
  const request: CancelRequest = { run: current.summary.id };
  try {
    await api.post<object>("/api/runs/cancel", request);
  } catch (error) {
    changeRuns(path, { isStopping: false });
    toastProblems(problemsOf(error));
  }
}

/** The problems of a file that stand in the way of a run. */
export function blockers(document: DocumentView): ProblemView[] {
  return document.problems.filter((each) => each.severity === "problem");
}

function canRun(document: DocumentView): boolean {
  return blockers(document).length === 0 && document.steps.length > 0;
}

interface Further {
  continues?: string;
  edited?: Record<string, JsonValue>;
  past?: string[];
}

async function begin(path: string, choice: RunChoice, { past = [], ...further }: Further = {}): Promise<void> {
  const document = await settled(path);
  if (!document || isRunning(runsOf(path))) return;
  changeRuns(path, { isStarting: true, problems: [], shown: null, choice });
  const { breakpoints } = runsOf(path);
  const request = (version: number, from: DocumentView): RunRequest => ({
    path,
    version,
    // A run that is gone on with takes the inputs it had.
    inputs: further.continues === undefined ? givenInputs(from.inputs, runsOf(path).inputs) : {},
    start: choice.start ?? null,
    until: choice.until ?? null,
    refresh: choice.refresh ?? [],
    no_cache: choice.noCache ?? false,
    pause_before: nextBreakpoints(from, breakpoints, { ...choice, past }),
    ...further,
  });
  try {
    const { run } = await asked(path, document, request);
    followRun(path, await api.get<RunView>("/api/run", { id: run }));
  } catch (error) {
    changeRuns(path, { problems: problemsOf(error) });
  } finally {
    changeRuns(path, { isStarting: false });
  }
}

/** Asks for a run; once more if the file had changed meanwhile. */
async function asked(
  path: string,
  document: DocumentView,
  request: (version: number, from: DocumentView) => RunRequest,
): Promise<RunReply> {
  try {
    return await api.post<RunReply>("/api/runs", request(document.version, document));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 409) throw error;
    await load(path);
    const newer = documents.get()[path];
    if (!newer || newer.version === document.version) throw error;
    return api.post<RunReply>("/api/runs", request(newer.version, newer));
  }
}

/** The document once every edit that is under way has arrived. */
async function settled(path: string): Promise<DocumentView | null> {
  if (progress.get()[path]?.isBusy) {
    await new Promise<void>((resolve) => {
      const stop = progress.subscribe(() => {
        if (progress.get()[path]?.isBusy) return;
        stop();
        resolve();
      });
    });
  }
  return documents.get()[path] ?? null;
}

export function problemsOf(error: unknown): ProblemView[] {
  if (!(error instanceof ApiError)) throw error;
  noteLost(error);
  return error.problems.length > 0 ? error.problems : [problem("page.refused", error.message)];
}

// -- breakpoints and pins

export function toggleBreakpoint(path: string, step: string): void {
  const { breakpoints } = runsOf(path);
  const without = breakpoints.filter((each) => each !== step);
  changeRuns(path, { breakpoints: without.length < breakpoints.length ? without : [...breakpoints, step] });
}

export async function loadPins(path: string): Promise<void> {
  try {
    changeRuns(path, { pins: (await api.get<PinsView>("/api/pins", { path })).pins });
  } catch (error) {
    problemsOf(error); // shown by the connection's banner, if at all
  }
}

/** Keeps using the output that a step had in the run that is shown, or no longer. */
export async function togglePin(path: string, step: string): Promise<void> {
  const file = runsOf(path);
  const run = shownRun(file);
  const isPinned = own(file.pins, step) !== undefined;
  if (!isPinned && own(run?.steps, step)?.status !== "done") {
    return toast(`${step} has no output to pin yet: run it first`, "note");
  }
  const request: PinRequest = { path, step, run: isPinned ? null : (run?.summary.id ?? null) };
  try {
    changeRuns(path, { pins: (await api.post<PinsView>("/api/pins", request)).pins });
  } catch (error) {
    toastProblems(problemsOf(error));
  }
}
