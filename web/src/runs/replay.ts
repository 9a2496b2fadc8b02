// SPDX-License-Identifier: Apache-2.0
/** Earlier runs on the graph, fact by fact; and the whole of a long output. */

import { api } from "../api/client";
import { follow } from "../api/stream";
import type { RunMessage, RunView, ValuePage, ValueView } from "../api/types";
import { toastProblems } from "../shell/toasts";
import { beginning, fold, type Run } from "./fold";
import { changeRuns, runsOf, type ShownRun } from "./store";
import { problemsOf } from "./starting";

const LONGEST = 2_000_000; // characters that a page compares or edits

/** Shows an earlier run on the graph, as it was at its end. */
export async function showRun(path: string, id: string): Promise<void> {
  try {
    const whole = await api.get<RunView>("/api/run", { id });
    const messages = await factsOf(id);
    changeRuns(path, { shown: { whole, run: whole, messages, position: messages.length } });
  } catch (error) {
    toastProblems(problemsOf(error));
  }
}

export function backToNow(path: string): void {
  changeRuns(path, { shown: null });
}

/** Shows the run as it was after so many of its facts. */
export function stepTo(path: string, position: number): void {
  const { shown } = runsOf(path);
  if (!shown || shown.position === position) return;
  changeRuns(path, { shown: at(shown, position) });
}

export function at(shown: ShownRun, position: number): ShownRun {
  const place = Math.max(0, Math.min(shown.messages.length, position));
  const run: Run =
    place === shown.messages.length ? shown.whole : fold(beginning(shown.whole), shown.messages.slice(0, place));
  return { ...shown, run, position: place };
}

/** The kept facts of a run that has ended. */
async function factsOf(id: string): Promise<RunMessage[]> {
  const messages: RunMessage[] = [];
  const stop = new AbortController();
  const keep = (message: RunMessage): void => {
    if (message.kind !== "text-produced" && message.kind !== "progress-made") messages.push(message);
  };
  await follow<RunMessage>("/api/run/events", { id }, keep, stop.signal, { endsByItself: true });
  return messages;
}

/** The text of an output, all of it: pages are fetched where the view holds only its beginning. */
export async function wholeText(run: string, step: string, view: ValueView): Promise<string> {
  if (view.is_whole) return shownText(view);
  let text = "";
  for (let offset: number | null = 0; offset !== null && text.length < LONGEST; ) {
    const page: ValuePage = await api.get<ValuePage>("/api/run/value", { id: run, step, offset });
    text += page.text;
    offset = page.next;
  }
  return text;
}

export function shownText(view: ValueView): string {
  if (view.kind === "none") return "";
  if (view.text !== "" || view.kind === "text") return view.text;
  if (view.kind === "file") return view.files.map((file) => file.path || file.name).join("\n");
  return JSON.stringify(view.data, null, 2);
}
