// SPDX-License-Identifier: Apache-2.0
// @vitest-environment happy-dom
import { act, type ReactNode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { JsonValue, ValueView } from "../api/types";
import { ValuePreview } from "./ValuePreview";

const HOSTILE = `<img src=http://192.0.2.1/x onerror=alert(1)><svg onload=alert(2)><script>alert(3)</script></svg>
![x](http://192.0.2.1/y) [y](javascript:alert(4)) http://192.0.2.1/z
\u001b[31mred\u001b]8;;http://192.0.2.1\u0007 a\u202eb`;

let box: HTMLElement;
let root: Root;

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.stubGlobal("IntersectionObserver", class {
    constructor(private readonly told: (entries: object[]) => void) {}
    observe(target: Element) {
      this.told([{ target, isIntersecting: true, boundingClientRect: { height: 18 } }]);
    }
    unobserve() {}
    disconnect() {}
  });
  box = document.body.appendChild(document.createElement("div"));
  root = createRoot(box);
});

afterEach(() => {
  act(() => root.unmount());
  box.remove();
  vi.unstubAllGlobals();
});

const show = (node: ReactNode) => act(() => root.render(node));
const view = (more: Partial<ValueView>): ValueView => ({ kind: "text", size: 1, is_whole: true, text: "", data: null, files: [], ...more });
const json = (data: JsonValue) => view({ kind: "json", data });

const CASES: [string, ValueView][] = [
  ["a text", view({ text: HOSTILE, size: HOSTILE.length })],
  ["JSON", json({ [HOSTILE]: [HOSTILE, { deep: HOSTILE }] })],
  ["a transcript", json([{ start: 0, end: 1, text: HOSTILE }])],
  ["a file's name", view({ kind: "file", files: [{ name: HOSTILE, path: "", kind: "file", type: "", size: 3 }] })],
];

test.each(CASES)("nothing in %s becomes anything but text", (_, value) => {
  for (const isSmall of [true, false]) {
    show(<ValuePreview value={value} name="step" isSmall={isSmall} />);
    expect(box.querySelectorAll("img, svg [onload], script, a, iframe, object, style, link").length).toBe(0);
    expect(box.textContent).toContain("<img src=http");
    expect(box.textContent).not.toMatch(/[\u001b\u0007\u202e]/);
    expect(box.textContent).toContain("␛[31mred");
  }
});

test("timed lines are a transcript; other lists are a tree", () => {
  show(<ValuePreview value={json([{ start: 61, end: 62, text: "Hello" }])} name="step" />);
  expect(box.querySelector("ol li")?.textContent).toBe("1:01Hello");
  show(<ValuePreview value={json([{ start: 61, text: "Hello" }])} name="step" />);
  expect(box.querySelector('[role="tree"]')).not.toBeNull();
});

test("a tree is walked and folded by keys", () => {
  show(<ValuePreview value={json({ a: { b: 1 }, c: 2 })} name="step" />);
  const tree = box.querySelector<HTMLElement>('[role="tree"]');
  const press = (key: string) => act(() => void tree?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true })));
  const chosen = () => box.querySelector('[aria-selected="true"]')?.textContent;
  const names = () => box.querySelectorAll('[role="treeitem"]').length;
  expect(names()).toBe(4);
  press("ArrowDown");
  press("ArrowLeft");
  expect([chosen(), names()]).toEqual(['▸a{ b }', 3]);
  press("End");
  expect(chosen()).toBe("c2");
});

test("false, zero and an empty text are values", () => {
  show(<ValuePreview value={json(false)} name="step" isSmall />);
  expect(box.textContent).toBe("false");
  show(<ValuePreview value={view({ size: 0 })} name="step" isSmall />);
  expect(box.textContent).toBe("an empty text");
});

test("a file outside the folder is named, and not fetched", () => {
  const fetched = vi.fn();
  vi.stubGlobal("fetch", fetched);
  show(<ValuePreview value={view({ kind: "file", files: [{ name: "talk.wav", path: "", kind: "audio", type: "audio/wav", size: 9 }] })} name="step" />);
  expect(box.textContent).toContain("outside the opened folder");
  expect(fetched).not.toHaveBeenCalled();
});
