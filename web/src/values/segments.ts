// SPDX-License-Identifier: Apache-2.0
/** Timed lines of a recording, as a speech model gives them with `output: segments`. */

export interface Segment {
  start: number;
  end: number;
  text: string;
}

/** The lines, if the value is a list of them and nothing else. */
export function segmentsOf(value: unknown): Segment[] | null {
  if (!Array.isArray(value) || !value.length) return null;
  return value.every(isSegment) ? value : null;
}

function isSegment(value: unknown): value is Segment {
  if (typeof value !== "object" || value === null) return false;
  const { start, end, text } = value as Record<string, unknown>;
  return typeof start === "number" && typeof end === "number" && typeof text === "string";
}

/** The line that is being said at a time, or -1: the last one begun and not yet over. */
export function segmentAt(segments: readonly Segment[], time: number): number {
  let [low, high] = [-1, segments.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((segments[middle]?.start ?? Infinity) <= time) low = middle;
    else high = middle - 1;
  }
  const line = segments[low];
  return line && time <= line.end + 0.25 ? low : -1;
}
