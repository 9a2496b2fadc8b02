// SPDX-License-Identifier: Apache-2.0
/** Long texts in pieces of which only those in sight are in the page, and finding in them. */

/** Characters of a piece: few enough that laying one out takes a few milliseconds. */
export const CHUNK = 8192;

/** Cuts a text at line ends where it can; the pieces together are the text. */
export function chunksOf(text: string, size = CHUNK): string[] {
  const chunks: string[] = [];
  for (let start = 0; start < text.length; ) {
    const end = endOfChunk(text, start, size);
    chunks.push(text.slice(start, end));
    start = end;
  }
  return chunks;
}

function endOfChunk(text: string, start: number, size: number): number {
  const most = start + size;
  if (most >= text.length) return text.length;
  const line = text.lastIndexOf("\n", most - 1) + 1;
  if (line > start) return line;
  const code = text.charCodeAt(most);
  return code >= 0xdc00 && code <= 0xdfff ? most - 1 : most;
}

/** Where each piece begins in the whole text. */
export function startsOf(chunks: readonly string[]): number[] {
  const starts: number[] = [];
  let at = 0;
  for (const chunk of chunks) {
    starts.push(at);
    at += chunk.length;
  }
  return starts;
}

/** The piece that holds a place of the whole text. */
export function chunkAt(starts: readonly number[], place: number): number {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= place) low = middle;
    else high = middle - 1;
  }
  return Math.max(0, low);
}

/** At most so many places are found: who has more, types more. */
export const MOST_FOUND = 5000;
const STRETCH = 1 << 20;

/**
 * Yields after each stretch of the text the places found so far, so that a long search stops for
 * the page's other work. Case does not matter where folding keeps the text as long as it was.
 */
export function* found(text: string, words: string): Generator<number[]> {
  const places: number[] = [];
  const needle = fold(words);
  if (!needle) return;
  for (let start = 0; start < text.length && places.length < MOST_FOUND; start += STRETCH) {
    const stretch = fold(text.slice(start, start + STRETCH + words.length - 1));
    for (let at = stretch.indexOf(needle); at >= 0; at = stretch.indexOf(needle, at + needle.length)) {
      const place = start + at;
      const last = places.at(-1);
      if (last === undefined || place >= last + words.length) places.push(place);
      if (places.length === MOST_FOUND) break;
    }
    yield places;
  }
}

function fold(text: string): string {
  const low = text.toLowerCase();
  return low.length === text.length ? low : text;
}
