// SPDX-License-Identifier: Apache-2.0
/**
 * What is known of a run: the fold of its facts, one `RunMessage` after the other.
 *
 * Pure. Steps that a message says nothing of stay the same objects, so that only the
 * node that changed is drawn again.
 */

import type { RunMessage, RunSummary, RunView, StepRunView, ValueView } from "../api/types";
import { own } from "../state/own";

/** A step of a run, with what only the page needs to know. */
export interface StepRun extends StepRunView {
  /** When it began, in seconds since 1970. */
  startedAt?: number;
  /** Tokens in a second of the model's own time. */
  pace?: number;
}

export interface Run extends RunView {
  steps: Record<string, StepRun>;
}

type Fact = RunMessage["fact"];
type StatusWord = RunSummary["status"];

export const CUT_SHORT = "stopped before it was done";

const KEPT_TEXT = 8192; // characters, as in lao.events.state

/** The run before its first fact; what is known of it whole is kept. */
export function beginning(view: RunView): Run {
  return { ...view, sequence: 0, steps: {}, outputs: {}, violations: [] };
}

/** The step of which nothing is known yet. */
export const WAITING: StepRun = {
  status: "waiting",
  model: "",
  seconds: 0,
  tokens_in: null,
  tokens_out: null,
  is_cached: false,
  attempts: 1,
  retries: 0,
  items: null,
  items_done: 0,
  progress: null,
  code: "",
  why: "",
  mend: "",
  notes: [],
  text: "",
  output: null,
  worker: "",
};

/** What is known once all the messages are. */
export function fold(run: Run, messages: Iterable<RunMessage>): Run {
  let known = run;
  for (const message of messages) known = applyMessage(known, message);
  return known;
}

/** What is known of a run once one more message is; one that is known changes nothing. */
export function applyMessage(run: Run, message: RunMessage): Run {
  const isText = message.kind === "text-produced" || message.kind === "progress-made";
  if (!isText && message.sequence <= run.sequence) return run;
  const next = afterFact(run, message);
  const sequence = Math.max(run.sequence, message.sequence);
  return next.sequence === sequence ? next : { ...next, sequence };
}

function afterFact(run: Run, message: RunMessage): Run {
  const fact = message.fact;
  switch (message.kind) {
    case "run-started":
      return {
        ...run,
        ...placeOf(run, fact),
        steps: Object.fromEntries(texts(fact, "steps").map((id) => [id, WAITING])),
        outputs: {},
        violations: [],
        summary: {
          ...run.summary,
          workflow: text(fact, "workflow") || run.summary.workflow,
          status: "running",
          started: message.time,
          seconds: null,
          steps: texts(fact, "steps").length,
          done: 0,
        },
      };
    case "run-resumed":
      return resumed(run, fact);
    case "run-finished":
      return finished(run, fact);
    case "policy-violated": {
      const where = text(fact, "step");
      const words = `${where ? `${where}: ` : ""}${text(fact, "what")} [${text(fact, "code")}]`;
      return { ...run, violations: [...run.violations, words] };
    }
    default:
      return afterStepFact(run, message, fact);
  }
}

function afterStepFact(run: Run, message: RunMessage, fact: Fact): Run {
  const id = text(fact, "step");
  if (!id) return run;
  const old = own(run.steps, id) ?? WAITING;
  const step = stepAfter(old, message, fact);
  if (step === old) return run;
  const steps = { ...run.steps, [id]: step };
  const done = run.summary.done + Number(step.status === "done") - Number(old.status === "done");
  const summary = done === run.summary.done ? run.summary : { ...run.summary, done };
  return { ...run, steps, summary };
}

/** What is known of a step once a fact about it is. */
function stepAfter(step: StepRun, message: RunMessage, fact: Fact): StepRun {
  switch (message.kind) {
    case "step-started":
      return {
        ...WAITING,
        status: "running",
        model: text(fact, "model"),
        items: number(fact, "items"),
        items_done: step.items_done,
        worker: step.worker,
        startedAt: message.time,
      };
    case "worker-locked":
      return { ...step, worker: text(fact, "level") };
    case "text-produced": {
      const piece = text(fact, "text");
      const before = fact["whole"] === true ? "" : step.text;
      return { ...step, text: (before + piece).slice(-KEPT_TEXT) };
    }
    case "progress-made": {
      const progress: [number, number, string] = [
        number(fact, "done") ?? 0,
        number(fact, "total") ?? 0,
        text(fact, "unit"),
      ];
      return { ...step, progress };
    }
    case "step-retried":
      return { ...step, retries: step.retries + 1, text: "", progress: null };
    case "fallback-chosen":
      return { ...step, model: text(fact, "model"), text: "", progress: null };
    case "item-finished":
      return { ...step, items_done: step.items_done + 1, progress: null };
    case "step-finished":
      return doneStep(step, message, fact);
    case "step-failed":
      return {
        ...step,
        status: "failed",
        progress: null,
        code: text(fact, "code"),
        why: text(fact, "what"),
        mend: text(fact, "mend"),
        seconds: step.startedAt ? Math.max(0, message.time - step.startedAt) : step.seconds,
      };
    case "step-skipped":
      return { ...step, status: "skipped", why: text(fact, "reason"), output: message.output };
    default:
      return step;
  }
}

function doneStep(step: StepRun, message: RunMessage, fact: Fact): StepRun {
  const tokens = number(fact, "tokens_out");
  const modelSeconds = number(fact, "model_seconds");
  const done: StepRun = {
    ...step,
    status: "done",
    model: step.model || text(fact, "made_by"),
    seconds: number(fact, "seconds") ?? 0,
    tokens_in: number(fact, "tokens_in"),
    tokens_out: tokens,
    attempts: number(fact, "attempts") ?? 1,
    is_cached: fact["cached"] === true,
    notes: texts(fact, "notes"),
    progress: null,
    text: "",
    output: message.output,
  };
  return tokens && modelSeconds ? { ...done, pace: tokens / modelSeconds } : done;
}

function resumed(run: Run, fact: Fact): Run {
  const recalled = new Set(texts(fact, "recalled"));
  const cutOff = record(fact, "items");
  const steps: Record<string, StepRun> = {};
  for (const [id, step] of Object.entries(run.steps)) {
    const items = own(cutOff, id);
    steps[id] = recalled.has(id) ? step : { ...WAITING, items_done: typeof items === "number" ? items : 0 };
  }
  const summary = { ...run.summary, status: "running" as StatusWord, done: recalled.size };
  return { ...run, ...placeOf(run, fact), steps, outputs: {}, summary };
}

function finished(run: Run, fact: Fact): Run {
  const status = text(fact, "status");
  const summary: RunSummary = {
    ...run.summary,
    status: isStatus(status) ? status : "done",
    seconds: (run.summary.seconds ?? 0) + (number(fact, "seconds") ?? 0),
  };
  const outputs = record(fact, "outputs") as unknown as Record<string, ValueView>;
  const steps = Object.fromEntries(
    Object.entries(run.steps).map(([id, step]) => [id, step.status === "running" ? cutShort(step) : step]),
  );
  return { ...run, steps, outputs, summary };
}

/** A step that was at work when its run ended did not fail: it was stopped. */
function cutShort(step: StepRun): StepRun {
  return { ...step, status: "skipped", why: CUT_SHORT, progress: null };
}

function placeOf(run: Run, fact: Fact): Pick<Run, "locality" | "level" | "layers"> {
  const layers = record(fact, "layers");
  return {
    locality: text(fact, "locality") || run.locality,
    level: text(fact, "level") || run.level,
    layers: Object.keys(layers).length > 0 ? (layers as Run["layers"]) : run.layers,
  };
}

function isStatus(word: string): word is StatusWord {
  return ["running", "done", "failed", "cancelled", "interrupted"].includes(word);
}

// -- reading a fact: it is JSON, decoded here once

export function text(fact: Fact, name: string): string {
  const value = fact[name];
  return typeof value === "string" ? value : "";
}

export function number(fact: Fact, name: string): number | null {
  const value = fact[name];
  return typeof value === "number" ? value : null;
}

export function texts(fact: Fact, name: string): string[] {
  const value = fact[name];
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === "string") : [];
}

export function record(fact: Fact, name: string): Record<string, unknown> {
  const value = fact[name];
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}
