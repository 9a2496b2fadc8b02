// SPDX-License-Identifier: Apache-2.0
/** The keyboard and the clipboard, for the canvas and the list alike. */

import { useLayoutEffect } from "react";
import { flushSync } from "react-dom";

import { isTyping, useShortcuts } from "../shell/shortcuts";
import { prefer } from "../state/preferences";
import { select, selection } from "../state/selection";
import { announce } from "./announce";
import { copied, fromText, toText } from "./clipboard";
import * as commands from "./commands";
import type { Point } from "./geometry";
import { isStep } from "./graph";
import { type Anchor, duplicate, openConnectFrom, openConnectTo } from "./menus";
import { placesOf } from "./places";

/** Whether keys that change things are meant for the graph, not for a panel beside it. */
function isOnGraph(): boolean {
  const { activeElement } = document;
  return !activeElement || activeElement === document.body || activeElement.closest("[data-graph], [data-graph-keys]") !== null;
}

interface Places {
  anchor: Anchor;
  /** Where something new is put that belongs to no node, in the canvas's coordinates. */
  middle: () => Point;
  fit?: () => void;
}

export function useGraphKeys(path: string, { anchor, middle, fit }: Places): void {
  const onGraph = (act: () => void) => () => {
    if (isOnGraph()) act();
  };
  const onNode = (act: (id: string) => void) => () => {
    const id = commands.activeNode();
    if (id !== undefined) act(id);
    else announce("Choose a step first");
  };
  useShortcuts({
    palette: focusPalette,
    rename: onGraph(() => commands.beginRename(path)),
    remove: onGraph(() => void commands.remove(path)),
    duplicate: onGraph(() => void duplicate(path)),
    "select-all": onGraph(() => commands.selectAll(path)),
    connect: onNode((id) => openConnectTo(path, id, anchor(id))),
    "connect-from": onNode((id) => {
      if (isStep(id)) openConnectFrom(path, id, anchor(id));
    }),
    layout: () => void commands.arrange(path).then(fit),
    group: () => void commands.groupChosen(path),
    note: () => void commands.addNote(path, middle()),
    ...(fit ? { fit } : {}),
  });
}

/** Opens the palette and writes into its search. */
export function focusPalette(): void {
  // Drawn at once: the next key is meant for it, and a frame later the focus may be wanted elsewhere.
  flushSync(() => prefer({ paletteOpen: true }));
  document.getElementById(PALETTE_SEARCH)?.focus();
}

export const PALETTE_SEARCH = "palette-search";

/** Shows the inspector, with the focus in its first field. */
export function focusInspector(): void {
  flushSync(() => prefer({ inspectorOpen: true }));
  const panel = document.querySelector("[data-inspector]");
  const field = panel?.querySelector<HTMLElement>("input:not([type=hidden]), textarea, select") ?? panel?.querySelector<HTMLElement>("button");
  field?.focus();
}

/** Steps go to the system's clipboard and come from it, by the browser's own events. */
export function useClipboard(path: string): void {
  useLayoutEffect(() => {
    const copy = (event: ClipboardEvent): boolean => {
      const open = commands.documentAt(path);
      if (!open || isTyping(event.target) || !isOnGraph() || hasTextChosen()) return false;
      const clip = copied(open, placesOf(open), selection.get().nodes);
      if (!clip) return false;
      event.clipboardData?.setData("text/plain", toText(clip));
      event.preventDefault();
      announce(`copied ${clip.steps.length === 1 ? "a step" : `${clip.steps.length} steps`}`);
      return true;
    };
    const cut = (event: ClipboardEvent): void => {
      if (copy(event)) void commands.remove(path, commands.chosenSteps(), []);
    };
    const paste = (event: ClipboardEvent): void => {
      if (isTyping(event.target) || !isOnGraph()) return;
      const clip = fromText(event.clipboardData?.getData("text/plain") ?? "");
      if (!clip) return announce("there are no steps on the clipboard");
      event.preventDefault();
      void commands.paste(path, clip);
    };
    document.addEventListener("copy", copy);
    document.addEventListener("cut", cut);
    document.addEventListener("paste", paste);
    return () => {
      document.removeEventListener("copy", copy);
      document.removeEventListener("cut", cut);
      document.removeEventListener("paste", paste);
    };
  }, [path]);
}

const hasTextChosen = (): boolean => document.getSelection()?.isCollapsed === false;

/** Goes from what is chosen to `next`; with `isMore` both stay chosen. */
export function choose(next: string | null, isMore = false): void {
  if (next === null) return;
  const { nodes } = selection.get();
  select(isMore ? [...nodes.filter((id) => id !== next), next] : [next]);
}
