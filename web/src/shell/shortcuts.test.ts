// SPDX-License-Identifier: Apache-2.0
// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";

import { SHORTCUTS, shortcutOf } from "./shortcuts";

function press(key: string, init: KeyboardEventInit = {}, target: EventTarget = document.body): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, ...init, bubbles: true });
  Object.defineProperty(event, "target", { value: target });
  return event;
}

describe("shortcuts", () => {
  it("are found whatever the letter's case, and the sign's shift", () => {
    expect(shortcutOf(press("z", { ctrlKey: true }))).toBe("undo");
    expect(shortcutOf(press("Z", { ctrlKey: true, shiftKey: true }))).toBe("redo");
    expect(shortcutOf(press("?", { shiftKey: true }))).toBe("help");
    expect(shortcutOf(press("/"))).toBe("palette");
    expect(shortcutOf(press("Enter", { altKey: true }))).toBe("run-to");
    expect(shortcutOf(press("q"))).toBe(null);
  });

  it("leave the keys to a person who types", () => {
    const field = document.createElement("input");
    expect(shortcutOf(press("c", {}, field))).toBe(null);
    expect(shortcutOf(press("z", { ctrlKey: true }, field))).toBe(null);
    expect(shortcutOf(press("s", { ctrlKey: true }, field))).toBe("save");
  });

  it("do not share their keys", () => {
    const keys = Object.values(SHORTCUTS).flatMap((each) => [...each.keys]);
    expect(new Set(keys).size).toBe(keys.length);
  });
});
