// SPDX-License-Identifier: Apache-2.0
/** What a person does to the graph: asks for the edits, chooses what is new, says what happened. */

import type { DocumentView, EdgeView, EditMessage, PaletteEntry } from "../api/types";
import { toast, toastProblems } from "../shell/toasts";
import { documents, tryEdit } from "../state/documents";
import { reveal, select, selection } from "../state/selection";
import { workspace } from "../state/workspace";
import { announce } from "./announce";
import { type Clip, pasted } from "./clipboard";
import { boxEdit, bridge, connection, disconnection, feeding, moves, newInput, reconnection, removal } from "./edits";
import { type Verdict, judge } from "./fits";
import { type Point, type Rect, boxRect, contains, frameAround, freePlace, snap } from "./geometry";
import { edgeById, isBox, isInput, isStep, nodeIds, spoken } from "./graph";
import { layoutAll } from "./layout";
import { hasHandPlaces, placeForNew, placesOf, rectsOf, sizesOf } from "./places";
import { renaming, editingBox } from "./renaming";

export const documentAt = (path: string): DocumentView | undefined => documents.get()[path];

/** The node that commands without a name of one mean: the last that was chosen. */
export function activeNode(): string | undefined {
  return selection.get().nodes.at(-1);
}

/** Asks for edits; what they created, or null if they were refused (and the person told). */
async function perform(path: string, label: string, edits: EditMessage[], said: string): Promise<string[] | null> {
  if (edits.length === 0) return null;
  const { created, problems } = await tryEdit(path, label, edits);
  if (problems.length > 0) {
    toastProblems(problems);
    announce(problems[0]!.what);
    return null;
  }
  announce(said);
  return created;
}

// --- new steps

let inserting: Promise<unknown> = Promise.resolve();

/** One after the other, so that each is connected from the one before, however fast a person types. */
function inTurn(act: (document: DocumentView) => Promise<void>, path: string): Promise<void> {
  const turn = inserting.then(async () => {
    const document = documentAt(path);
    if (document) await act(document);
  });
  inserting = turn.catch(() => undefined);
  return turn;
}

/** Adds a step: connected from the chosen node, or from `source`; null for none. */
export function insertEntry(path: string, entry: PaletteEntry, at?: Point, source?: string | null): Promise<void> {
  return inTurn(async (document) => {
    const from = source === undefined ? connectable(document) : source;
    const place = at ?? placeForNew(document, from);
    const edit: EditMessage = { kind: "insert", entry: entry.id, source: from };
    if (place) Object.assign(edit, { x: snap(place.x), y: snap(place.y) });
    const { created, problems } = await tryEdit(path, `Add ${entry.title}`, [edit]);
    if (problems.length > 0) toastProblems(problems);
    const id = created[0];
    if (id === undefined) return;
    const isConnected = documentAt(path)?.edges.some((edge) => edge.source === from && edge.target === id);
    announce(`added ${id}${isConnected && from ? `, which reads ${spoken(from)}` : ""}`);
    reveal([id]);
  }, path);
}

/** Adds an input of the workflow and chooses it. */
export function insertInput(path: string, type: string, at?: Point): Promise<void> {
  return inTurn(async (document) => {
    const { id, edits } = newInput(document, { type }, at ?? placeForNew(document, null));
    if (await perform(path, `Add ${spoken(id)}`, edits, `added ${spoken(id)}, of type ${type}`)) reveal([id]);
  }, path);
}

/** Adds a step whose output a port reads. */
export function insertFeeding(path: string, entry: PaletteEntry, port: { target: string; port: string }, at: Point): Promise<void> {
  return inTurn(async (document) => {
    const { id, edits } = feeding(document, entry, port, hasHandPlaces(document) ? at : null);
    if (await perform(path, `Add ${entry.title}`, edits, `added ${id}, which ${port.target} reads`)) reveal([id]);
  }, path);
}

function connectable(document: DocumentView): string | null {
  const active = activeNode();
  return active !== undefined && nodeIds(document).includes(active) ? active : null;
}

// --- connections

type Ends = Pick<EdgeView, "source" | "target" | "port">;

const way = ({ source, target, port }: Ends): string =>
  port === "" ? `${target} waits for ${spoken(source)}` : `connected ${spoken(source)} to ${target}`;

/** Connects, if that fits; else says why not. */
export async function connect(path: string, ends: Ends): Promise<void> {
  const document = documentAt(path);
  if (!document) return;
  const verdict = judge(document, workspace.get().palette, ends);
  if (verdict.reason) return announce(verdict.reason);
  if (verdict.isConnected) return announce(`${way(ends)} already`);
  await perform(path, `Connect ${spoken(ends.source)} to ${ends.target}`, [connection(ends)], way(ends));
}

export async function disconnect(path: string, ends: Ends): Promise<void> {
  const label = `Disconnect ${ends.target} from ${spoken(ends.source)}`;
  await perform(path, label, [disconnection(ends)], `disconnected ${spoken(ends.source)} from ${ends.target}`);
}

export async function reconnect(path: string, edge: string, ends: Ends): Promise<void> {
  const document = documentAt(path);
  if (!document || judge(document, workspace.get().palette, ends).reason) return;
  await perform(path, `Reconnect ${ends.target}`, reconnection(document, edge, ends), way(ends));
}

/** Connects through the step that turns one type into the other. */
export async function connectThrough(path: string, verdict: Verdict): Promise<void> {
  const document = documentAt(path);
  const { palette } = workspace.get();
  const found = document && palette && bridge(document, palette, verdict, placeBetween(document, verdict));
  if (!found) return;
  const said = `added ${found.id} between ${spoken(verdict.source)} and ${verdict.target}`;
  if (await perform(path, `Insert ${found.id}`, found.edits, said)) reveal([found.id]);
}

function placeBetween(document: DocumentView, { source, target }: Verdict): Point | null {
  if (!hasHandPlaces(document)) return null;
  const places = placesOf(document);
  const [from, to] = [places.get(source), places.get(target)];
  if (!from || !to) return placeForNew(document, source);
  return { x: snap((from.x + to.x) / 2), y: snap((from.y + to.y) / 2) };
}

// --- what is chosen

export async function remove(path: string, nodes = selection.get().nodes, edges = selection.get().edges): Promise<void> {
  const document = documentAt(path);
  if (!document || nodes.length + edges.length === 0) return;
  const edits = removal(document, nodes, edges);
  const cut = edges.map((id) => edgeById(document, id)).filter((edge) => edge !== undefined);
  const what =
    nodes.length > 1
      ? `${nodes.length} nodes`
      : nodes[0] !== undefined
        ? nodeWords(document, nodes[0])
        : cut.length === 1
          ? `the connection from ${spoken(cut[0]!.source)} to ${cut[0]!.target}`
          : `${cut.length} connections`;
  const next = nodes.length === 1 ? document.edges.find((edge) => edge.target === nodes[0])?.source : undefined;
  if (await perform(path, `Delete ${what}`, edits, `deleted ${what}`)) select(next === undefined ? [] : [next]);
}

function nodeWords(document: DocumentView, id: string): string {
  if (!isBox(id)) return spoken(id);
  return document.boxes.find((box) => box.id === id)?.kind === "group" ? "the group's frame" : "the note";
}

/** Adds a clip's steps and chooses them. */
export async function paste(path: string, clip: Clip, label = "Paste"): Promise<void> {
  const document = documentAt(path);
  if (!document) return;
  const edit = pasted(clip, { away: 4, isPlaced: hasHandPlaces(document) });
  const count = clip.steps.length;
  const words = count === 1 ? "a step" : `${count} steps`;
  const created = await perform(path, label === "Paste" ? `Paste ${words}` : label, [edit], `added ${words}`);
  if (created && created.length > 0) reveal(created);
}

export async function rename(path: string, old: string, next: string): Promise<void> {
  renaming.set(() => null);
  const name = next.trim();
  if (!name || name === old) return;
  const edits: EditMessage[] = [{ kind: "rename-step", old, new: name }];
  if (await perform(path, `Rename ${old}`, edits, `renamed ${old} to ${name}`)) select([name]);
}

/** Begins to rename a step, or to write in a note or a group's title. */
export function beginRename(path: string, id = activeNode()): void {
  const document = documentAt(path);
  if (!document || id === undefined) return;
  if (isBox(id)) return editingBox.set(() => id);
  if (isInput(id)) return toast("An input is renamed in the inspector or in the text", "note");
  if (document.steps.find((step) => step.id === id)?.sort === "unknown") {
    return toast("This step is not known here, so it is left as it is", "note");
  }
  renaming.set(() => id);
}

// --- places

export async function move(path: string, places: ReadonlyMap<string, Point>): Promise<boolean> {
  const document = documentAt(path);
  if (!document) return false;
  const [only] = [...places.keys()];
  const what = places.size === 1 && only !== undefined ? nodeWords(document, only) : `${places.size} nodes`;
  return (await perform(path, `Move ${what}`, moves(document, places), `moved ${what}`)) !== null;
}

/** Moves what is chosen by the keyboard. */
export async function nudge(path: string, by: Point): Promise<void> {
  const document = documentAt(path);
  if (!document) return;
  const places = placesOf(document);
  const moved = new Map<string, Point>();
  for (const id of selection.get().nodes) {
    const place = places.get(id) ?? document.boxes.find((box) => box.id === id);
    if (place) moved.set(id, { x: place.x + by.x, y: place.y + by.y });
  }
  if (moved.size > 0) await move(path, moved);
}

/** Lays all nodes out anew: one change, one undo. */
export async function arrange(path: string): Promise<void> {
  const document = documentAt(path);
  if (!document) return;
  const sizes = sizesOf(document);
  const places = layoutAll(document, sizes);
  if (places.size === 0) return;
  const rects = new Map([...places].map(([id, place]) => [id, { ...place, ...sizes.get(id)! }]));
  const edits = [...moves(document, places), ...boxesAround(document, rects)];
  await perform(path, "Arrange", edits, `arranged ${places.size} nodes`);
}

/** Groups go along with what they frame; notes get out of the way. */
function boxesAround(document: DocumentView, rects: ReadonlyMap<string, Rect>): EditMessage[] {
  const before = rectsOf(document);
  const taken = [...rects.values()];
  return document.boxes.map((box) => {
    const inside = [...before].filter(([, rect]) => contains(boxRect(box), rect)).map(([id]) => rects.get(id)!);
    if (box.kind === "group") return boxEdit(box, frameAround(inside) ?? {});
    const place = freePlace(box, box, taken);
    taken.push({ ...boxRect(box), ...place });
    return boxEdit(box, place);
  });
}

export async function groupChosen(path: string): Promise<void> {
  const document = documentAt(path);
  if (!document) return;
  const rects = rectsOf(document);
  const boxes = new Map(document.boxes.map((box) => [box.id, boxRect(box)]));
  const chosen = selection.get().nodes.flatMap((id) => rects.get(id) ?? boxes.get(id) ?? []);
  const frame = frameAround(chosen);
  if (!frame) return toast("Choose the steps that belong together first", "note");
  await addBox(path, "group", frame, "Group");
}

export async function addNote(path: string, at: Point): Promise<void> {
  const document = documentAt(path);
  if (!document) return;
  const size = { width: 208, height: 96 };
  const notes = document.boxes.filter((box) => box.kind === "note");
  const taken = [...rectsOf(document).values(), ...notes.map(boxRect)];
  await addBox(path, "note", { ...freePlace(at, size, taken), ...size }, "");
}

async function addBox(path: string, kind: "note" | "group", rect: Rect, text: string): Promise<void> {
  const edit = boxEdit({ id: "", kind, ...rect, text });
  const created = await perform(path, `Add a ${kind}`, [edit], `added a ${kind}; write its text`);
  const id = created?.[0];
  if (id === undefined) return;
  select([id]);
  editingBox.set(() => id);
}

export async function changeBox(path: string, id: string, change: Partial<Rect & { text: string }>): Promise<void> {
  const box = documentAt(path)?.boxes.find((candidate) => candidate.id === id);
  if (!box) return;
  const isSame = Object.entries(change).every(([key, value]) => box[key as keyof typeof box] === value);
  if (isSame) return;
  const label = change.text === undefined ? `Resize the ${box.kind}` : `Write in the ${box.kind}`;
  await perform(path, label, [boxEdit(box, change)], label.toLowerCase());
}

export function selectAll(path: string): void {
  const document = documentAt(path);
  if (!document) return;
  const ids = nodeIds(document);
  select(ids);
  announce(`${ids.length} nodes chosen`);
}

/** The steps among what is chosen. */
export const chosenSteps = (): string[] => selection.get().nodes.filter(isStep);
