// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";

import type { DocumentView } from "../api/types";
import { MEETING, documentOf, edge, port, step } from "./fixtures";
import { GRID, frameAround, freePlace, nodeSizes, overlaps } from "./geometry";
import { layoutAll, placeNodes } from "./layout";

const placed = (document: DocumentView, id: string, x: number, y: number): DocumentView => ({
  ...document,
  steps: document.steps.map((each) => (each.id === id ? { ...each, position: [x, y] } : each)),
});

const clashes = (document: DocumentView, places: ReadonlyMap<string, { x: number; y: number }>): number => {
  const rects = [...nodeSizes(document)].map(([id, size]) => ({ ...places.get(id)!, ...size }));
  return rects.flatMap((a, index) => rects.slice(index + 1).filter((b) => overlaps(a, b))).length;
};

describe("places", () => {
  test("what is read lies left of what reads it, on the grid, and nothing overlaps", () => {
    const places = placeNodes(MEETING);
    for (const { source, target } of MEETING.edges) expect(places.get(source)!.x).toBeLessThan(places.get(target)!.x);
    for (const { x, y } of places.values()) expect([x % GRID, y % GRID].map(Math.abs)).toEqual([0, 0]);
    expect(clashes(MEETING, places)).toBe(0);
  });

  test("a place that the file gives stays", () => {
    expect(placeNodes(placed(MEETING, "summary", 1000, 304)).get("summary")).toEqual({ x: 1000, y: 304 });
  });

  test("the others stay where they were shown when one is dragged", () => {
    const before = placeNodes(MEETING);
    const after = placeNodes(placed(MEETING, "summary", 1000, 304), before);
    for (const id of ["inputs.recording", "transcript", "entities"]) expect(after.get(id)).toEqual(before.get(id));
  });

  test("a new step among placed ones covers none of them", () => {
    let document = MEETING;
    for (const [id, { x, y }] of placeNodes(MEETING)) document = placed(document, id, x + 400, y);
    const more = { ...document, steps: [...document.steps, step("more", [port("with.text", "text")], "text")] };
    const linked = { ...more, edges: [...more.edges, edge("transcript", "more", "with.text")] };
    expect(clashes(linked, placeNodes(linked))).toBe(0);
  });

  test("lays out two hundred steps", () => {
    const steps = Array.from({ length: 200 }, (_, index) => step(`s${index}`, [port("with.text", "text")], "text"));
    const edges = steps.slice(1).map((each, index) => edge(`s${Math.floor(index / 3)}`, each.id, "with.text"));
    const document = documentOf({ steps, edges });
    expect(clashes(document, layoutAll(document))).toBe(0);
  });

  test("a free place is the wanted one, or below what is there", () => {
    const size = { width: 240, height: 100 };
    expect(freePlace({ x: 3, y: 5 }, size, [])).toEqual({ x: 0, y: 8 });
    const { x, y } = freePlace({ x: 0, y: 0 }, size, [{ x: 0, y: 0, ...size }]);
    expect(x).toBe(0);
    expect(y).toBeGreaterThanOrEqual(100);
  });

  test("a group's frame holds all that is chosen", () => {
    expect(frameAround([])).toBeNull();
    const frame = frameAround([{ x: 0, y: 0, width: 240, height: 100 }])!;
    expect(frame.x).toBeLessThan(0);
    expect(frame.y + frame.height).toBeGreaterThan(100);
  });
});
