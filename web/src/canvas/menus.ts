// SPDX-License-Identifier: Apache-2.0
/** The lists of choices: connect to, connect from, which step to add, what to do with a node. */

import type { PaletteEntry } from "../api/types";
import type { MenuItem } from "../shell/Menu";
import { keysOf } from "../shell/shortcuts";
import { runsOf, startRun, toggleBreakpoint, togglePin } from "../state/runs";
import { selection } from "../state/selection";
import { workspace } from "../state/workspace";
import * as commands from "./commands";
import { copied } from "./clipboard";
import type { Dragged } from "./dragging";
import { type Verdict, entriesGiving, entriesTaking, sourcesFor, targetsFor } from "./fits";
import type { Point } from "./geometry";
import { isBox, isInput, isStep, portOf, spoken } from "./graph";
import { placesOf } from "./places";
import { type Choice, openPopup } from "./popup";
import { own } from "../state/own";

type Where = Point;

/** The `C` menu: the ports that the output of `source` can go to. */
export function openConnectTo(path: string, source: string, at: Where): void {
  const document = commands.documentAt(path);
  if (!document) return;
  const choices = targetsFor(document, workspace.get().palette, source).map((verdict): Choice => {
    const label = verdict.port === "" ? verdict.target : `${verdict.target} · ${portLabel(path, verdict)}`;
    return choiceOf(path, verdict, label, verdict.input);
  });
  openPopup({
    ...at,
    title: `Connect ${spoken(source)} to`,
    hasFilter: true,
    empty: "Nothing here takes this value. Press / to add a step that does.",
    choices,
  });
}

/** The Shift+C menu: what the ports of `target` can read. */
export function openConnectFrom(path: string, target: string, at: Where): void {
  const document = commands.documentAt(path);
  if (!document) return;
  const several = (document.steps.find((step) => step.id === target)?.inputs.length ?? 0) > 1;
  const choices = sourcesFor(document, workspace.get().palette, target).map((verdict): Choice => {
    const into = verdict.port !== "" && several ? ` → ${portLabel(path, verdict)}` : "";
    return choiceOf(path, verdict, spoken(verdict.source) + into, verdict.output);
  });
  openPopup({
    ...at,
    title: `Let ${target} read`,
    hasFilter: true,
    empty: "Nothing here gives what this step takes.",
    choices,
  });
}

function portLabel(path: string, { target, port }: Verdict): string {
  const document = commands.documentAt(path);
  return (document && portOf(document, target, port)?.label) || port;
}

function choiceOf(path: string, verdict: Verdict, label: string, type: string | null): Choice {
  const { source, target, port, converter, reason, isConnected } = verdict;
  const id = `${source}>${target}:${port}`;
  const base = { id, label, ...(port === "" ? {} : { type }) };
  if (isConnected) {
    const detail = port === "" ? "waits already; choose to let go" : "connected; choose to disconnect";
    return { ...base, detail, isChecked: true, run: () => void commands.disconnect(path, verdict) };
  }
  if (port === "") return { ...base, detail: "only wait, no value", run: () => void commands.connect(path, verdict) };
  if (reason === "") return { ...base, run: () => void commands.connect(path, verdict) };
  return { ...base, detail: `through ${titleOf(converter)}`, run: () => void commands.connectThrough(path, verdict) };
}

function titleOf(entry: string): string {
  return workspace.get().palette?.entries.find((each) => each.id === entry)?.title ?? entry;
}

/** A connection was let go where it does not fit: why, and what would mend it. */
export function openRefusal(path: string, verdict: Verdict, at: Where): void {
  const choices: Choice[] = [];
  if (verdict.converter) {
    const label = `Insert ${titleOf(verdict.converter)}`;
    choices.push({ id: "insert", label, run: () => void commands.connectThrough(path, verdict) });
  }
  openPopup({ ...at, title: "These do not fit", note: verdict.reason, tone: "bad", hasFilter: false, choices });
}

/** A connection was let go on empty canvas: the steps that take, or give, its value. */
export function openEntriesFor(path: string, drag: Dragged, at: Where, place: Point): void {
  const isSource = drag.side === "source";
  const entries = isSource ? entriesTaking(drag.palette, drag.type) : entriesGiving(drag.palette, drag.type);
  const run = (entry: PaletteEntry): void => {
    if (isSource) void commands.insertEntry(path, entry, place, drag.node);
    else void commands.insertFeeding(path, entry, { target: drag.node, port: drag.port }, place);
  };
  const type = drag.type ?? "any value";
  const title = isSource ? `Add a step that takes ${type}` : `Add a step that gives ${type}`;
  openPopup({ ...at, title, hasFilter: true, empty: "No step does that.", choices: entries.map((entry) => entryChoice(entry, run)) });
}

/** All steps that can be added, at a place of the canvas. */
export function openEntries(path: string, at: Where, place: Point): void {
  const entries = workspace.get().palette?.entries ?? [];
  const run = (entry: PaletteEntry): void => void commands.insertEntry(path, entry, place, null);
  openPopup({ ...at, title: "Add a step", hasFilter: true, choices: entries.map((entry) => entryChoice(entry, run)) });
}

function entryChoice(entry: PaletteEntry, run: (entry: PaletteEntry) => void): Choice {
  return {
    id: entry.id,
    label: entry.title,
    detail: entry.problem || entry.description,
    type: entry.output,
    ...(entry.problem ? { refusal: entry.problem } : {}),
    run: () => run(entry),
  };
}

// --- what to do with a node

/** Where a command that needs a place takes it from: the element of a node. */
export type Anchor = (id: string) => Where;

/** What can be done with a node, for its context menu and for the list. */
export function actionsFor(path: string, id: string, anchor: Anchor): MenuItem[] {
  const items: MenuItem[] = [];
  const runs = runsOf(path);
  if (isStep(id)) {
    items.push(
      { label: "Run from here", icon: "play", hint: key("run-from"), onSelect: () => void startRun(path, { start: id }) },
      { label: "Run only to here", icon: "skip", hint: key("run-to"), onSelect: () => void startRun(path, { until: id }) },
      {
        label: own(runs.pins, id) === undefined ? "Pin the output" : "Let go of the pinned output",
        icon: "pin",
        hint: key("pin"),
        onSelect: () => void togglePin(path, id),
      },
      {
        label: runs.breakpoints.includes(id) ? "Remove the breakpoint" : "Pause before it",
        icon: "breakpoint",
        hint: key("breakpoint"),
        onSelect: () => toggleBreakpoint(path, id),
      },
    );
  }
  if (!isBox(id)) {
    items.push({
      label: "Connect to…",
      icon: "link",
      hint: key("connect"),
      startsGroup: items.length > 0,
      onSelect: () => openConnectTo(path, id, anchor(id)),
    });
  }
  if (isStep(id)) {
    items.push({ label: "Connect from…", icon: "link", hint: "Shift+C", onSelect: () => openConnectFrom(path, id, anchor(id)) });
  }
  if (!isInput(id)) {
    items.push({
      label: isBox(id) ? "Edit the text" : "Rename",
      icon: "edit",
      hint: key("rename"),
      startsGroup: true,
      onSelect: () => commands.beginRename(path, id),
    });
  }
  if (isStep(id)) {
    items.push(
      { label: "Duplicate", icon: "copy", hint: key("duplicate"), onSelect: () => void duplicate(path, chosenWith(id)) },
      { label: "Group the chosen", icon: "group", hint: key("group"), onSelect: () => void commands.groupChosen(path) },
    );
  }
  items.push({
    label: chosenWith(id).length > 1 ? `Delete ${chosenWith(id).length} nodes` : "Delete",
    icon: "trash",
    hint: key("remove"),
    tone: "bad",
    startsGroup: isInput(id),
    onSelect: () => void commands.remove(path, chosenWith(id), []),
  });
  return items;
}

const key = (id: Parameters<typeof keysOf>[0]): string => keysOf(id)[0] ?? "";

/** All that is chosen, if `id` is among it; else `id` alone. */
function chosenWith(id: string): string[] {
  const { nodes } = selection.get();
  return nodes.includes(id) ? nodes : [id];
}

export async function duplicate(path: string, ids: readonly string[] = selection.get().nodes): Promise<void> {
  const document = commands.documentAt(path);
  const clip = document && copied(document, placesOf(document), ids);
  if (clip) await commands.paste(path, clip, clip.steps.length === 1 ? `Duplicate ${ids[0]}` : `Duplicate ${clip.steps.length} steps`);
}

