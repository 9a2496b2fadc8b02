// SPDX-License-Identifier: Apache-2.0
/** From a problem to its place: the step on the canvas, or the line in the text. */

import type { DocumentView, ProblemView } from "../api/types";
import { documents } from "../state/documents";
import { prefer, preferences } from "../state/preferences";
import { reveal } from "../state/selection";
import { createStore } from "../state/store";

/** The line that the text view is to show; `count` grows with each wish. */
export const wantedLine = createStore({ line: 0, count: 0 });

let last = -1;

export function goTo(document: DocumentView, { step, line }: ProblemView): void {
  const isDrawn = step !== "" && document.steps.some((each) => each.id === step);
  if (isDrawn && preferences.get().view !== "text") {
    reveal([step]);
    return;
  }
  prefer({ view: "text" });
  wantedLine.set((old) => ({ line: Math.max(1, line), count: old.count + 1 }));
}

/** Walks through the problems of a file, again and again. */
export function nextProblem(path: string): void {
  const document = documents.get()[path];
  if (!document?.problems.length) return;
  last = (last + 1) % document.problems.length;
  const next = document.problems[last];
  if (next) goTo(document, next);
}

export function inTheWay(document: DocumentView | null): ProblemView[] {
  return document ? document.problems.filter((each) => each.severity === "problem") : [];
}
