// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";

import { MEETING } from "./fixtures";
import { marked, toEdges, toNodes } from "./flow";
import { placeNodes } from "./layout";
import { search } from "./search";
import { firstView, showing } from "./viewport";

const PLACES = placeNodes(MEETING);
const again = structuredClone(MEETING);

describe("what is drawn", () => {
  test("nothing that stayed the same is a new object", () => {
    const nodes = toNodes(MEETING, PLACES);
    const next = toNodes(again, PLACES, { old: nodes });
    expect(next.every((node, index) => node === nodes[index])).toBe(true);
    const edges = toEdges(MEETING);
    expect(toEdges(again, edges).every((edge, index) => edge === edges[index])).toBe(true);
  });

  test("a changed step is one new node, and a moved one keeps its data", () => {
    const nodes = toNodes(MEETING, PLACES);
    const changed = { ...again, steps: again.steps.map((each) => (each.id === "summary" ? { ...each, model: "other" } : each)) };
    const next = toNodes(changed, PLACES, { old: nodes });
    expect(next.filter((node, index) => node !== nodes[index]).map((node) => node.id)).toEqual(["summary"]);
    const moved = toNodes(again, new Map([...PLACES, ["summary", { x: 0, y: 0 }]]), { old: nodes });
    expect(moved.find((node) => node.id === "summary")!.data).toBe(nodes.find((node) => node.id === "summary")!.data);
  });

  test("a place that is being sent is shown before the server has answered", () => {
    const [node] = toNodes(MEETING, PLACES, { moving: new Map([["inputs.recording", { x: 8, y: 16 }]]) });
    expect(node!.position).toEqual({ x: 8, y: 16 });
  });

  test("choosing one node touches one object", () => {
    const nodes = toNodes(MEETING, PLACES);
    const next = marked(nodes, ["summary"]);
    expect(next.filter((node, index) => node !== nodes[index]).map((node) => node.id)).toEqual(["summary"]);
    expect(marked(next, ["summary"])).toBe(next);
  });

  test("problems stand at their step", () => {
    const problem = { code: "x", what: "no such model", mend: "", line: 1, column: 1, step: "summary", severity: "problem" as const };
    const nodes = toNodes({ ...MEETING, problems: [problem] }, PLACES);
    expect(nodes.find((node) => node.id === "summary")!.data).toMatchObject({ problems: ["no such model"] });
  });
});

describe("the view", () => {
  const room = { width: 1000, height: 600 };

  test("a small graph is seen whole, a large one from its beginning and readable", () => {
    expect(firstView([{ x: 0, y: 0, width: 500, height: 200 }], room).zoom).toBe(1);
    const large = firstView([{ x: 0, y: 0, width: 240, height: 120 }, { x: 9000, y: 4000, width: 240, height: 120 }], room);
    expect(large.zoom).toBeGreaterThanOrEqual(0.6);
    expect(large.x).toBeGreaterThan(0);
  });

  test("what is in view does not move it", () => {
    const view = { x: 0, y: 0, zoom: 1 };
    expect(showing(view, { x: 100, y: 100, width: 240, height: 120 }, room)).toBe(view);
    expect(showing(view, { x: 2000, y: 100, width: 240, height: 120 }, room).x).toBeLessThan(0);
  });
});

describe("search", () => {
  test("the beginning of a name comes before its middle, and that before its description", () => {
    const items = [{ label: "Sort", detail: "by summary" }, { label: "Re-summarize" }, { label: "Summarize" }, { label: "Other" }];
    expect(search(items, "summ").map((item) => item.label)).toEqual(["Summarize", "Re-summarize", "Sort"]);
  });
});
