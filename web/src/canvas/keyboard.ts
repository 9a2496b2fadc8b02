// SPDX-License-Identifier: Apache-2.0
/** What a key means on the canvas, besides the page's own shortcuts. */

import type { Direction } from "./walk";

export type KeyCommand =
  | { act: "walk" | "extend"; direction: Direction }
  | { act: "nudge"; direction: Direction; far: boolean }
  | { act: Plain };

type Plain = "edit" | "clear" | "menu" | "first" | "last" | "zoom-in" | "zoom-out";

type Key = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">;

const ARROWS: Record<string, Direction> = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
};

const PLAIN: Record<string, Plain> = {
  Enter: "edit",
  Escape: "clear",
  ContextMenu: "menu",
  Home: "first",
  End: "last",
  "+": "zoom-in",
  "=": "zoom-in",
  "-": "zoom-out",
};

export function commandFor(event: Key): KeyCommand | null {
  const isControl = event.ctrlKey || event.metaKey;
  const direction = ARROWS[event.key];
  if (event.altKey) return null;
  if (direction && isControl) return { act: "nudge", direction, far: event.shiftKey };
  if (direction) return { act: event.shiftKey ? "extend" : "walk", direction };
  if (isControl) return null;
  if (event.shiftKey && event.key === "F10") return { act: "menu" };
  if (event.shiftKey && event.key !== "+") return null;
  const act = PLAIN[event.key];
  return act ? { act } : null;
}

/** Whether keys belong to what has the focus, as in a text field or a player. */
export function ownsKeys(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest(OWN_KEYS) !== null;
}

const OWN_KEYS =
  "input, textarea, select, button, a[href], audio, video, summary, [contenteditable=true], [role=tree], [role=slider], [data-own-keys]";
