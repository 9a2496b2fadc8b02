// SPDX-License-Identifier: Apache-2.0
/** Lines of a text, and places in it. */

/** The offset at which a line (from 1) begins; the end if there are fewer. */
export function offsetOfLine(text: string, line: number): number {
  let offset = 0;
  for (let count = 1; count < line; count += 1) {
    const next = text.indexOf("\n", offset);
    if (next < 0) return text.length;
    offset = next + 1;
  }
  return offset;
}

export function countLines(text: string): number {
  let count = 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}

/** A text as a text area has it: there every line ends in one way. */
export function asTyped(text: string): string {
  return text.replace(/\r\n?/g, "\n");
}

/** What was typed in place of a text, with the line ends that the text has. */
export function asWritten(old: string, typed: string): string {
  const plain = asTyped(old);
  if (plain === old) return typed;
  const most = Math.min(plain.length, typed.length);
  let head = 0;
  while (head < most && plain[head] === typed[head]) head += 1;
  let tail = 0;
  while (tail < most - head && plain.at(-1 - tail) === typed.at(-1 - tail)) tail += 1;
  const ends = old.match(/\r\n?|\n/g) ?? [];
  const count = (part: string): number => part.split("\n").length - 1;
  const first = count(plain.slice(0, head));
  const last = ends.length - count(plain.slice(plain.length - tail));
  const [usual = "\n"] = ends;
  const middle = count(typed.slice(head, typed.length - tail));
  const all = [...ends.slice(0, first), ...Array<string>(middle).fill(usual), ...ends.slice(last)];
  return typed.replace(/\n/g, () => all.shift() ?? usual);
}

/** What Tab and Shift+Tab make of the chosen lines; where the choice lies then. */
export function indented(
  text: string,
  start: number,
  end: number,
  isBack: boolean,
): { text: string; start: number; end: number } {
  if (start === end && !isBack) {
    return { text: `${text.slice(0, start)}  ${text.slice(end)}`, start: start + 2, end: start + 2 };
  }
  const from = text.lastIndexOf("\n", start - 1) + 1;
  const lines = text.slice(from, end).split("\n");
  const moved = lines.map((line) => (isBack ? line.replace(/^ {1,2}/, "") : line && `  ${line}`));
  const body = moved.join("\n");
  const first = (moved[0]?.length ?? 0) - (lines[0]?.length ?? 0);
  return {
    text: text.slice(0, from) + body + text.slice(end),
    start: Math.max(from, start + first),
    end: from + body.length,
  };
}
