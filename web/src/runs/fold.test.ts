// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";

import type { JsonObject, RunMessage, RunView, ValueView } from "../api/types";
import { applyMessage, beginning, fold } from "./fold";

const VIEW: RunView = {
  summary: {
    id: "r1",
    name: "18",
    workflow: "",
    status: "running",
    started: 0,
    seconds: null,
    steps: 0,
    done: 0,
    paused_before: [],
  },
  sequence: 99,
  locality: "",
  level: "",
  layers: {},
  inputs: {},
  given: { topic: "birds" },
  steps: {},
  outputs: {},
  violations: [],
};

const VALUE: ValueView = { kind: "text", size: 2, is_whole: true, text: "ok", data: null, files: [] };

/** Numbers the facts and puts a second between them, as a run does. */
function messages(...facts: [kind: string, fact: RunMessage["fact"], output?: ValueView][]): RunMessage[] {
  return facts.map(([kind, fact, output], place) => ({
    sequence: place + 1,
    time: 100 + place,
    kind,
    fact,
    output: output ?? null,
  }));
}

const STARTED: [string, RunMessage["fact"]] = [
  "run-started",
  { workflow: "meeting", steps: ["a", "b"], locality: "0 outside connections", level: "L3", layers: { seccomp: 2 } },
];

function after(...facts: Parameters<typeof messages>) {
  return fold(beginning(VIEW), messages(STARTED, ...facts));
}

describe("the fold of a run", () => {
  it("knows the steps and the lock from the start, and what was given all along", () => {
    const run = after();
    expect(Object.values(run.steps).map((step) => step.status)).toEqual(["waiting", "waiting"]);
    expect(run).toMatchObject({ level: "L3", locality: "0 outside connections", layers: { seccomp: 2 } });
    expect(run.summary).toMatchObject({ workflow: "meeting", started: 100, steps: 2, name: "18" });
    expect(run.given).toEqual({ topic: "birds" });
  });

  it("follows a step to its end", () => {
    const run = after(
      ["step-started", { step: "a", model: "ollama:llama3.2", items: null }],
      ["worker-locked", { step: "a", worker: "ollama", level: "L3", layers: {} }],
      [
        "step-finished",
        {
          step: "a",
          made_by: "llama3.2",
          seconds: 2,
          tokens_in: 10,
          tokens_out: 80,
          model_seconds: 1.6,
          attempts: 2,
          cached: false,
          notes: ["cut"],
        },
        VALUE,
      ],
    );
    expect(run.steps["a"]).toMatchObject({
      status: "done",
      model: "ollama:llama3.2",
      worker: "L3",
      seconds: 2,
      tokens_in: 10,
      tokens_out: 80,
      attempts: 2,
      notes: ["cut"],
      output: VALUE,
      pace: 50,
      startedAt: 101,
    });
    expect(run.summary.done).toBe(1);
  });

  it("joins the pieces of a text, and replaces them by a whole one", () => {
    const pieces = messages(
      STARTED,
      ["text-produced", { step: "a", text: "Good ", item: null }],
      ["text-produced", { step: "a", text: "morn", item: null }],
      ["text-produced", { step: "a", text: "Good morning", item: null, whole: true }],
    );
    expect(fold(beginning(VIEW), pieces.slice(0, 3)).steps["a"]?.text).toBe("Good morn");
    expect(fold(beginning(VIEW), pieces).steps["a"]?.text).toBe("Good morning");
  });

  it("forgets what a failed attempt said", () => {
    const start: Parameters<typeof messages>[0] = ["step-started", { step: "a", model: "one" }];
    const said: Parameters<typeof messages>[0] = ["text-produced", { step: "a", text: "half" }];
    const progress: Parameters<typeof messages>[0] = ["progress-made", { step: "a", done: 1, total: 2, unit: "s" }];
    expect(after(start, progress).steps["a"]?.progress).toEqual([1, 2, "s"]);
    const failed = { step: "a", attempt: 1, code: "model.x", what: "no", delay: 0.5 };
    expect(after(start, said, progress, ["step-retried", failed]).steps["a"]).toMatchObject({
      retries: 1,
      text: "",
      progress: null,
    });
    expect(after(start, said, ["fallback-chosen", { ...failed, model: "two" }]).steps["a"]).toMatchObject({
      model: "two",
      text: "",
    });
  });

  it("counts the elements of a list, those taken over when it was cut off too", () => {
    const run = after(
      ["step-started", { step: "a", model: "m", items: 5 }],
      ["item-finished", { step: "a", item: 0 }, VALUE],
      ["run-resumed", { recalled: ["b"], items: { a: 1 }, level: "L2", locality: "x", layers: {} }],
      ["step-started", { step: "a", model: "m", items: 5 }],
      ["item-finished", { step: "a", item: 1 }, VALUE],
    );
    expect(run.steps["a"]).toMatchObject({ items: 5, items_done: 2, status: "running" });
    expect(run.level).toBe("L2");
  });

  it("keeps why a step failed or was skipped, and the way to mend it", () => {
    const run = after(
      ["step-started", { step: "a", model: "m" }],
      ["step-failed", { step: "a", code: "model.gone", what: "it is gone", mend: "start it", exit_code: 6 }],
      ["step-skipped", { step: "b", reason: "a failed", has_default: false, value: null }],
    );
    expect(run.steps["a"]).toMatchObject({ status: "failed", code: "model.gone", why: "it is gone", mend: "start it" });
    expect(run.steps["b"]).toMatchObject({ status: "skipped", why: "a failed" });
  });

  it("keeps violations", () => {
    const run = after(["policy-violated", { step: "a", code: "policy.outside", what: "tried to connect" }]);
    expect(run.violations).toEqual(["a: tried to connect [policy.outside]"]);
  });

  it("ends with the outputs, and leaves no step at work", () => {
    const run = after(
      ["step-started", { step: "a", model: "m" }],
      ["run-finished", { status: "cancelled", outputs: { out: VALUE as unknown as JsonObject }, seconds: 1.5 }],
    );
    expect(run.summary).toMatchObject({ status: "cancelled", seconds: 1.5 });
    expect(run.outputs).toEqual({ out: VALUE });
    expect(run.steps["a"]?.status).toBe("skipped");
  });

  it("takes no fact twice, and leaves other steps the objects they are", () => {
    const all = messages(
      STARTED,
      ["step-started", { step: "a", model: "m", items: 2 }],
      ["item-finished", { step: "a", item: 0 }, VALUE],
    );
    const run = fold(beginning(VIEW), all);
    expect(fold(run, all)).toBe(run);
    const next = applyMessage(run, { sequence: 4, time: 1, kind: "step-started", fact: { step: "b" }, output: null });
    expect(next.steps["a"]).toBe(run.steps["a"]);
    expect(next.sequence).toBe(4);
  });

  it("is not upset by facts of a newer LAO", () => {
    const run = after();
    const next = applyMessage(run, { sequence: 9, time: 1, kind: "moon-phase", fact: { step: "a" }, output: null });
    expect(next.steps).toBe(run.steps);
  });
});
