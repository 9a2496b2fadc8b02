// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";

import { boxEdit, bridge, moves, newInput, reconnection, removal } from "./edits";
import { judge } from "./fits";
import { MEETING, PALETTE, edge } from "./fixtures";

describe("edits", () => {
  test("a deleted step takes along what led from it, and outputs that read it", () => {
    const withNext = { ...MEETING, edges: [...MEETING.edges, edge("summary", "entities", "")] };
    expect(removal(withNext, ["summary"])).toEqual([
      { kind: "disconnect", source: "summary", target: "entities", port: "" },
      { kind: "remove-value", path: ["outputs", "notes"] },
      { kind: "remove-step", id: "summary" },
    ]);
  });

  test("links between deleted steps need no edit of their own", () => {
    const kinds = removal(MEETING, ["transcript", "summary", "entities"]).map((each) => each.kind);
    expect(kinds).toEqual(["remove-value", "remove-step", "remove-step", "remove-step"]);
  });

  test("inputs, boxes and single connections are deleted each in its way", () => {
    expect(removal(MEETING, ["inputs.recording", "note/1"]).slice(1)).toEqual([
      { kind: "remove-value", path: ["inputs", "recording"] },
      { kind: "remove-box", id: "note/1" },
    ]);
    expect(removal(MEETING, [], ["transcript>summary:with.text"])).toEqual([
      { kind: "disconnect", source: "transcript", target: "summary", port: "with.text" },
    ]);
  });

  test("places are whole numbers on the grid", () => {
    expect(moves(MEETING, new Map([["summary", { x: 101.6, y: -3 }]]))).toEqual([
      { kind: "set-position", node: "summary", x: 104, y: -0 },
    ]);
  });

  test("a group that is moved keeps its size and title", () => {
    const box = { id: "group/1", kind: "group" as const, x: 0, y: 0, width: 320, height: 200, text: "First" };
    expect(moves({ ...MEETING, boxes: [box] }, new Map([["group/1", { x: 80, y: 8 }]]))).toEqual([
      { kind: "set-box", id: "group/1", box: "group", x: 80, y: 8, width: 320, height: 200, text: "First" },
    ]);
    expect(boxEdit(box, { text: "Other" })).toMatchObject({ text: "Other", x: 0 });
  });

  test("a converter goes between both ends in one request, under a free name", () => {
    const verdict = judge(MEETING, PALETTE, { source: "inputs.recording", target: "summary", port: "with.text" });
    const crowded = { ...MEETING, steps: MEETING.steps.map((each) => (each.id === "entities" ? { ...each, id: "transcribe" } : each)) };
    const { id, edits } = bridge(crowded, PALETTE, verdict, null)!;
    expect(id).toBe("transcribe_2");
    expect(edits).toEqual([
      { kind: "paste", steps: [{ id, uses: "transcribe" }], positions: {} },
      { kind: "connect", source: "inputs.recording", target: id, port: "with.audio" },
      { kind: "connect", source: id, target: "summary", port: "with.text" },
    ]);
  });

  test("a moved end is one cut and one connection; back to where it was is nothing", () => {
    const id = "transcript>summary:with.text";
    expect(reconnection(MEETING, id, { source: "transcript", target: "summary", port: "with.style" })).toHaveLength(2);
    expect(reconnection(MEETING, id, { source: "transcript", target: "summary", port: "with.text" })).toEqual([]);
  });

  test("a second input of a type gets another name", () => {
    const { id, edits } = newInput(MEETING, { type: "audio", name: "recording" }, { x: 1, y: 2 });
    expect(id).toBe("inputs.recording_2");
    expect(edits.map((each) => each.kind)).toEqual(["set-value", "set-position"]);
  });
});
