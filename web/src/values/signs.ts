// SPDX-License-Identifier: Apache-2.0
/** Texts of models and plugins as they are safe to show: nothing in them acts on the page. */

const HIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|\r(?!\n)/;
const EVERY_HIDDEN = new RegExp(HIDDEN.source, "g");

/** Whether a text has signs that are only seen because `visible` shows them. */
export function hasHiddenSigns(text: string): boolean {
  return HIDDEN.test(text);
}

/**
 * Control characters as their pictures (`␛`), controls of direction as `⇄`. As long as the text
 * itself, so that a place in one is a place in the other.
 */
export function visible(text: string): string {
  return HIDDEN.test(text) ? text.replace(EVERY_HIDDEN, picture) : text;
}

function picture(sign: string): string {
  const code = sign.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return "\u2421";
  return code < 0xa0 ? "\ufffd" : "\u21c4";
}

/** The first `most` characters on one line, for labels. */
export function firstLine(text: string, most: number): string {
  const line = visible(text.trimStart().slice(0, most * 2)).replace(/\s+/g, " ");
  return line.length > most ? `${sliceWhole(line, 0, most - 1)}…` : line;
}

/** A slice that cuts no surrogate pair in two: what would be half of one is left out. */
export function sliceWhole(text: string, start: number, end: number): string {
  const from = isLow(text, start) && start > 0 ? start + 1 : start;
  const to = isLow(text, end) && end > from ? end - 1 : end;
  return text.slice(from, to);
}

function isLow(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff;
}
