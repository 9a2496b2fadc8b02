// SPDX-License-Identifier: Apache-2.0
/** Marks on found words: painted over the text, which stays as it is. */

const FOUND = "lao-found";
const CHOSEN = "lao-found-chosen";

export interface Found {
  places: readonly number[];
  length: number;
  /** The place that is looked at, by its number. */
  chosen: number;
}

/** The marks of one text; other texts in the page have their own. */
export class TextMarks {
  private readonly mine: [string, Range][] = [];

  /** Marks what was found in the texts that are in the page, and gives the chosen one's range. */
  paint(pieces: Iterable<[start: number, text: Text]>, found: Found): Range | null {
    this.clear();
    let chosen: Range | null = null;
    for (const [start, text] of pieces) {
      for (let at = firstBehind(found.places, start - found.length); at < found.places.length; at += 1) {
        const place = found.places[at] ?? 0;
        if (place >= start + text.length) break;
        const range = rangeIn(text, place - start, found.length);
        if (range.collapsed) continue;
        if (at === found.chosen) chosen ??= range;
        this.mark(at === found.chosen ? CHOSEN : FOUND, range);
      }
    }
    return chosen;
  }

  clear(): void {
    for (const [name, range] of this.mine) highlight(name)?.delete(range);
    this.mine.length = 0;
  }

  private mark(name: string, range: Range): void {
    highlight(name)?.add(range);
    this.mine.push([name, range]);
  }
}

function rangeIn(text: Text, from: number, length: number): Range {
  const range = document.createRange();
  range.setStart(text, Math.max(0, from));
  range.setEnd(text, Math.max(0, Math.min(text.length, from + length)));
  return range;
}

function highlight(name: string): Highlight | null {
  // Older browsers have none: there, the chosen one is only scrolled to.
  if (typeof CSS === "undefined" || !CSS.highlights) return null;
  const known = CSS.highlights.get(name);
  if (known) return known;
  const made = new Highlight();
  CSS.highlights.set(name, made);
  return made;
}

function firstBehind(places: readonly number[], place: number): number {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((places[middle] ?? 0) > place) high = middle;
    else low = middle + 1;
  }
  return low;
}
