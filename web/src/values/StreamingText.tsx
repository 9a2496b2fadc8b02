// SPDX-License-Identifier: Apache-2.0
/** Text as a model writes it: put into the page once a frame, past React. */

import { useEffect, useRef } from "react";
import { inNextFrame, notInNextFrame } from "./frames";
import { sliceWhole, visible } from "./signs";
import { BEGINNING, KEPT, type StreamPlace, subscribeText, textSince } from "./streams";
import "./values.css";

export { appendText, BEGINNING, clearText, subscribeText, textSince } from "./streams";

/** Characters shown in a node of the canvas, and in the inspector. */
const IN_NODE = 1 << 13;
/** Characters of a piece, which ends with its line: the browser lays out only the last one again. */
const PIECE = 1024;
/** Where a line that is longer than this is broken. */
const LONGEST = 2048;
/** Pixels from the end within which a reader still follows it. */
const NEAR = 24;

export interface StreamingTextProps {
  path: string;
  step: string;
  isSmall?: boolean;
}

export function StreamingText({ path, step, isSmall = false }: StreamingTextProps) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!box.current) return;
    const writer = new Writer(box.current, path, step, isSmall ? IN_NODE : KEPT);
    return () => writer.stop();
  }, [path, step, isSmall]);
  const look = isSmall ? "value-stream is-small nowheel nodrag" : "value-stream";
  return <div ref={box} className={look} role="log" aria-live="off" aria-label={`${step}, as it is written`} tabIndex={isSmall ? -1 : 0} />;
}

/** Keeps an element's text equal to the end of a stream. */
class Writer {
  private place: StreamPlace = BEGINNING;
  private length = 0;
  private last: Text | null = null;
  private follows = true;
  private readonly unsubscribe: () => void;

  constructor(
    private readonly box: HTMLElement,
    private readonly path: string,
    private readonly step: string,
    private readonly limit: number,
  ) {
    this.unsubscribe = subscribeText(path, step, this.wake);
    box.addEventListener("scroll", this.look, { passive: true });
    this.write();
  }

  stop(): void {
    this.unsubscribe();
    notInNextFrame(this.write);
    this.box.removeEventListener("scroll", this.look);
    this.box.textContent = "";
  }

  private readonly wake = (): void => inNextFrame(this.write);

  private readonly look = (): void => {
    const { scrollTop, scrollHeight, clientHeight } = this.box;
    this.follows = scrollHeight - scrollTop - clientHeight < NEAR;
  };

  /** Returns what is to be done once every text of the frame is in the page: laying out costs. */
  private readonly write = (): (() => void) | void => {
    const piece = textSince(this.path, this.step, this.place);
    if (piece.round !== this.place.round || piece.start !== this.place.end) this.empty();
    this.place = { end: piece.end, round: piece.round };
    if (!piece.text) return;
    const most = piece.text.length - this.limit;
    this.add(visible(most > 0 ? piece.text.slice(most) : piece.text));
    this.forget();
    if (this.follows) return this.scroll;
  };

  private readonly scroll = (): void => {
    this.box.scrollTop = this.box.scrollHeight;
  };

  private empty(): void {
    this.box.textContent = "";
    this.length = 0;
    this.last = null;
    this.follows = true;
  }

  private add(text: string): void {
    this.length += text.length;
    for (let rest = text; rest; ) {
      this.last ??= beginPiece(this.box);
      const part = sliceWhole(rest, 0, endOfPiece(this.last.length, rest));
      this.last.appendData(part);
      rest = rest.slice(part.length);
      if (rest) this.last = null;
    }
  }

  private forget(): void {
    for (let oldest = this.box.firstChild; oldest; oldest = this.box.firstChild) {
      const length = oldest.textContent?.length ?? 0;
      if (this.length - length < this.limit) return;
      this.length -= length;
      oldest.remove();
    }
  }
}

function beginPiece(box: HTMLElement): Text {
  const piece = document.createElement("div");
  const text = document.createTextNode("");
  piece.append(text);
  box.append(piece);
  return text;
}

/** How much of `text` still goes into a piece that has `length` characters. */
function endOfPiece(length: number, text: string): number {
  if (length + text.length <= PIECE) return text.length;
  const line = text.indexOf("\n", Math.max(0, PIECE - length)) + 1;
  return Math.min(line || text.length, Math.max(0, LONGEST - length));
}
