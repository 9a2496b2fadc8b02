// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";

import { MEETING } from "./fixtures";
import { commandFor } from "./keyboard";
import { placeNodes } from "./layout";
import { nodeIds } from "./graph";
import { type Direction, first, walk } from "./walk";

const PLACES = placeNodes(MEETING);
const go = (id: string | undefined, direction: Direction): string | null => walk(MEETING, PLACES, id, direction);
const key = (name: string, part: Partial<Record<"ctrlKey" | "shiftKey" | "altKey", boolean>> = {}) =>
  commandFor({ key: name, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...part });

describe("walking", () => {
  test("begins at the left", () => {
    expect(first(MEETING, PLACES)).toBe("inputs.recording");
    expect(go(undefined, "down")).toBe("inputs.recording");
  });

  test("right and left follow the connections", () => {
    expect(go("inputs.recording", "right")).toBe("transcript");
    expect(go("summary", "left")).toBe("transcript");
    expect(["summary", "entities"]).toContain(go("transcript", "right"));
  });

  test("up and down go through the siblings", () => {
    const top = go("transcript", "right")!;
    const below = go(top, "down")!;
    expect(new Set([top, below])).toEqual(new Set(["summary", "entities"]));
    expect(go(below, "up")).toBe(top);
  });

  test("every node can be reached", () => {
    const seen = new Set<string>([first(MEETING, PLACES)!]);
    for (const id of seen) {
      for (const direction of ["left", "right", "up", "down"] as const) seen.add(go(id, direction) ?? id);
    }
    expect([...seen].sort()).toEqual(nodeIds(MEETING).sort());
  });
});

describe("keys", () => {
  test("arrows walk, choose more with Shift, and move with Ctrl", () => {
    expect(key("ArrowLeft")).toEqual({ act: "walk", direction: "left" });
    expect(key("ArrowUp", { shiftKey: true })).toEqual({ act: "extend", direction: "up" });
    expect(key("ArrowUp", { ctrlKey: true, shiftKey: true })).toEqual({ act: "nudge", direction: "up", far: true });
  });

  test("what the page's own shortcuts mean is left to them", () => {
    for (const name of ["c", "l", "Delete", "/"]) expect(key(name)).toBeNull();
    expect(key("Enter", { shiftKey: true })).toBeNull();
    expect(key("ArrowLeft", { altKey: true })).toBeNull();
  });
});
