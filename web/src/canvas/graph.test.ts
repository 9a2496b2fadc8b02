// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";

import { MEETING, documentOf, edge, step } from "./fixtures";
import { edgeById, edgeId, freeName, inOrder, outputType, reachable } from "./graph";

describe("the graph", () => {
  test("what a step reads comes before it, else the file's order stays", () => {
    const backwards = documentOf({ steps: [step("b", [], null), step("a", [], null), step("c", [], null)], edges: [edge("a", "b", "")] });
    expect(inOrder(backwards)).toEqual(["a", "b", "c"]);
  });

  test("a loop in a broken file ends", () => {
    const loop = documentOf({ steps: [step("a", [], null), step("b", [], null)], edges: [edge("a", "b", ""), edge("b", "a", "")] });
    expect(inOrder(loop).sort()).toEqual(["a", "b"]);
    expect([...reachable(loop, "a", "after")].sort()).toEqual(["a", "b"]);
  });

  test("reaches along connections one way", () => {
    expect([...reachable(MEETING, "summary", "before")].sort()).toEqual(["inputs.recording", "summary", "transcript"]);
  });

  test("an edge is found by the name it is given", () => {
    for (const each of MEETING.edges) expect(edgeById(MEETING, edgeId(each))).toBe(each);
  });

  test("knows the types of steps and inputs, and what is not there", () => {
    expect(outputType(MEETING, "inputs.recording")).toBe("audio");
    expect(outputType(MEETING, "entities")).toBe("json");
    expect(outputType(MEETING, "nobody")).toBeUndefined();
  });

  test("a free name is the wanted one, or the next number", () => {
    expect(freeName(["a"], "b")).toBe("b");
    expect(freeName(["b", "b_2"], "b")).toBe("b_3");
  });
});
