// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";

import { copied, fromText, pasted, toText } from "./clipboard";
import { MEETING, edge } from "./fixtures";
import { placeNodes } from "./layout";

const PLACES = placeNodes(MEETING);

describe("the clipboard", () => {
  test("steps come back as they were copied", () => {
    const clip = copied(MEETING, PLACES, ["transcript", "summary"])!;
    expect(fromText(toText(clip))).toEqual(clip);
    expect(clip.steps).toEqual([MEETING.steps[0]!.data, MEETING.steps[1]!.data]);
  });

  test("only steps are copied, and waits between them", () => {
    expect(copied(MEETING, PLACES, ["inputs.recording", "note/1"])).toBeNull();
    const waiting = { ...MEETING, edges: [...MEETING.edges, edge("summary", "entities", ""), edge("transcript", "summary", "")] };
    expect(copied(waiting, PLACES, ["summary", "entities"])!.connections).toEqual([["summary", "entities"]]);
  });

  test.each([
    ["other text", "hello"],
    ["broken JSON", '{"format": "lao-steps/1", '],
    ["no steps", '{"format": "lao-steps/1", "steps": [], "positions": {}, "connections": []}'],
    ["steps without ids", '{"format": "lao-steps/1", "steps": [{}], "positions": {}, "connections": []}'],
    ["places that are none", '{"format": "lao-steps/1", "steps": [{"id": "a"}], "positions": {"a": [1.5, 2]}, "connections": []}'],
  ])("%s is no clip", (_, text) => {
    expect(fromText(text)).toBeNull();
  });

  test("copies lie beside what was copied; in a file without places they have none", () => {
    const clip = copied(MEETING, PLACES, ["summary"])!;
    const [x, y] = clip.positions["summary"]!;
    expect(pasted(clip, { away: 4, isPlaced: true }).positions).toEqual({ summary: [x + 32, y + 32] });
    expect(pasted(clip, { away: 4, isPlaced: false }).positions).toBeUndefined();
  });
});
