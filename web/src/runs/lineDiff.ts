// SPDX-License-Identifier: Apache-2.0
/** Which lines of two texts differ, side by side. Myers' O(ND), with an upper bound. */

export interface DiffRow {
  kind: "same" | "changed" | "removed" | "added";
  before: string | null;
  after: string | null;
}

const MOST_EDITS = 800; // beyond it two texts have little in common: all of it is marked

/** Both texts line by line; lines that take each other's place stand in one row. */
export function diffLines(before: string, after: string): DiffRow[] {
  const left = linesOf(before);
  const right = linesOf(after);
  let head = 0;
  while (head < left.length && head < right.length && left[head] === right[head]) head += 1;
  let tail = 0;
  const most = Math.min(left.length, right.length) - head;
  while (tail < most && left[left.length - 1 - tail] === right[right.length - 1 - tail]) tail += 1;
  const same = (lines: string[]): DiffRow[] => lines.map((line) => ({ kind: "same", before: line, after: line }));
  return [
    ...same(left.slice(0, head)),
    ...middle(left.slice(head, left.length - tail), right.slice(head, right.length - tail)),
    ...same(left.slice(left.length - tail)),
  ];
}

/** No text has no lines: an output that only one run has stands alone. */
function linesOf(text: string): string[] {
  return text === "" ? [] : text.split("\n");
}

function middle(left: string[], right: string[]): DiffRow[] {
  const pairs = commonLines(left, right);
  const rows: DiffRow[] = [];
  let from = 0;
  let to = 0;
  for (const [i, j] of [...pairs, [left.length, right.length] as const]) {
    rows.push(...replaced(left.slice(from, i), right.slice(to, j)));
    if (i < left.length) rows.push({ kind: "same", before: left[i] ?? "", after: right[j] ?? "" });
    from = i + 1;
    to = j + 1;
  }
  return rows;
}

function replaced(gone: string[], come: string[]): DiffRow[] {
  const rows: DiffRow[] = [];
  for (let place = 0; place < Math.max(gone.length, come.length); place += 1) {
    const before = gone[place] ?? null;
    const after = come[place] ?? null;
    rows.push({ kind: before === null ? "added" : after === null ? "removed" : "changed", before, after });
  }
  return rows;
}

/** The places of the lines that both share, in order: a longest such list. */
function commonLines(left: string[], right: string[]): [number, number][] {
  const limit = Math.min(left.length + right.length, MOST_EDITS);
  const reach = new Map<number, number>([[1, 0]]);
  const trace: Map<number, number>[] = [];
  for (let edits = 0; edits <= limit; edits += 1) {
    trace.push(new Map(reach));
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let x = isDown(reach, diagonal, edits) ? (reach.get(diagonal + 1) ?? 0) : (reach.get(diagonal - 1) ?? 0) + 1;
      while (x < left.length && x - diagonal < right.length && left[x] === right[x - diagonal]) x += 1;
      reach.set(diagonal, x);
      if (x >= left.length && x - diagonal >= right.length) return walkedBack(trace, left, right);
    }
  }
  return [];
}

function isDown(reach: Map<number, number>, diagonal: number, edits: number): boolean {
  if (diagonal === -edits) return true;
  return diagonal !== edits && (reach.get(diagonal - 1) ?? 0) < (reach.get(diagonal + 1) ?? 0);
}

function walkedBack(trace: Map<number, number>[], left: string[], right: string[]): [number, number][] {
  const pairs: [number, number][] = [];
  let x = left.length;
  let y = right.length;
  for (let edits = trace.length - 1; edits >= 0; edits -= 1) {
    const reach = trace[edits] ?? new Map<number, number>();
    const diagonal = x - y;
    const from = isDown(reach, diagonal, edits) ? diagonal + 1 : diagonal - 1;
    const startX = edits === 0 ? 0 : (reach.get(from) ?? 0);
    const startY = edits === 0 ? 0 : startX - from;
    while (x > startX && y > startY && left[x - 1] === right[y - 1]) {
      x -= 1;
      y -= 1;
      pairs.push([x, y]);
    }
    x = startX;
    y = startY;
  }
  return pairs.reverse();
}

/** How many lines differ. */
export function changedLines(rows: readonly DiffRow[]): number {
  return rows.filter((row) => row.kind !== "same").length;
}

/** The rows near a change; null stands for a stretch of equal lines left out. */
export function nearChanges(rows: readonly DiffRow[], around = 3): (DiffRow | null)[] {
  const near = new Uint8Array(rows.length);
  rows.forEach((row, place) => {
    if (row.kind === "same") return;
    near.fill(1, Math.max(0, place - around), Math.min(rows.length, place + around + 1));
  });
  const shown: (DiffRow | null)[] = [];
  rows.forEach((row, place) => {
    if (near[place]) shown.push(row);
    else if (shown.at(-1) !== null) shown.push(null);
  });
  return shown;
}
