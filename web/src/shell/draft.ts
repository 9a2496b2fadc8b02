// SPDX-License-Identifier: Apache-2.0
/** Text that was typed and not sent yet; kept by this tab, also over a reload. */

export interface Draft {
  text: string;
  /** The text at which typing began, and its version. */
  base: string;
  version: number;
  /** What was sent of it last: the next version is this, and typing goes on meanwhile. */
  sent?: string;
}

const PREFIX = "lao.draft:";

export function keptDraft(path: string): Draft | null {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(PREFIX + path) ?? "null");
    return isDraft(kept) ? kept : null;
  } catch {
    return null;
  }
}

export function keepDraft(path: string, draft: Draft | null): void {
  try {
    if (draft) sessionStorage.setItem(PREFIX + path, JSON.stringify(draft));
    else sessionStorage.removeItem(PREFIX + path);
  } catch {
    // full: the draft lives as long as the view
  }
}

/** Whether nobody else changed the file since: then sending the draft takes nothing back. */
export function isStillOf(draft: Draft, document: { text: string }): boolean {
  return [draft.base, draft.text, draft.sent].includes(document.text);
}

function isDraft(value: unknown): value is Draft {
  if (typeof value !== "object" || value === null) return false;
  const { text, base, version } = value as Partial<Record<keyof Draft, unknown>>;
  return typeof text === "string" && typeof base === "string" && typeof version === "number";
}
