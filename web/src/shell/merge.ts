// SPDX-License-Identifier: Apache-2.0
/** What a merge gives, from a pick for each of its stretches. */

import type { HunkView, MergeRequest } from "../api/types";

export type Pick = MergeRequest["picks"][number];

/** The disk holds nothing of the file: it was removed, or emptied. */
export const isGone = (hunks: readonly HunkView[]): boolean => hunks.length > 0 && hunks.every(({ theirs }) => theirs.length === 0);

/** A conflict has none at first: it is a person's to choose. Of a file that is gone, what is here is kept. */
export function firstPicks(hunks: readonly HunkView[]): (Pick | null)[] {
  if (isGone(hunks)) return hunks.map(() => "mine");
  return hunks.map(({ kind }) => (kind === "conflict" ? null : kind === "theirs" ? "theirs" : "mine"));
}

export function pickedLines(hunk: HunkView, pick: Pick): string[] {
  switch (pick) {
    case "mine":
      return hunk.mine;
    case "theirs":
      return hunk.theirs;
    case "base":
      return hunk.base;
    case "mine-then-theirs":
      return [...hunk.mine, ...hunk.theirs];
  }
}

/** The picks, if there is one for each stretch. */
export function complete(picks: readonly (Pick | null)[]): Pick[] | null {
  const made = picks.filter((each) => each !== null);
  return made.length === picks.length ? made : null;
}

export interface ResultLine {
  text: string;
  /** Where it comes from; "open" stands for a conflict that nobody decided yet. */
  from: HunkView["kind"] | Pick | "open";
}

/** The lines of the result, as far as it is decided. */
export function result(hunks: readonly HunkView[], picks: readonly (Pick | null)[]): ResultLine[] {
  return hunks.flatMap((hunk, index): ResultLine[] => {
    const pick = picks[index] ?? null;
    if (pick === null) return [{ text: "", from: "open" }];
    const from = hunk.kind === "same" || hunk.kind === "both" ? hunk.kind : pick;
    return pickedLines(hunk, pick).map((line) => ({ text: withoutEnd(line), from }));
  });
}

export function withoutEnd(line: string): string {
  return line.replace(/\r?\n$/, "");
}
