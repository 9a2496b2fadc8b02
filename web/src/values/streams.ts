// SPDX-License-Identifier: Apache-2.0
/**
 * Text that models are writing now, per file and step. It goes around React: at a hundred tokens a
 * second no component renders again. What was written longest ago is forgotten beyond `KEPT`.
 */

import { sliceWhole } from "./signs";

/** Characters that a stream remembers: what the inspector can show. */
export const KEPT = 1 << 20;

type Listener = () => void;

let rounds = 0;

class TextStream {
  /** Where in all that was written the kept text begins. */
  start = 0;
  /** A number that no other stream has, and that changes when it is cleared. */
  round = (rounds += 1);
  private kept = "";
  readonly listeners = new Set<Listener>();

  get end(): number {
    return this.start + this.kept.length;
  }

  append(text: string): void {
    this.kept += text;
    // Cut rarely, since a cut copies all that is kept.
    if (this.kept.length > KEPT * 1.25) this.cut();
  }

  clear(): void {
    this.kept = "";
    this.start = 0;
    this.round = rounds += 1;
  }

  since(from: number): string {
    return this.kept.slice(Math.max(0, from - this.start));
  }

  private cut(): void {
    const rest = sliceWhole(this.kept, this.kept.length - KEPT, this.kept.length);
    this.start += this.kept.length - rest.length;
    this.kept = rest;
  }
}

const streams = new Map<string, TextStream>();

function streamOf(path: string, step: string): TextStream {
  const key = `${path}\n${step}`;
  const known = streams.get(key);
  if (known) return known;
  const made = new TextStream();
  streams.set(key, made);
  return made;
}

/** Adds what a step's model has written. */
export function appendText(path: string, step: string, text: string): void {
  if (!text) return;
  const stream = streamOf(path, step);
  stream.append(text);
  for (const listener of [...stream.listeners]) listener();
}

/** Forgets the text of a step; of every step of the file where none is named. */
export function clearText(path: string, step?: string): void {
  for (const [key, stream] of streams) {
    const [file, name] = key.split("\n");
    if (file !== path || (step !== undefined && name !== step)) continue;
    stream.clear();
    for (const listener of [...stream.listeners]) listener();
    if (!stream.listeners.size) streams.delete(key);
  }
}

/** Tells of every change of a step's text; `textSince` gives what is new. */
export function subscribeText(path: string, step: string, listener: Listener): () => void {
  const stream = streamOf(path, step);
  stream.listeners.add(listener);
  return () => stream.listeners.delete(listener);
}

/** Where a reader is: nowhere yet. */
export const BEGINNING: StreamPlace = { end: 0, round: -1 };

export interface StreamPlace {
  end: number;
  round: number;
}

export interface StreamPiece extends StreamPlace {
  text: string;
  /** Where the text begins among all that was written since the last `clearText`. */
  start: number;
}

/** What was written since a reader last looked, as far as it is kept. */
export function textSince(path: string, step: string, place: StreamPlace): StreamPiece {
  const stream = streamOf(path, step);
  const { start, end, round } = stream;
  const from = place.round === round ? Math.max(place.end, start) : start;
  return { text: stream.since(from), start: from, end, round };
}

/** Whether anything was written since the last `clearText`. */
export function hasText(path: string, step: string): boolean {
  return (streams.get(`${path}\n${step}`)?.end ?? 0) > 0;
}
