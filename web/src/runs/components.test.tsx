// @vitest-environment happy-dom
// SPDX-License-Identifier: Apache-2.0
import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { RunView } from "../api/types";
import { Diff } from "./Diff";
import { type Run, WAITING } from "./fold";
import { NodeBody } from "./NodeBody";
import { hear } from "./pace";
import { RunLog } from "./RunLog";
import { changeRuns, runs } from "./store";

const PATH = "meeting.yaml";
let root: Root;
let place: HTMLElement;

beforeEach(() => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
  place = document.body.appendChild(document.createElement("div"));
  root = createRoot(place);
});

afterEach(() => {
  act(() => root.unmount());
  place.remove();
  runs.set(() => ({}));
});

function runWith(steps: Run["steps"], status: RunView["summary"]["status"] = "running"): Run {
  const summary = { id: "r1", name: "18", workflow: "", status, started: 0, seconds: null, steps: 1, done: 0, paused_before: [] };
  return { summary, sequence: 1, locality: "", level: "", layers: {}, inputs: {}, given: {}, steps, outputs: {}, violations: [] };
}

describe("NodeBody", () => {
  const show = () => act(() => root.render(<NodeBody path={PATH} step="a" />));

  it("says before a run what would become of the step, and why", () => {
    changeRuns(PATH, { forecast: { steps: { a: { status: "will run", reason: "the prompt changed", changed: [] } }, problems: [] } });
    show();
    expect(place.textContent).toBe("will run: the prompt changed");
  });

  it("says why a step failed and how to mend it, as text and nothing else", () => {
    const hostile = '<img src="x" onerror="alert(1)">';
    changeRuns(PATH, { current: runWith({ a: { ...WAITING, status: "failed", code: "model.gone", why: hostile, mend: "start it" } }) });
    show();
    expect(place.textContent).toContain(hostile);
    expect(place.textContent).toContain("start it");
    expect(place.textContent).toContain("model.gone");
    expect(place.querySelector("img")).toBeNull();
  });

  it("lets tokens into the page without rendering anything", async () => {
    changeRuns(PATH, { current: runWith({ a: { ...WAITING, status: "running", startedAt: 0 } }) });
    show();
    const before = place.querySelector(".run-state")?.innerHTML;
    hear(PATH, { sequence: 2, time: 0, kind: "text-produced", fact: { step: "a", text: "Good morning" }, output: null });
    await new Promise((resolve) => requestAnimationFrame(resolve));
    await new Promise((resolve) => requestAnimationFrame(resolve));
    expect(place.querySelector(".value-stream")?.textContent).toBe("Good morning");
    expect(place.querySelector(".run-state")?.innerHTML).toBe(before);
  });

  it("tells a step that was stopped from one that was never reached", () => {
    const cut = { ...WAITING, status: "skipped" as const, why: "stopped before it was done" };
    changeRuns(PATH, { current: runWith({ a: cut }, "cancelled") });
    show();
    expect(place.textContent).toBe("stopped");
    act(() => changeRuns(PATH, { current: runWith({ a: WAITING }, "cancelled") }));
    expect(place.textContent).toBe("not run");
  });
});

describe("RunLog", () => {
  it("has only the rows in sight in the page", () => {
    const log = Array.from({ length: 5000 }, (_, item) => ({
      sequence: item + 1,
      time: item,
      kind: "item-finished",
      fact: { step: "a", item },
      output: null,
    }));
    changeRuns(PATH, { current: runWith({ a: WAITING }), log });
    act(() => root.render(<RunLog path={PATH} />));
    const rows = place.querySelectorAll(".run-line").length;
    expect(rows).toBeGreaterThan(5);
    expect(rows).toBeLessThan(100);
  });
});

describe("Diff", () => {
  it("marks the lines that differ, and offers trees of JSON", () => {
    act(() => root.render(<Diff name="out" before={'{"a": 1}'} after={'{"a": 2}'} />));
    expect([...place.querySelectorAll("td.bad, td.good")].map((cell) => cell.textContent)).toEqual([
      'before:   "a": 1',
      'after:   "a": 2',
    ]);
    act(() => [...place.querySelectorAll("button")].find((button) => button.textContent === "Trees")?.click());
    expect(place.querySelectorAll('[role="tree"]')).toHaveLength(2);
  });
});
