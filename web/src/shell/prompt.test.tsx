// SPDX-License-Identifier: Apache-2.0
// @vitest-environment happy-dom
/** What a key asks for is there before the next key: nothing waits for a frame. */

import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { documentOf } from "../canvas/fixtures";
import { focusPalette, PALETTE_SEARCH } from "../canvas/useGraphKeys";
import { documents } from "../state/documents";
import { prefer, preferences } from "../state/preferences";
import { useStore } from "../state/store";
import { TextView } from "./TextView";

const PATH = "meeting.yaml";
let root: Root;
let place: HTMLElement;

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.stubGlobal("requestAnimationFrame", () => 0); // a frame that never comes
  vi.stubGlobal("fetch", () => new Promise(() => undefined)); // nor does an answer
  place = document.body.appendChild(document.createElement("div"));
  root = createRoot(place);
});

afterEach(() => {
  act(() => root.unmount());
  place.remove();
  vi.unstubAllGlobals();
});

function Palette() {
  return useStore(preferences, (each) => each.paletteOpen) ? <input id={PALETTE_SEARCH} /> : null;
}

test("the search of a palette that was closed has the focus", () => {
  prefer({ paletteOpen: false });
  act(() => root.render(<Palette />));
  act(() => focusPalette());
  expect(document.activeElement?.id).toBe(PALETTE_SEARCH);
});

test("after Tab the caret is where the text was indented", () => {
  documents.set(() => ({ [PATH]: documentOf({ path: PATH, text: "a\nb\n" }) }));
  act(() => root.render(<TextView path={PATH} />));
  const area = place.querySelector("textarea")!;
  area.focus();
  area.setSelectionRange(2, 2);
  act(() => void area.dispatchEvent(new KeyboardEvent("keydown", { key: "Tab", bubbles: true, cancelable: true })));
  expect(area.value).toBe("a\n  b\n");
  expect([area.selectionStart, area.selectionEnd]).toEqual([4, 4]);
});
