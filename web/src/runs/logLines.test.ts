// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";

import type { RunMessage } from "../api/types";
import { asText, logLines } from "./logLines";

function told(kind: string, fact: RunMessage["fact"]): string[] {
  return logLines([{ sequence: 1, time: 5, kind, fact, output: null }]).map((line) => `${line.tone}: ${line.words}`);
}

describe("the log's words", () => {
  it("tell of a step from its start to its end", () => {
    expect(told("step-started", { step: "a", model: "whisper.cpp:/models/ggml-base.en.bin", items: 3 })).toEqual([
      "plain: started with whisper.cpp base.en on 3 elements",
    ]);
    expect(told("worker-locked", { step: "a", worker: "ollama:x", level: "L3" })).toEqual([
      "plain: worker ollama x locked at L3",
    ]);
    const done = { step: "a", seconds: 2, tokens_in: 1200, tokens_out: 80, model_seconds: 2, attempts: 2, notes: ["cut"] };
    expect(told("step-finished", done)).toEqual([
      "good: done in 2.0 s · 1,200 tokens in · 80 tokens out · 40 tok/s · 2 attempts",
      "plain: note: cut",
    ]);
    expect(told("step-finished", { step: "a", cached: true })).toEqual(["good: done, from the cache"]);
  });

  it("say what failed, and how to mend it", () => {
    expect(told("step-failed", { step: "a", code: "model.gone", what: "it is\ngone", mend: "start it" })).toEqual([
      "bad: failed: it is gone [model.gone]",
      "bad: mend: start it",
    ]);
    const retry = { step: "a", attempt: 1, code: "model.slow", what: "too slow", delay: 0.5, item: 2 };
    expect(told("step-retried", retry)).toEqual([
      "warn: attempt 1 failed (element 3): too slow; again in 0.5 s [model.slow]",
    ]);
    expect(told("policy-violated", { step: "a", code: "policy.outside", what: "connect to 1.1.1.1" })).toEqual([
      "bad: stopped by the lock: connect to 1.1.1.1 [policy.outside]",
    ]);
  });

  it("leave out what they do not know", () => {
    expect(told("moon-phase", {})).toEqual([]);
  });

  it("are copied with times and steps", () => {
    const lines = logLines([
      { sequence: 1, time: 10, kind: "run-started", fact: { steps: ["a"] }, output: null },
      { sequence: 2, time: 71.25, kind: "step-skipped", fact: { step: "a", reason: "no need" }, output: null },
    ]);
    expect(asText(lines)).toBe("00:00.0  run started: 1 step\n01:01.2  a  skipped: no need\n");
  });
});
