// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";

import type { EdgeView, StepView } from "../api/types";
import { nextBreakpoints, readBy, runOrder } from "./breakpoints";

function graph(ids: string, ...links: string[]) {
  const steps = [...ids].map((id) => ({ id }) as StepView);
  const edges = links.map((link): EdgeView => {
    const [source = "", target = ""] = link.split(">");
    return { source, target, port: "input", kind: "data" };
  });
  return { steps, edges };
}

const LINE = graph("cba", "inputs.x>a", "a>b", "b>c");

describe("breakpoints", () => {
  it("are met in the order of the run, not of the file", () => {
    expect(runOrder(LINE)).toEqual(["a", "b", "c"]);
    expect(nextBreakpoints(LINE, ["c", "b"], {})).toEqual(["b"]);
  });

  it("are not met twice", () => {
    expect(nextBreakpoints(LINE, ["c", "b"], { past: ["a", "b"] })).toEqual(["c"]);
    expect(nextBreakpoints(LINE, ["b"], { past: ["b"] })).toEqual([]);
  });

  it("count only in the part that runs", () => {
    expect(nextBreakpoints(LINE, ["c"], { until: "b" })).toEqual([]);
    expect(nextBreakpoints(LINE, ["a", "c"], { start: "b" })).toEqual(["c"]);
  });

  it("hold on every way, and only the first of each", () => {
    const fork = graph("abcde", "a>b", "a>c", "b>d", "c>e");
    expect(nextBreakpoints(fork, ["e", "c", "b"], {})).toEqual(["b", "c"]);
    expect(nextBreakpoints(fork, ["e", "c", "b"], { past: ["a", "b", "c"] })).toEqual(["e"]);
  });

  it("are forgotten with their step", () => {
    expect(nextBreakpoints(LINE, ["gone"], {})).toEqual([]);
  });

  it("come to an end in a circle", () => {
    expect(runOrder(graph("ab", "a>b", "b>a"))).toHaveLength(2);
  });

  it("show the outputs that the step reads, each once and no inputs", () => {
    expect(readBy(graph("abc", "a>c", "a>c", "inputs.x>c"), "c")).toEqual(["a"]);
  });
});
