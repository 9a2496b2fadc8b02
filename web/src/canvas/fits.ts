// SPDX-License-Identifier: Apache-2.0
/** What may be connected to what: the verdicts of `lao check`, looked up. */

import type { DocumentView, EdgeView, FitView, PaletteEntry, PaletteView, PortView } from "../api/types";
import { INPUTS, inOrder, outputType, reachable, stepById } from "./graph";

type Type = string | null | undefined;

/** Why `output` may not go into `input`; null if it may. */
export function misfit(palette: PaletteView | null, output: Type, input: Type): FitView | null {
  if (!palette || output == null || input == null) return null;
  return palette.misfits[output]?.[input] ?? null;
}

/** A verdict on one connection that a person might make. */
export interface Verdict {
  source: string;
  target: string;
  /** "" lets the target only wait. */
  port: string;
  /** The source's type. */
  output: string | null;
  input: string | null;
  /** Why not; "" if it fits. */
  reason: string;
  /** The palette entry that would mend it, "" if none. */
  converter: string;
  isConnected: boolean;
}

/** Judges `source` into `target`'s port, with a loop among the reasons. */
export function judge(
  document: DocumentView,
  palette: PaletteView | null,
  { source, target, port }: Pick<EdgeView, "source" | "target" | "port">,
  after: ReadonlySet<string> = reachable(document, target, "after"),
): Verdict {
  const step = stepById(document, target);
  const view = step?.inputs.find((candidate) => candidate.name === port);
  const output = outputType(document, source);
  const verdict: Verdict = {
    source,
    target,
    port,
    output: output ?? null,
    input: view?.type ?? null,
    reason: "",
    converter: "",
    isConnected: document.edges.some(
      (edge) => edge.source === source && edge.target === target && edge.port === port,
    ),
  };
  if (output === undefined) return { ...verdict, reason: `there is no ${source}` };
  if (!step || (port !== "" && !view)) return { ...verdict, reason: `${target} has no such port` };
  if (step.sort === "unknown") return { ...verdict, reason: "this step is not known here, so it is left as it is" };
  if (source === target) return { ...verdict, reason: "a step cannot read itself" };
  if (after.has(source)) return { ...verdict, reason: `${source} needs ${target}, so this would be a loop` };
  if (port === "") {
    return source.startsWith(INPUTS) ? { ...verdict, reason: "an input is there from the start" } : verdict;
  }
  const found = misfit(palette, output, view?.type);
  return found ? { ...verdict, reason: found.reason, converter: found.converter } : verdict;
}

/** Where the output of `source` can go: what is wanting, what fits, what a converter mends, what is connected, waits. */
export function targetsFor(document: DocumentView, palette: PaletteView | null, source: string): Verdict[] {
  const before = reachable(document, source, "before");
  const found: Verdict[] = [];
  for (const step of document.steps) {
    if (before.has(step.id)) continue;
    for (const port of ["", ...step.inputs.map((input) => input.name)]) {
      found.push(judge(document, palette, { source, target: step.id, port }, NOTHING));
    }
  }
  return ranked(document, found);
}

/** What the ports of `target` can read, in the same order. */
export function sourcesFor(document: DocumentView, palette: PaletteView | null, target: string): Verdict[] {
  const step = stepById(document, target);
  if (!step) return [];
  const after = reachable(document, target, "after");
  const found: Verdict[] = [];
  for (const source of inOrder(document)) {
    if (after.has(source)) continue;
    for (const port of ["", ...step.inputs.map((input) => input.name)]) {
      found.push(judge(document, palette, { source, target, port }, after));
    }
  }
  return ranked(document, found);
}

const NOTHING: ReadonlySet<string> = new Set();

/** A converter is offered for what a step needs and has not, not for every small parameter. */
function ranked(document: DocumentView, verdicts: Verdict[]): Verdict[] {
  const wanting = new Set(
    document.steps.flatMap((step) => step.inputs.filter((port) => port.is_required).map((port) => `${step.id}:${port.name}`)),
  );
  for (const { target, port } of document.edges) wanting.delete(`${target}:${port}`);
  const rank = ({ target, port, reason, converter, isConnected }: Verdict): number | null => {
    const isWanting = wanting.has(`${target}:${port}`);
    if (isConnected) return 3;
    if (reason !== "") return converter !== "" && isWanting ? 2 : null;
    return port === "" ? 4 : isWanting ? 0 : 1;
  };
  return verdicts
    .map((verdict) => ({ verdict, rank: rank(verdict) }))
    .filter((each): each is { verdict: Verdict; rank: number } => each.rank !== null)
    .sort((a, b) => a.rank - b.rank)
    .map((each) => each.verdict);
}

/** The port of an entry that a value of type `output` would go to: one it needs, else its first. */
export function portTaking(palette: PaletteView | null, entry: PaletteEntry, output: Type): PortView | undefined {
  const needed = entry.inputs.filter((port) => port.is_required);
  const main = needed.length > 0 ? needed : entry.inputs.slice(0, 1);
  return main.find((port) => !misfit(palette, output, port.type));
}

/** The entries that take a value of type `output`. */
export function entriesTaking(palette: PaletteView | null, output: Type): PaletteEntry[] {
  return (palette?.entries ?? []).filter((entry) => portTaking(palette, entry, output) !== undefined);
}

/** The entries that give what a port of type `input` takes. */
export function entriesGiving(palette: PaletteView | null, input: Type): PaletteEntry[] {
  return (palette?.entries ?? []).filter((entry) => !misfit(palette, entry.output, input));
}
