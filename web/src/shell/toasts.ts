// SPDX-License-Identifier: Apache-2.0
/** Short messages that come and go; a refusal stays until it is read. */

import type { ProblemView } from "../api/types";
import { createStore } from "../state/store";

export interface Toast {
  id: number;
  tone: "note" | "good" | "bad";
  text: string;
  mend: string;
  action: { label: string; run: () => void } | null;
}

const MOST = 4;
const STAYS = { note: 5000, good: 3500, bad: 12_000 } as const;

export const toasts = createStore<Toast[]>([]);
let count = 0;

export function toast(
  text: string,
  tone: Toast["tone"] = "note",
  { mend = "", action = null }: Partial<Pick<Toast, "mend" | "action">> = {},
): void {
  const id = (count += 1);
  toasts.set((old) => [...old.filter((each) => each.text !== text), { id, tone, text, mend, action }].slice(-MOST));
  setTimeout(() => dismiss(id), STAYS[tone]);
}

/** Says why something was refused. */
export function toastProblems(problems: readonly ProblemView[]): void {
  const [first] = problems;
  if (!first) return;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  toast(first.what + more, "bad", { mend: first.mend });
}

export function dismiss(id: number): void {
  toasts.set((old) => (old.some((each) => each.id === id) ? old.filter((each) => each.id !== id) : old));
}
