// @vitest-environment happy-dom
// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { RunMessage, RunSummary, RunView, ValueView } from "../api/types";
import { BEGINNING, textSince } from "../values/streams";
import { findRuns, followRun, leaveRuns } from "./following";
import { changeRuns, runs, runsOf } from "./store";

const PATH = "meeting.yaml";
const SUMMARY: RunSummary = {
  id: "r1",
  name: "18",
  workflow: "meeting",
  status: "running",
  started: 100,
  seconds: null,
  steps: 1,
  done: 0,
  paused_before: [],
};

function view(change: Partial<RunView> = {}): RunView {
  return {
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
    ...change,
  };
}

function fact(sequence: number, kind: string, told: RunMessage["fact"], output: ValueView | null = null): RunMessage {
  return { sequence, time: 100 + sequence, kind, fact: told, output };
}

const STARTED = fact(1, "run-started", { workflow: "meeting", steps: ["a"] });
const BEGUN = fact(2, "step-started", { step: "a", model: "m", items: null });

/** A server of one run, whose stream each test writes. */
class Server {
  final = view({ summary: { ...SUMMARY, status: "done", paused_before: ["b"] } });
  history: RunSummary[] = [];
  asked: string[] = [];
  private streams: ReadableStreamDefaultController<Uint8Array>[] = [];

  readonly fetch = (target: string): Promise<Response> => {
    this.asked.push(target);
    if (target.startsWith("/api/run/events")) {
      const body = new ReadableStream<Uint8Array>({ start: (controller) => void this.streams.push(controller) });
      return Promise.resolve(new Response(body));
    }
    const reply = target.startsWith("/api/runs") ? this.history : this.final;
    return Promise.resolve(Response.json(reply));
  };

  send(...messages: RunMessage[]): void {
    const text = messages.map((each) => `id: ${each.sequence}\ndata: ${JSON.stringify(each)}\n\n`).join("");
    this.streams.at(-1)?.enqueue(new TextEncoder().encode(text));
  }

  close(): void {
    this.streams.at(-1)?.close();
  }

  break(): void {
    this.streams.at(-1)?.error(new TypeError("the server is gone"));
  }
}

let server: Server;

beforeEach(() => {
  server = new Server();
  vi.stubGlobal("fetch", server.fetch);
  sessionStorage.clear();
});

afterEach(() => {
  leaveRuns(PATH);
  runs.set(() => ({}));
  vi.unstubAllGlobals();
});

const current = () => runsOf(PATH).current;

function said(): string {
  return textSince(PATH, "a", BEGINNING).text;
}

describe("following a run", () => {
  it("folds facts, and lets tokens go past the state", async () => {
    followRun(PATH, view());
    await vi.waitFor(() => expect(server.asked).toHaveLength(1));
    server.send(STARTED, BEGUN);
    await vi.waitFor(() => expect(current()?.steps["a"]?.status).toBe("running"));
    const before = runs.get();
    server.send(fact(3, "text-produced", { step: "a", text: "Good " }), fact(4, "text-produced", { step: "a", text: "morning" }));
    await vi.waitFor(() => expect(said()).toBe("Good morning"));
    expect(runs.get()).toBe(before);
    server.send(fact(5, "text-produced", { step: "a", text: "Good evening", whole: true }));
    await vi.waitFor(() => expect(said()).toBe("Good evening"));
  });

  it("shows one of the voices where the elements of a list speak at once", async () => {
    followRun(PATH, view());
    await vi.waitFor(() => expect(server.asked).toHaveLength(1));
    server.send(
      STARTED,
      BEGUN,
      fact(3, "text-produced", { step: "a", text: "one ", item: 0 }),
      fact(4, "text-produced", { step: "a", text: "TWO ", item: 1 }),
      fact(5, "text-produced", { step: "a", text: "one", item: 0 }),
    );
    await vi.waitFor(() => expect(said()).toBe("one one"));
    server.send(fact(6, "item-finished", { step: "a", item: 0 }), fact(7, "text-produced", { step: "a", text: "TWO", item: 1 }));
    await vi.waitFor(() => expect(said()).toBe("TWO"));
  });

  it("goes on after the last fact where the stream broke", async () => {
    followRun(PATH, view());
    await vi.waitFor(() => expect(server.asked).toHaveLength(1));
    server.send(STARTED, BEGUN);
    await vi.waitFor(() => expect(current()?.steps["a"]?.status).toBe("running"));
    server.break();
    await vi.waitFor(() => expect(runsOf(PATH).isLost).toBe(true));
    await vi.waitFor(() => expect(server.asked.at(-1)).toContain("after=2"));
    server.send(fact(3, "step-finished", { step: "a", seconds: 1 }));
    await vi.waitFor(() => expect(current()?.steps["a"]?.status).toBe("done"));
    expect(runsOf(PATH).isLost).toBe(false);
    expect(runsOf(PATH).log.map((each) => each.sequence)).toEqual([1, 2, 3]);
  });

  it("ends with what the server knows of the run, such as a pause", async () => {
    server.history = [server.final.summary];
    followRun(PATH, view());
    await vi.waitFor(() => expect(server.asked).toHaveLength(1));
    server.send(STARTED, fact(2, "run-finished", { status: "done", outputs: {}, seconds: 2 }));
    server.close();
    await vi.waitFor(() => expect(current()?.summary.paused_before).toEqual(["b"]));
    await vi.waitFor(() => expect(runsOf(PATH).history).toHaveLength(1));
  });

  it("finds the run of a file that goes on, after a reload of the page", async () => {
    server.history = [SUMMARY];
    const running = { ...view().steps, a: { status: "running", text: "Good mor" } } as unknown as RunView["steps"];
    server.final = view({ sequence: 2, steps: running });
    await findRuns(PATH);
    await vi.waitFor(() => expect(server.asked.some((each) => each.includes("events"))).toBe(true));
    expect(current()?.steps["a"]?.status).toBe("running");
    server.send(STARTED);
    server.send(BEGUN);
    await vi.waitFor(() => expect(runsOf(PATH).log).toHaveLength(2));
    expect(said()).toBe("Good mor");
    expect(current()?.steps["a"]?.startedAt).toBe(102);
  });

  it("has caught up once it heard the last piece of text, which no fact counts", async () => {
    followRun(PATH, view({ sequence: 40 }));
    await vi.waitFor(() => expect(server.asked).toHaveLength(1));
    server.send(STARTED, BEGUN, fact(41, "text-produced", { step: "a", text: "Good morning", whole: true }));
    await vi.waitFor(() => expect(runsOf(PATH).log).toHaveLength(2));
    expect(said()).toBe("Good morning");
  });

  it("remembers inputs, breakpoints and the last run of a tab", async () => {
    changeRuns(PATH, { inputs: { topic: "birds" }, breakpoints: ["a"], current: server.final });
    runs.set(() => ({}));
    server.history = [server.final.summary];
    await findRuns(PATH);
    expect(runsOf(PATH)).toMatchObject({ inputs: { topic: "birds" }, breakpoints: ["a"] });
    expect(current()?.summary.id).toBe("r1");
  });
});
