// SPDX-License-Identifier: Apache-2.0
/**
 * A layered drawing of a graph, left to right (after Sugiyama): columns by the longest
 * way from a source, few crossings by barycentres, heights by isotonic regression.
 * 200 nodes take some milliseconds; general libraries took half a second.
 */

import type { Point } from "./geometry";

interface Size {
  width: number;
  height: number;
}

/** A node in its column; without an id, the bend of a connection that passes a column by. */
interface Cell {
  id: string | null;
  height: number;
  before: Cell[];
  after: Cell[];
  /** Its place in the column, from the top. */
  row: number;
  /** The height of its middle. */
  middle: number;
}

type Column = Cell[];

const ROW_GAP = 28;
const COLUMN_GAP = 56;
const SWEEPS = 8;

/** The upper left corners. Connections that close a loop are left out of account. */
export function layered(sizes: ReadonlyMap<string, Size>, links: readonly (readonly [string, string])[]): Map<string, Point> {
  const { order, after } = withoutLoops([...sizes.keys()], links);
  const columns = columnsOf(order, after, sizes);
  uncross(columns);
  straighten(columns);
  const places = new Map<string, Point>();
  let x = 0;
  for (const column of columns) {
    for (const { id, middle, height } of column) if (id !== null) places.set(id, { x, y: middle - height / 2 });
    x += Math.max(0, ...column.map(({ id }) => (id === null ? 0 : sizes.get(id)!.width))) + COLUMN_GAP;
  }
  const top = Math.min(...[...places.values()].map(({ y }) => y));
  return new Map([...places].map(([id, place]) => [id, { x: place.x, y: place.y - top }]));
}

/** Nodes so that every link leads forwards, and the links that do. */
function withoutLoops(ids: readonly string[], links: readonly (readonly [string, string])[]) {
  const next = new Map<string, string[]>(ids.map((id) => [id, []]));
  for (const [from, to] of links) {
    const targets = next.get(from);
    if (targets && next.has(to) && !targets.includes(to)) targets.push(to);
  }
  const order: string[] = [];
  const state = new Map<string, "open" | "done">();
  const after = new Map<string, string[]>(ids.map((id) => [id, []]));
  // From the last to the first, so that what is taken first comes out first.
  for (const start of [...ids].reverse()) {
    if (state.has(start)) continue;
    const way = [{ id: start, at: 0 }];
    state.set(start, "open");
    while (way.length > 0) {
      const top = way[way.length - 1]!;
      const targets = next.get(top.id)!;
      const target = targets[targets.length - 1 - top.at++];
      if (target === undefined) {
        state.set(top.id, "done");
        order.push(top.id);
        way.pop();
        continue;
      }
      if (state.get(target) === "open") continue; // it would close a loop
      after.get(top.id)!.push(target);
      if (state.has(target)) continue;
      state.set(target, "open");
      way.push({ id: target, at: 0 });
    }
  }
  return { order: order.reverse(), after };
}

function columnsOf(order: readonly string[], after: ReadonlyMap<string, string[]>, sizes: ReadonlyMap<string, Size>): Column[] {
  const ranks = ranksOf(order, after);
  const cells = new Map<string, Cell>();
  const columns: Column[] = [];
  const add = (id: string | null, height: number, rank: number): Cell => {
    const cell: Cell = { id, height, before: [], after: [], row: 0, middle: 0 };
    (columns[rank] ??= []).push(cell);
    return cell;
  };
  for (let rank = 0; rank <= Math.max(0, ...ranks.values()); rank++) columns[rank] = [];
  for (const id of order) cells.set(id, add(id, sizes.get(id)!.height, ranks.get(id)!));
  for (const id of order) {
    for (const target of after.get(id)!) {
      let last = cells.get(id)!;
      for (let rank = ranks.get(id)! + 1; rank < ranks.get(target)!; rank++) last = join(last, add(null, 0, rank));
      join(last, cells.get(target)!);
    }
  }
  return columns;
}

function join(from: Cell, to: Cell): Cell {
  from.after.push(to);
  to.before.push(from);
  return to;
}

/** The column of each node; one that reads nothing stands right before its first reader. */
function ranksOf(order: readonly string[], after: ReadonlyMap<string, string[]>): Map<string, number> {
  const ranks = new Map(order.map((id) => [id, 0]));
  const isRead = new Set<string>();
  for (const id of order) {
    for (const target of after.get(id)!) {
      isRead.add(target);
      ranks.set(target, Math.max(ranks.get(target)!, ranks.get(id)! + 1));
    }
  }
  for (const id of order) {
    const targets = after.get(id)!;
    if (isRead.has(id) || targets.length === 0) continue;
    ranks.set(id, Math.min(...targets.map((target) => ranks.get(target)!)) - 1);
  }
  return ranks;
}

/** Orders each column by where its neighbours stand; keeps the best order that was seen. */
function uncross(columns: readonly Column[]): void {
  number(columns);
  let best = columns.map((column) => [...column]);
  let least = crossings(columns);
  for (let sweep = 0; sweep < SWEEPS && least > 0; sweep++) {
    const isForwards = sweep % 2 === 0;
    for (const column of isForwards ? columns : [...columns].reverse()) {
      const wish = new Map(column.map((cell) => [cell, mean(isForwards ? cell.before : cell.after, "row") ?? cell.row]));
      column.sort((a, b) => wish.get(a)! - wish.get(b)! || a.row - b.row);
      column.forEach((cell, row) => (cell.row = row));
    }
    const count = crossings(columns);
    if (count >= least) continue;
    least = count;
    best = columns.map((column) => [...column]);
  }
  columns.forEach((column, index) => column.splice(0, column.length, ...best[index]!));
  number(columns);
}

function number(columns: readonly Column[]): void {
  for (const column of columns) column.forEach((cell, row) => (cell.row = row));
}

function crossings(columns: readonly Column[]): number {
  let count = 0;
  for (const column of columns) {
    const links = column.flatMap((cell) => cell.after.map((to) => [cell.row, to.row] as const));
    links.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    for (let i = 0; i < links.length; i++) {
      for (let j = i + 1; j < links.length; j++) if (links[j]![1] < links[i]![1]) count++;
    }
  }
  return count;
}

function mean(cells: readonly Cell[], key: "row" | "middle"): number | null {
  if (cells.length === 0) return null;
  return cells.reduce((sum, cell) => sum + cell[key], 0) / cells.length;
}

/** Heights near those of the neighbours, in the order of the columns, nothing overlapping. */
function straighten(columns: readonly Column[]): void {
  for (const column of columns) settle(column, column.map(() => 0));
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const isForwards = sweep % 2 === 0;
    for (const column of isForwards ? columns : [...columns].reverse()) {
      settle(
        column,
        column.map((cell) => mean(isForwards ? cell.before : cell.after, "middle") ?? cell.middle),
      );
    }
  }
  for (const column of columns) {
    settle(
      column,
      column.map((cell) => mean([...cell.before, ...cell.after], "middle") ?? cell.middle),
    );
  }
}

/** Puts each cell as near to its wish as the others let it: least squares, by pooling neighbours. */
function settle(column: Column, wishes: readonly number[]): void {
  const offsets: number[] = [];
  let offset = 0;
  column.forEach((cell, index) => {
    const above = column[index - 1];
    if (above) offset += above.height / 2 + ROW_GAP + cell.height / 2;
    offsets.push(offset);
  });
  const blocks: { sum: number; count: number }[] = [];
  wishes.forEach((wish, index) => {
    let block = { sum: wish - offsets[index]!, count: 1 };
    for (let last = blocks.at(-1); last && last.sum / last.count > block.sum / block.count; last = blocks.at(-1)) {
      blocks.pop();
      block = { sum: last.sum + block.sum, count: last.count + block.count };
    }
    blocks.push(block);
  });
  let index = 0;
  for (const { sum, count } of blocks) {
    for (let end = index + count; index < end; index++) column[index]!.middle = sum / count + offsets[index]!;
  }
}
