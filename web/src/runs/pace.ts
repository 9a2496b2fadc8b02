// SPDX-License-Identifier: Apache-2.0
/**
 * The pieces of text of running steps, on their way past React's state.
 *
 * State: for each file and step how much was said since when, and which element of a
 * list is listened to: where several speak at once their pieces would mix.
 */

import type { RunMessage } from "../api/types";
import { appendText, clearText } from "../values/streams";
import { number, text } from "./fold";

const CHARACTERS_PER_TOKEN = 4; // of English; the estimate is marked with a tilde
const SOONEST = 0.5; // seconds: before, a pace is mostly noise

interface Voice {
  item: number | null;
  characters: number;
  since: number;
}

const voices = new Map<string, Voice>();

/** Takes a message in, in the order in which they come. */
export function hear(path: string, message: RunMessage, now = performance.now() / 1000): void {
  const step = text(message.fact, "step");
  const key = `${path}\n${step}`;
  switch (message.kind) {
    case "run-started":
      hush(path);
      return;
    case "text-produced":
      speak(path, step, message, now);
      return;
    case "step-started":
    case "step-retried":
    case "fallback-chosen":
      voices.delete(key);
      clearText(path, step);
      return;
    case "item-finished":
      if (voices.get(key)?.item === number(message.fact, "item")) voices.delete(key);
      return;
    case "step-finished":
    case "step-failed":
      voices.delete(key);
      return;
  }
}

function speak(path: string, step: string, message: RunMessage, now: number): void {
  const key = `${path}\n${step}`;
  const piece = text(message.fact, "text");
  const item = number(message.fact, "item");
  let voice = voices.get(key);
  const isWhole = message.fact["whole"] === true;
  if (voice && voice.item !== item) return;
  if (!voice || isWhole) {
    clearText(path, step);
    voice = { item, characters: isWhole ? 0 : piece.length, since: now };
    voices.set(key, voice);
  } else {
    voice.characters += piece.length;
  }
  appendText(path, step, piece);
}

/** Forgets what the steps of a file said. */
export function hush(path: string): void {
  for (const key of voices.keys()) if (key.startsWith(`${path}\n`)) voices.delete(key);
  clearText(path);
}

/** About how many tokens a step's model writes in a second; null if too early to say. */
export function paceOf(path: string, step: string, now = performance.now() / 1000): number | null {
  const voice = voices.get(`${path}\n${step}`);
  if (!voice || now - voice.since < SOONEST || voice.characters === 0) return null;
  return voice.characters / CHARACTERS_PER_TOKEN / (now - voice.since);
}
