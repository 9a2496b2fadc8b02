// SPDX-License-Identifier: Apache-2.0
/**
 * Every keyboard shortcut of the page, in one table, and the hook that listens.
 *
 * "Mod" is Ctrl, and Command on a Mac. A component says what a row's id does:
 * `useShortcuts({ save: () => … })`. While a person types, only rows that are
 * `whileTyping` are heard; while a dialog is open, none.
 */

import { useLayoutEffect, useRef } from "react";

interface Row {
  keys: readonly string[];
  what: string;
  group: "File" | "Edit" | "Canvas" | "Run" | "Page";
  whileTyping?: boolean;
  /** Only told in the help sheet: the component that has the focus listens itself. */
  isLocal?: boolean;
}

export const SHORTCUTS = {
  open: { keys: ["Mod+O"], what: "Open a file", group: "File" },
  save: { keys: ["Mod+S"], what: "Save", group: "File", whileTyping: true },
  "save-as": { keys: ["Mod+Shift+S"], what: "Save under another name", group: "File", whileTyping: true },
  "next-tab": { keys: ["Alt+PageDown"], what: "Next file", group: "File", whileTyping: true },
  "previous-tab": { keys: ["Alt+PageUp"], what: "Previous file", group: "File", whileTyping: true },

  undo: { keys: ["Mod+Z"], what: "Undo", group: "Edit" },
  redo: { keys: ["Mod+Shift+Z", "Mod+Y"], what: "Redo", group: "Edit" },
  edit: { keys: ["Enter"], what: "Edit the step: go to its first field", group: "Edit", isLocal: true },
  rename: { keys: ["F2"], what: "Rename the step", group: "Edit" },
  remove: { keys: ["Delete", "Backspace"], what: "Delete what is chosen", group: "Edit" },
  duplicate: { keys: ["Mod+D"], what: "Duplicate", group: "Edit" },
  copy: { keys: ["Mod+C"], what: "Copy steps", group: "Edit" },
  cut: { keys: ["Mod+X"], what: "Cut steps", group: "Edit" },
  paste: { keys: ["Mod+V"], what: "Paste steps", group: "Edit" },
  "select-all": { keys: ["Mod+A"], what: "Choose all steps", group: "Edit" },

  palette: { keys: ["/"], what: "Add a step", group: "Canvas" },
  connect: { keys: ["C"], what: "Connect the step to…", group: "Canvas" },
  "connect-from": { keys: ["Shift+C"], what: "Let the step read…", group: "Canvas" },
  walk: { keys: ["←", "→", "↑", "↓"], what: "Walk along the connections", group: "Canvas", isLocal: true },
  extend: { keys: ["Shift+←", "Shift+→", "Shift+↑", "Shift+↓"], what: "Choose more while walking", group: "Canvas", isLocal: true },
  nudge: { keys: ["Mod+←", "Mod+→", "Mod+↑", "Mod+↓"], what: "Move what is chosen; with Shift further", group: "Canvas", isLocal: true },
  menu: { keys: ["Shift+F10"], what: "What can be done with the step", group: "Canvas", isLocal: true },
  layout: { keys: ["L"], what: "Arrange", group: "Canvas" },
  group: { keys: ["G"], what: "Draw a group around the steps", group: "Canvas" },
  note: { keys: ["N"], what: "Add a note", group: "Canvas" },
  fit: { keys: ["F", "0"], what: "Show everything", group: "Canvas" },

  "run-all": { keys: ["Mod+Enter"], what: "Run", group: "Run", whileTyping: true },
  "run-from": { keys: ["Shift+Enter"], what: "Run from the chosen step", group: "Run" },
  "run-to": { keys: ["Alt+Enter"], what: "Run only to the chosen step", group: "Run" },
  cancel: { keys: ["Mod+."], what: "Stop the run", group: "Run", whileTyping: true },
  pin: { keys: ["P"], what: "Pin the step's output", group: "Run" },
  breakpoint: { keys: ["B"], what: "Pause before the step", group: "Run" },

  view: { keys: ["V"], what: "Graph, list or text", group: "Page" },
  problems: { keys: ["F8"], what: "Go to the next problem", group: "Page", whileTyping: true },
  log: { keys: ["Mod+J"], what: "Run log", group: "Page", whileTyping: true },
  "next-region": { keys: ["F6"], what: "Next part of the page", group: "Page", whileTyping: true },
  escape: { keys: ["Escape"], what: "Let go of what is chosen", group: "Page", isLocal: true },
  help: { keys: ["?"], what: "This list", group: "Page" },
} as const satisfies Record<string, Row>;

export type ShortcutId = keyof typeof SHORTCUTS;
export type Handlers = Partial<Record<ShortcutId, (event: KeyboardEvent) => unknown>>;

export const IS_MAC = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.userAgent);

/** The row that a key press means, or null. */
export function shortcutOf(event: KeyboardEvent): ShortcutId | null {
  const pressed = pressedKeys(event);
  const typing = isTyping(event.target);
  for (const [id, row] of Object.entries(SHORTCUTS) as [ShortcutId, Row][]) {
    if (row.isLocal || (typing && !row.whileTyping)) continue;
    if (row.keys.includes(pressed)) return id;
  }
  return null;
}

export function pressedKeys(event: KeyboardEvent): string {
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const isMod = IS_MAC ? event.metaKey : event.ctrlKey;
  // "?" and "/" need Shift on some keyboards and not on others: the sign is what counts.
  const isSign = key.length === 1 && !/[A-Z0-9]/.test(key);
  return [isMod && "Mod", event.altKey && "Alt", event.shiftKey && !isSign && "Shift", key].filter(Boolean).join("+");
}

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  if (!(target instanceof HTMLInputElement)) return false;
  return !["button", "checkbox", "radio", "range", "submit"].includes(target.type);
}

/** Listens while the component is there. A handler that gives back false did nothing. */
export function useShortcuts(handlers: Handlers, isActive = true): void {
  const latest = useRef(handlers);
  useLayoutEffect(() => {
    latest.current = handlers;
  });
  useLayoutEffect(() => {
    if (!isActive) return;
    const listen = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.isComposing || document.querySelector("dialog:modal")) return;
      const id = shortcutOf(event);
      const handler = id && latest.current[id];
      if (handler && handler(event) !== false) event.preventDefault();
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, [isActive]);
}

/** How a row's keys are written for people: "Ctrl+S", on a Mac "⌘S". */
export function keysOf(id: ShortcutId): string[] {
  return SHORTCUTS[id].keys.map(written);
}

export function written(keys: string): string {
  if (!IS_MAC) return keys.replace("Mod", "Ctrl");
  return keys.replace("Mod+", "⌘").replace("Shift+", "⇧").replace("Alt+", "⌥");
}
