// SPDX-License-Identifier: Apache-2.0
/** How a person likes the page; kept by this browser. */

import { createStore } from "./store";

export interface Preferences {
  theme: "system" | "light" | "dark";
  view: "graph" | "list" | "text";
  inspectorWidth: number;
  inspectorOpen: boolean;
  paletteOpen: boolean;
  logOpen: boolean;
}

const KEY = "lao.preferences";
export const NARROW = "(max-width: 860px)";

export function isNarrow(): boolean {
  return window.matchMedia(NARROW).matches;
}

const usual = (): Preferences => ({
  theme: "system",
  view: "graph",
  inspectorWidth: 340,
  inspectorOpen: !isNarrow(),
  paletteOpen: !isNarrow(),
  logOpen: false,
});

export const preferences = createStore<Preferences>(load());

export function prefer(change: Partial<Preferences>): void {
  preferences.set((old) => ({ ...old, ...(isNarrow() ? alone(change) : {}), ...change }));
}

/** In a narrow window panels lie over the canvas: one that opens closes the other. */
function alone({ paletteOpen, inspectorOpen }: Partial<Preferences>): Partial<Preferences> {
  return { ...(inspectorOpen ? { paletteOpen: false } : {}), ...(paletteOpen ? { inspectorOpen: false } : {}) };
}

// A window that becomes narrow shows its canvas, one that becomes wide again its panels.
window.matchMedia(NARROW).addEventListener("change", () => {
  prefer({ paletteOpen: !isNarrow(), inspectorOpen: !isNarrow() });
});

preferences.subscribe(() => {
  const { theme, view, inspectorWidth } = preferences.get();
  try {
    localStorage.setItem(KEY, JSON.stringify({ theme, view, inspectorWidth }));
  } catch {
    // a browser that keeps nothing: the wishes last as long as the page
  }
});

/** What was kept, where it still makes sense. Which panels are open is not kept. */
function load(): Preferences {
  const wishes = usual();
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    if (typeof kept !== "object" || kept === null) return wishes;
    const { theme, view, inspectorWidth } = kept as Partial<Record<keyof Preferences, unknown>>;
    if (theme === "light" || theme === "dark") wishes.theme = theme;
    if (view === "list" || view === "text") wishes.view = view;
    if (typeof inspectorWidth === "number") wishes.inspectorWidth = clamp(inspectorWidth);
  } catch {
    // not ours, or broken: the usual
  }
  return wishes;
}

export function clamp(width: number): number {
  return Math.round(Math.min(720, Math.max(260, width)));
}
