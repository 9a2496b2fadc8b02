// SPDX-License-Identifier: Apache-2.0
/** Questions about a document's graph. Nodes are steps and "inputs.NAME". */

import type { DocumentView, EdgeView, PortView, StepView } from "../api/types";

export const INPUTS = "inputs.";

export const isInput = (id: string): boolean => id.startsWith(INPUTS);
export const isBox = (id: string): boolean => id.includes("/");
export const isStep = (id: string): boolean => !isInput(id) && !isBox(id);
export const inputName = (id: string): string => id.slice(INPUTS.length);

/** What to call a node in a sentence. */
export const spoken = (id: string): string => (isInput(id) ? `input ${inputName(id)}` : id);

export const edgeId = (edge: Pick<EdgeView, "source" | "target" | "port">): string =>
  `${edge.source}>${edge.target}:${edge.port}`;

export function edgeById(document: DocumentView, id: string): EdgeView | undefined {
  return document.edges.find((edge) => edgeId(edge) === id);
}

export function stepById(document: DocumentView, id: string): StepView | undefined {
  return document.steps.find((step) => step.id === id);
}

/** Inputs, then steps, as the file has them. */
export function nodeIds(document: DocumentView): string[] {
  return [...document.inputs.map((input) => INPUTS + input.name), ...document.steps.map((step) => step.id)];
}

/** The type a node gives; null if anything, undefined if there is no such node. */
export function outputType(document: DocumentView, id: string): string | null | undefined {
  if (isInput(id)) return document.inputs.find((input) => input.name === inputName(id))?.type;
  return stepById(document, id)?.output;
}

export function portOf(document: DocumentView, id: string, name: string): PortView | undefined {
  return stepById(document, id)?.inputs.find((port) => port.name === name);
}

export interface Neighbours {
  before: string[];
  after: string[];
}

export function neighbours(document: DocumentView): Map<string, Neighbours> {
  const found = new Map<string, Neighbours>(nodeIds(document).map((id) => [id, { before: [], after: [] }]));
  for (const { source, target } of document.edges) {
    const from = found.get(source);
    const to = found.get(target);
    if (!from || !to) continue;
    if (!from.after.includes(target)) from.after.push(target);
    if (!to.before.includes(source)) to.before.push(source);
  }
  return found;
}

/** Every node that is reached from `id` one way, `id` itself among them. */
export function reachable(document: DocumentView, id: string, way: "before" | "after"): Set<string> {
  const all = neighbours(document);
  const seen = new Set([id]);
  for (const current of seen) {
    for (const next of all.get(current)?.[way] ?? []) seen.add(next);
  }
  return seen;
}

/** Nodes so that what is read comes before what reads it; else as in the file. */
export function inOrder(document: DocumentView): string[] {
  const all = neighbours(document);
  const done = new Set<string>();
  const order: string[] = [];
  const visiting: { id: string; next: number }[] = [];
  for (const start of nodeIds(document)) {
    if (done.has(start)) continue;
    done.add(start);
    visiting.push({ id: start, next: 0 });
    while (visiting.length > 0) {
      const top = visiting[visiting.length - 1]!;
      const before = all.get(top.id)?.before[top.next++];
      if (before === undefined) order.push(visiting.pop()!.id);
      else if (!done.has(before)) {
        done.add(before);
        visiting.push({ id: before, next: 0 });
      }
    }
  }
  return order;
}

/** `wanted`, or with a number behind it, so that no other has it. No dash: templates read it as minus. */
export function freeName(taken: Iterable<string>, wanted: string): string {
  const names = new Set(taken);
  if (!names.has(wanted)) return wanted;
  for (let number = 2; ; number++) {
    if (!names.has(`${wanted}_${number}`)) return `${wanted}_${number}`;
  }
}
