// SPDX-License-Identifier: Apache-2.0
/** The edits that a gesture on the canvas comes to: always one request, one undo. */

import type { BoxView, DocumentView, EdgeView, EditMessage, PaletteEntry, PaletteView } from "../api/types";
import { type Verdict, portTaking } from "./fits";
import { type Point, type Rect, snap } from "./geometry";
import { INPUTS, edgeById, edgeId, freeName, inputName, isBox, isInput, isStep, nodeIds } from "./graph";

type Ends = Pick<EdgeView, "source" | "target" | "port">;

/** Puts nodes and boxes where they were let go. */
export function moves(document: DocumentView, places: ReadonlyMap<string, Point>): EditMessage[] {
  return [...places].flatMap(([id, place]): EditMessage[] => {
    const x = snap(place.x);
    const y = snap(place.y);
    if (!isBox(id)) return [{ kind: "set-position", node: id, x, y }];
    const box = document.boxes.find((candidate) => candidate.id === id);
    return box ? [boxEdit(box, { x, y })] : [];
  });
}

export function boxEdit(box: BoxView, change: Partial<Rect & { text: string }> = {}): EditMessage {
  const { id, kind, x, y, width, height, text } = { ...box, ...change };
  return {
    kind: "set-box",
    id,
    box: kind,
    x: snap(x),
    y: snap(y),
    width: snap(width),
    height: snap(height),
    text,
  };
}

/** Takes nodes and connections away, and every link that led from what is gone. */
export function removal(document: DocumentView, nodes: readonly string[], edges: readonly string[] = []): EditMessage[] {
  const gone = new Set(nodes);
  const cut = document.edges.filter(
    (edge) => !gone.has(edge.target) && (gone.has(edge.source) || edges.includes(edgeId(edge))),
  );
  const waits = document.edges.filter((edge) => edge.kind === "wait" && gone.has(edge.target));
  const outputs = document.outputs.filter((output) => output.reads.some((read) => gone.has(read)));
  return [
    ...[...cut, ...waits].map(disconnection),
    ...outputs.map((output): EditMessage => ({ kind: "remove-value", path: ["outputs", output.name] })),
    ...nodes.map((id): EditMessage => {
      if (isInput(id)) return { kind: "remove-value", path: ["inputs", inputName(id)] };
      return isBox(id) ? { kind: "remove-box", id } : { kind: "remove-step", id };
    }),
  ];
}

export const connection = ({ source, target, port }: Ends): EditMessage => ({ kind: "connect", source, target, port });

export const disconnection = ({ source, target, port }: Ends): EditMessage => ({
  kind: "disconnect",
  source,
  target,
  port,
});

/** Moves an end of a connection. */
export function reconnection(document: DocumentView, id: string, next: Ends): EditMessage[] {
  const old = edgeById(document, id);
  if (!old || edgeId(old) === edgeId(next)) return [];
  return [disconnection(old), connection(next)];
}

/** A new step, put together from a palette entry: its id, and the edit that adds it. */
export function fromEntry(
  document: DocumentView,
  entry: PaletteEntry,
  place: Point | null,
): { id: string; edit: EditMessage } {
  const wanted = typeof entry.step["id"] === "string" ? entry.step["id"] : nameOf(entry);
  const id = freeName(nodeIds(document), wanted);
  const positions: Record<string, [number, number]> = place ? { [id]: [snap(place.x), snap(place.y)] } : {};
  return { id, edit: { kind: "paste", steps: [{ ...entry.step, id }], positions } };
}

/** Puts the converter that a verdict names between its two ends. */
export function bridge(
  document: DocumentView,
  palette: PaletteView,
  verdict: Verdict,
  place: Point | null,
): { id: string; edits: EditMessage[] } | null {
  const entry = palette.entries.find((candidate) => candidate.id === verdict.converter);
  const port = entry && portTaking(palette, entry, verdict.output);
  if (!entry || !port) return null;
  const { id, edit } = fromEntry(document, entry, place);
  const { source, target } = verdict;
  const edits: EditMessage[] = [
    edit,
    ...behind(source, id),
    connection({ source, target: id, port: port.name }),
    connection({ source: id, target, port: verdict.port }),
  ];
  return { id, edits };
}

/** Adds a step that gives its output to a port. */
export function feeding(
  document: DocumentView,
  entry: PaletteEntry,
  { target, port }: { target: string; port: string },
  place: Point | null,
): { id: string; edits: EditMessage[] } {
  const { id, edit } = fromEntry(document, entry, place);
  return { id, edits: [edit, connection({ source: id, target, port })] };
}

/** A step that reads another is easier to read behind it. */
function behind(source: string, id: string): EditMessage[] {
  return isStep(source) ? [{ kind: "move-step", id, after: source }] : [];
}

/** An input of the workflow, and where it is drawn. */
export function newInput(
  document: DocumentView,
  { type, name = type }: { type: string; name?: string },
  place: Point | null,
): { id: string; edits: EditMessage[] } {
  const free = freeName(
    document.inputs.map((input) => input.name),
    name,
  );
  const id = INPUTS + free;
  const edits: EditMessage[] = [{ kind: "set-value", path: ["inputs", free], value: { type } }];
  if (place) edits.push({ kind: "set-position", node: id, x: snap(place.x), y: snap(place.y) });
  return { id, edits };
}

/** A name a step can have, from what its entry is called. */
function nameOf(entry: PaletteEntry): string {
  const name = entry.title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "");
  return /^[a-z]/.test(name) ? name : `step_${name}`.replace(/_$/, "");
}
