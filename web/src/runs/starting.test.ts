// @vitest-environment happy-dom
// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { DocumentView, ProblemView, RunRequest, RunView, StepRunView } from "../api/types";
import { documents } from "../state/documents";
import { leaveRuns } from "./following";
import { goOn, startRun, startWith, togglePin } from "./starting";
import { changeRuns, runs, runsOf } from "./store";

const PATH = "meeting.yaml";

function file(change: Partial<DocumentView> = {}): DocumentView {
  const step = (id: string) => ({ id }) as DocumentView["steps"][number];
  return {
    path: PATH,
    version: 3,
    inputs: [],
    steps: [step("a"), step("b"), step("c")],
    edges: [
      { source: "a", target: "b", port: "input", kind: "data" },
      { source: "b", target: "c", port: "input", kind: "data" },
    ],
    problems: [],
    ...change,
  } as unknown as DocumentView;
}

const SUMMARY: RunView["summary"] = {
  id: "r1",
  name: "1",
  workflow: "",
  status: "running",
  started: 0,
  seconds: null,
  steps: 3,
  done: 0,
  paused_before: [],
};

const VIEW: RunView = {
  summary: SUMMARY,
  sequence: 0,
  locality: "",
  level: "",
  layers: {},
  inputs: {},
  given: {},
  steps: {},
  outputs: {},
  violations: [],
};

let asked: [target: string, body: unknown][];
let refusals: Response[];

beforeEach(() => {
  asked = [];
  refusals = [];
  vi.stubGlobal("fetch", (target: string, init?: RequestInit): Promise<Response> => {
    if (init?.body) {
      asked.push([target, JSON.parse(String(init.body))]);
      const refusal = refusals.shift();
      if (refusal) return Promise.resolve(refusal);
    }
    if (target.startsWith("/api/run/events")) return Promise.resolve(new Response(new ReadableStream()));
    if (target === "/api/pins") return Promise.resolve(Response.json({ pins: { a: "r1" } }));
    if (target.startsWith("/api/document")) return Promise.resolve(Response.json(file({ version: 4 })));
    return Promise.resolve(Response.json(target === "/api/runs" ? { run: "r1" } : VIEW));
  });
  sessionStorage.clear();
  documents.set(() => ({ [PATH]: file() }));
});

afterEach(() => {
  leaveRuns(PATH);
  runs.set(() => ({}));
  vi.unstubAllGlobals();
});

const requests = () => asked.filter(([target]) => target === "/api/runs").map(([, body]) => body as RunRequest);

function problem(code: string): ProblemView {
  return { code, what: "it is so", mend: "", line: 0, column: 0, step: "", severity: "problem" };
}

describe("starting a run", () => {
  it("runs the version that is open, and follows it", async () => {
    await startRun(PATH, { start: "b" });
    expect(requests()).toMatchObject([{ path: PATH, version: 3, start: "b", until: null, pause_before: [] }]);
    expect(runsOf(PATH).current?.summary.id).toBe("r1");
  });

  it("asks for inputs first, and then keeps them", async () => {
    const input = { name: "x", type: "text", description: "", default: null, is_required: true, position: null };
    documents.set(() => ({ [PATH]: file({ inputs: [input] }) }));
    await startRun(PATH, { until: "b" });
    expect(requests()).toEqual([]);
    expect(runsOf(PATH).asking).toEqual({ until: "b" });
    await startWith(PATH, { x: "birds" });
    expect(requests()).toMatchObject([{ inputs: { x: "birds" }, until: "b" }]);
    expect(runsOf(PATH)).toMatchObject({ asking: null, inputs: { x: "birds" } });
  });

  it("does not start what has problems, nor twice at once", async () => {
    documents.set(() => ({ [PATH]: file({ problems: [problem("workflow.x")] }) }));
    await startRun(PATH);
    documents.set(() => ({ [PATH]: file() }));
    await Promise.all([startRun(PATH), startRun(PATH)]);
    expect(requests()).toHaveLength(1);
  });

  it("asks again for the newer version where the file changed meanwhile", async () => {
    refusals.push(Response.json({ problems: [problem("editor.stale")], document: null }, { status: 409 }));
    await startRun(PATH);
    expect(requests().map((each) => each.version)).toEqual([3, 4]);
    expect(runsOf(PATH).problems).toEqual([]);
  });

  it("says why a run was refused", async () => {
    refusals.push(Response.json({ problems: [problem("policy.refused")], document: null }, { status: 422 }));
    await startRun(PATH);
    expect(runsOf(PATH).problems[0]?.code).toBe("policy.refused");
    expect(runsOf(PATH).isStarting).toBe(false);
  });
});

describe("pausing", () => {
  it("stops before the first breakpoint, and goes on to the next with what was edited", async () => {
    changeRuns(PATH, { breakpoints: ["c", "b"] });
    await startRun(PATH);
    expect(requests().at(-1)?.pause_before).toEqual(["b"]);
    const a = { status: "done" } as StepRunView;
    const summary = { ...SUMMARY, status: "done" as const, paused_before: ["b"] };
    changeRuns(PATH, { current: { ...VIEW, summary, steps: { a } } });
    await goOn(PATH, { a: "edited" });
    expect(requests().at(-1)).toMatchObject({ continues: "r1", edited: { a: "edited" }, pause_before: ["c"], inputs: {} });
  });
});

describe("pins", () => {
  it("hold the output of the run that is shown, and nothing where there is none", async () => {
    await togglePin(PATH, "a");
    expect(asked).toEqual([]);
    changeRuns(PATH, { current: { ...VIEW, steps: { a: { status: "done" } as StepRunView } } });
    await togglePin(PATH, "a");
    expect(asked).toEqual([["/api/pins", { path: PATH, step: "a", run: "r1" }]]);
    await togglePin(PATH, "a");
    expect(asked.at(-1)?.[1]).toMatchObject({ run: null });
  });
});
