// SPDX-License-Identifier: Apache-2.0
/** What is chosen on the canvas, in the list or in a list of problems. */

import { createStore } from "./store";

export interface Selection {
  /** Step ids, "inputs.NAME", and ids of boxes. */
  nodes: string[];
  /** Ids of edges, as the canvas names them. */
  edges: string[];
  /** Counts up when the chosen node is to be brought into view. */
  reveal: number;
}

export const selection = createStore<Selection>({ nodes: [], edges: [], reveal: 0 });

export function select(nodes: string[]): void {
  selection.set((old) => (same(old.nodes, nodes) && !old.edges.length ? old : { ...old, nodes, edges: [] }));
}

export function selectEdge(id: string): void {
  selection.set((old) => ({ ...old, nodes: [], edges: [id] }));
}

/** Chooses nodes and asks the canvas to show them. */
export function reveal(nodes: string[]): void {
  selection.set((old) => ({ nodes, edges: [], reveal: old.reveal + 1 }));
}

function same(a: string[], b: string[]): boolean {
  return a.length === b.length && a.every((each, index) => each === b[index]);
}
