// SPDX-License-Identifier: Apache-2.0
/**
 * Following runs: one stream of facts for each file, folded into its state.
 *
 * Facts are folded together a few times a second; pieces of text never reach the state.
 */

import { api } from "../api/client";
import { follow } from "../api/stream";
import type { RunMessage, RunSummary, RunView } from "../api/types";
import { workspace } from "../state/workspace";
import { appendText, BEGINNING, textSince } from "../values/streams";
import { beginning, CUT_SHORT, fold, type Run } from "./fold";
import { hear, hush } from "./pace";
import { changeRuns, isRunning, recollect, runsOf } from "./store";
import { own } from "../state/own";

const SOON = 16; // milliseconds
const QUICK = new Set(["progress-made", "item-finished"]);
const PER_QUICK = 100;
const MOST_LISTED = 200;

/** The files whose runs were looked for. */
const started = new Set<string>();
const followed = new Map<string, { run: string; stop: AbortController }>();

/** Shows a run on the graph, and follows it as long as it goes on. */
export function followRun(path: string, view: RunView): void {
  followed.get(path)?.stop.abort();
  const stop = new AbortController();
  followed.set(path, { run: view.summary.id, stop });
  hush(path);
  changeRuns(path, { current: view, log: [], isLost: false, isStopping: false });
  const folding = new Folding(path, view, stop);
  void follow<RunMessage>(
    "/api/run/events",
    { id: view.summary.id },
    (message) => folding.take(message),
    stop.signal,
    {
      endsByItself: true,
      onState: (state) => changeRuns(path, { isLost: state === "lost" }),
    },
  ).then(() => {
    if (!stop.signal.aborted) void folding.end();
  });
}

/** Facts on their way into the state of a file. */
class Folding {
  private known: Run;
  /** The number of the last message: pieces of text count, though they are not folded. */
  private heard = 0;
  private log: RunMessage[] = [];
  private waiting: RunMessage[] = [];
  private hasCaughtUp = false;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private due = Infinity;

  constructor(
    private readonly path: string,
    private readonly view: RunView,
    private readonly stop: AbortController,
  ) {
    this.known = beginning(view);
  }

  take(message: RunMessage): void {
    if (this.stop.signal.aborted) return;
    hear(this.path, message);
    const wasBehind = this.heard < this.view.sequence;
    this.heard = Math.max(this.heard, message.sequence);
    if (message.kind === "text-produced") {
      if (wasBehind) this.flushIn(SOON);
      return;
    }
    this.waiting.push(message);
    this.flushIn(QUICK.has(message.kind) ? PER_QUICK : SOON);
  }

  private flushIn(delay: number): void {
    const due = performance.now() + delay;
    if (due >= this.due) return;
    if (this.timer !== null) clearTimeout(this.timer);
    this.due = due;
    this.timer = setTimeout(() => this.flush(), delay);
  }

  private flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.due = Infinity;
    if (this.stop.signal.aborted) return;
    const facts = this.waiting.filter((message) => message.kind !== "progress-made");
    if (facts.length > 0) this.log = [...this.log, ...facts];
    this.known = fold(this.known, this.waiting);
    this.waiting = [];
    // After a reload the kept facts come anew: until they have, what was read whole stands.
    if (this.heard < this.view.sequence) return;
    if (!this.hasCaughtUp) this.recallTexts();
    this.hasCaughtUp = true;
    changeRuns(this.path, { current: this.known, log: this.log, isLost: false });
  }

  /** What running steps had said before the page was there to hear it. */
  private recallTexts(): void {
    for (const [id, step] of Object.entries(this.view.steps)) {
      const isSilent = textSince(this.path, id, BEGINNING).end === 0;
      if (isSilent && own(this.known.steps, id)?.status === "running") appendText(this.path, id, step.text);
    }
  }

  /** The run has ended: what the server knows of it now is final. */
  async end(): Promise<void> {
    this.flush();
    const { path } = this;
    try {
      const final = await api.get<RunView>("/api/run", { id: this.view.summary.id });
      if (this.stop.signal.aborted) return;
      changeRuns(path, { current: { ...this.known, ...final, steps: merged(this.known, final) }, log: this.log });
    } catch {
      // Not kept, or the server forgot it as it was started anew: what was heard stands.
      const { summary } = this.known;
      if (summary.status === "running") {
        changeRuns(path, { current: { ...this.known, summary: { ...summary, status: "interrupted" } } });
      }
    }
    changeRuns(path, { isStopping: false, isLost: false });
    this.stop.abort();
    await loadHistory(path);
  }
}

/** The steps as the server tells them, with what only the page knows. */
function merged(known: Run, final: RunView): Run["steps"] {
  const steps: Run["steps"] = {};
  for (const [id, step] of Object.entries(final.steps)) {
    const old = own(known.steps, id);
    if (step.status === "running") steps[id] = old ?? { ...step, status: "skipped", why: CUT_SHORT };
    else if (old?.status !== step.status) steps[id] = step;
    // The output came whole with its fact; a view of all of them shows less of each.
    else steps[id] = { ...old, ...step, output: old.output ?? step.output, seconds: step.seconds || old.seconds };
  }
  return steps;
}

/** Reads which runs a file had. */
export async function loadHistory(path: string): Promise<RunSummary[]> {
  try {
    const history = await api.get<RunSummary[]>("/api/runs", { path, limit: MOST_LISTED });
    changeRuns(path, { history });
    return history;
  } catch {
    return runsOf(path).history; // it is asked for again at the next run
  }
}

/** A file came onto the screen: finds its run that goes on, or that this tab showed. */
export async function findRuns(path: string): Promise<void> {
  const { inputs, breakpoints, run } = recollect(path);
  if (!started.has(path)) {
    started.add(path);
    changeRuns(path, { inputs, breakpoints });
  }
  const history = await loadHistory(path);
  if (isRunning(runsOf(path))) return;
  const going = history.find((each) => each.status === "running");
  const last = going ?? (runsOf(path).current ? undefined : history.find((each) => each.id === run));
  if (last) await showCurrent(path, last.id);
}

/** Something was said of a run by the server: it began here or in another window, or ended. */
export async function runChanged(path: string, run: string, status: string): Promise<void> {
  if (!started.has(path)) return;
  const { current, isStarting } = runsOf(path);
  const isKnown = followed.get(path)?.run === run || isStarting;
  if (status === "running" && !isKnown && current?.summary.status !== "running") await showCurrent(path, run);
  else await loadHistory(path);
}

export async function showCurrent(path: string, run: string): Promise<void> {
  try {
    followRun(path, await api.get<RunView>("/api/run", { id: run }));
  } catch {
    // it was forgotten meanwhile
  }
}

/** The file was closed in this tab. A run of it goes on without being looked at. */
export function leaveRuns(path: string): void {
  followed.get(path)?.stop.abort();
  followed.delete(path);
  started.delete(path);
}

/** Leaves the files that have no tab any more. */
export function leaveClosed(): void {
  const { tabs } = workspace.get();
  for (const path of [...started]) if (!tabs.includes(path)) leaveRuns(path);
}
