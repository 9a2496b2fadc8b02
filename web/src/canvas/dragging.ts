// SPDX-License-Identifier: Apache-2.0
/** The connection that is being drawn, and what each port says to it. */

import type { DocumentView, EdgeView, PaletteView } from "../api/types";
import { createStore } from "../state/store";
import { type Verdict, judge } from "./fits";
import { OUTPUT_PORT, WAIT_PORT } from "./geometry";
import { outputType, portOf, reachable } from "./graph";

export interface Dragged {
  document: DocumentView;
  palette: PaletteView | null;
  node: string;
  /** The port it was drawn from; "" for a wait. */
  port: string;
  side: "source" | "target";
  type: string | null;
  /** What `node` needs, or what needs it: connecting there would be a loop. */
  loop: ReadonlySet<string>;
}

export const dragged = createStore<Dragged | null>(null);

export function begin(document: DocumentView, palette: PaletteView | null, node: string, handle: string, side: "source" | "target"): void {
  const port = side === "source" ? "" : portName(handle);
  const type = side === "source" ? outputType(document, node) : portOf(document, node, port)?.type;
  const loop = reachable(document, node, side === "source" ? "before" : "after");
  dragged.set(() => ({ document, palette, node, port, side, type: type ?? null, loop }));
}

export function end(): void {
  dragged.set(() => null);
}

/** Our name of a port, from React Flow's. */
export const portName = (handle: string | null): string => (handle === null || handle === WAIT_PORT ? "" : handle);

/** The connection that letting go at a port would make; null where none can be. */
export function endsAt(drag: Dragged, node: string, handle: string): Pick<EdgeView, "source" | "target" | "port"> | null {
  const isSource = handle === OUTPUT_PORT;
  if (drag.side === "source" ? isSource : !isSource) return null;
  return drag.side === "source"
    ? { source: drag.node, target: node, port: portName(handle) }
    : { source: node, target: drag.node, port: drag.port };
}

export function verdictAt(drag: Dragged, node: string, handle: string): Verdict | null {
  const ends = endsAt(drag, node, handle);
  if (!ends) return null;
  const after = drag.side === "target" ? drag.loop : drag.loop.has(node) ? new Set([drag.node]) : NOTHING;
  return judge(drag.document, drag.palette, ends, after);
}

const NOTHING: ReadonlySet<string> = new Set();

/** "takes" or "refuses", or "" for a port that is not asked. */
export function answer(drag: Dragged | null, node: string, handle: string): "" | "takes" | "refuses" {
  const verdict = drag && verdictAt(drag, node, handle);
  if (!verdict) return "";
  return verdict.reason === "" ? "takes" : "refuses";
}

/** The port of a node that a value let go on the node itself would go to. */
export function bestPort(drag: Dragged, node: string): Verdict | null {
  const ports = drag.document.steps.find((step) => step.id === node)?.inputs ?? [];
  const handles = drag.side === "source" ? ports.map((port) => port.name) : [OUTPUT_PORT];
  const verdicts = handles.map((handle) => verdictAt(drag, node, handle)).filter((each) => each !== null);
  return (
    verdicts.find((each) => each.reason === "" && !each.isConnected) ??
    verdicts.find((each) => each.reason === "") ??
    verdicts.find((each) => each.converter !== "") ??
    verdicts[0] ??
    null
  );
}
