// SPDX-License-Identifier: Apache-2.0
/** Where a run is to pause, by the graph of its steps. */

import type { DocumentView, EdgeView } from "../api/types";

type Graph = Pick<DocumentView, "steps" | "edges">;

/** The steps in an order in which they could run; of equals the file's order. */
export function runOrder({ steps, edges }: Graph): string[] {
  const left = new Map(steps.map((step) => [step.id, sourcesOf(edges, step.id)]));
  const order: string[] = [];
  while (left.size > 0) {
    const ready = [...left].find(([, sources]) => sources.every((source) => !left.has(source)));
    const [id] = ready ?? [...left.keys()]; // a circle is a problem of the file: the check says so
    if (id === undefined) break;
    left.delete(id);
    order.push(id);
  }
  return order;
}

/** The steps before which a run stops next: on each way, the first marked one that it would reach. */
export function nextBreakpoints(
  graph: Graph,
  marked: readonly string[],
  { start, until, past = [] }: { start?: string | undefined; until?: string | undefined; past?: Iterable<string> },
): string[] {
  const passed = new Set(past);
  const wanted = until === undefined ? null : reached(graph.edges, until, "up");
  const anew = start === undefined ? null : reached(graph.edges, start, "down");
  const isReached = (id: string) => !passed.has(id) && (wanted?.has(id) ?? true) && (anew?.has(id) ?? true);
  const found: string[] = [];
  const held = new Set<string>();
  for (const id of runOrder(graph)) {
    if (held.has(id) || !marked.includes(id) || !isReached(id)) continue;
    found.push(id);
    for (const follower of reached(graph.edges, id, "down")) held.add(follower);
  }
  return found;
}

/** The steps whose outputs a step reads. */
export function readBy(graph: Graph, step: string): string[] {
  const ids = new Set(graph.steps.map((each) => each.id));
  const sources = graph.edges.filter((edge) => edge.target === step && edge.kind === "data").map((edge) => edge.source);
  return [...new Set(sources)].filter((source) => ids.has(source));
}

function sourcesOf(edges: readonly EdgeView[], step: string): string[] {
  return edges.filter((edge) => edge.target === step).map((edge) => edge.source);
}

function reached(edges: readonly EdgeView[], from: string, way: "up" | "down"): Set<string> {
  const found = new Set([from]);
  for (const id of found) {
    for (const edge of edges) {
      if (way === "up" && edge.target === id) found.add(edge.source);
      if (way === "down" && edge.source === id) found.add(edge.target);
    }
  }
  return found;
}
