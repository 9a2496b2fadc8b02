// SPDX-License-Identifier: Apache-2.0
/**
 * Pieces of a long text in the page: those near what is in sight hold their text, the others are
 * empty boxes as high as their text was, or is likely to be.
 */

import { visible } from "./signs";

/** Pixels above and below the sight in which pieces hold their text. */
const MARGIN = 1200;
const LINE = 18;
/** Pixels of a character, about: for columns of a text that is not laid out yet. */
const CHARACTER = 7;

export class TextWindow {
  private readonly watch: IntersectionObserver;
  private readonly shown = new Set<HTMLElement>();
  private chunks: readonly string[] = [];

  constructor(
    private readonly box: HTMLElement,
    private readonly onShown: () => void,
  ) {
    this.watch = new IntersectionObserver((entries) => this.look(entries), { root: box, rootMargin: `${MARGIN}px 0px` });
  }

  /** Takes other pieces in; those that stay the same are left alone. */
  show(chunks: readonly string[]): void {
    const old = this.chunks;
    const columns = Math.max(20, Math.floor(this.box.clientWidth / CHARACTER));
    this.chunks = chunks;
    while (this.box.childElementCount > chunks.length) this.drop(this.box.lastElementChild as HTMLElement);
    chunks.forEach((chunk, index) => {
      const piece = this.piece(index) ?? this.add();
      if (chunk === old[index] && piece.dataset["of"]) return;
      piece.dataset["of"] = String(index);
      if (this.shown.has(piece)) piece.textContent = visible(chunk);
      else piece.style.height = `${heightOf(chunk, columns)}px`;
    });
    this.onShown();
  }

  /** The pieces that hold their text now, with their numbers. */
  *inSight(): Generator<[number, Text]> {
    for (const piece of this.shown) {
      if (piece.firstChild instanceof Text) yield [Number(piece.dataset["of"]), piece.firstChild];
    }
  }

  /** Brings a piece into sight and fills it at once. */
  reach(index: number): void {
    const piece = this.piece(index);
    if (!piece) return;
    this.fill(piece);
    piece.scrollIntoView({ block: "nearest" });
  }

  stop(): void {
    this.watch.disconnect();
    this.box.textContent = "";
  }

  private piece(index: number): HTMLElement | undefined {
    return this.box.children[index] as HTMLElement | undefined;
  }

  private add(): HTMLElement {
    const piece = document.createElement("div");
    piece.className = "value-chunk";
    this.box.append(piece);
    this.watch.observe(piece);
    return piece;
  }

  private drop(piece: HTMLElement): void {
    this.watch.unobserve(piece);
    this.shown.delete(piece);
    piece.remove();
  }

  private look(entries: IntersectionObserverEntry[]): void {
    // Heights are read before anything is written, so that the page is laid out once.
    const gone = entries.filter((entry) => !entry.isIntersecting && this.shown.has(entry.target as HTMLElement));
    const heights = gone.map((entry) => entry.boundingClientRect.height);
    gone.forEach((entry, index) => this.empty(entry.target as HTMLElement, heights[index] ?? LINE));
    for (const entry of entries) if (entry.isIntersecting) this.fill(entry.target as HTMLElement);
    this.onShown();
  }

  private fill(piece: HTMLElement): void {
    if (this.shown.has(piece)) return;
    this.shown.add(piece);
    piece.style.height = "";
    piece.textContent = visible(this.chunks[Number(piece.dataset["of"])] ?? "");
  }

  private empty(piece: HTMLElement, height: number): void {
    this.shown.delete(piece);
    piece.style.height = `${height}px`;
    piece.textContent = "";
  }
}

/** About how high a text will be. */
export function heightOf(text: string, columns: number): number {
  let lines = 0;
  let start = 0;
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
    lines += Math.max(1, Math.ceil((end - start) / columns));
    start = end + 1;
  }
  if (start < text.length) lines += Math.ceil((text.length - start) / columns);
  return Math.max(1, lines) * LINE;
}
