// SPDX-License-Identifier: Apache-2.0
/** Which key of a step a problem's line and column stand in. */

interface OpenKey {
  indent: number;
  name: string;
  isBlock: boolean;
}

const KEY = /^(\s*)(?:"([^"]*)"|'([^']*)'|([^\s"'#{[\],&*!|>%@-][^:#]*?))\s*:(?=\s|$)(.*)$/;
const BLOCK = /^\s*[|>][0-9+-]*\s*(#.*)?$/;

/** The keys around a place, outermost first; empty if it stands in none. `first` is the step's line. */
export function keysAt(text: string, first: number, line: number, column: number): string[] {
  if (line < first || first < 1) return [];
  const lines = text.split("\n", line).slice(first - 1);
  const open: OpenKey[] = [];
  let last = "";
  for (const [index, raw] of lines.entries()) {
    // The dash of a list's element is as good as a space to the keys behind it.
    last = raw.replace(/^(\s*)-(?=\s)/, "$1 ").replace(/^(\s*)-(?=\s)/, "$1 ");
    const indent = last.search(/\S/);
    const isEmpty = indent < 0 || last.trimStart().startsWith("#");
    if (isEmpty) continue;
    const block = open.findIndex((key) => key.isBlock && indent > key.indent);
    if (block >= 0 && index > 0) continue;
    while (open.length && (open.at(-1)?.indent ?? 0) >= indent) open.pop();
    const match = KEY.exec(last);
    if (match) open.push({ indent, name: match[2] ?? match[3] ?? match[4] ?? "", isBlock: BLOCK.test(match[5] ?? "") });
  }
  const keys = open.map((key) => key.name);
  return column > 0 ? keys.concat(flowKeys(last.slice(0, column))) : keys;
}

/** The keys of flow mappings that are open at the end of a line's beginning. */
function flowKeys(beginning: string): string[] {
  const open: string[] = [];
  const signs = /"(?:\\.|[^"\\])*"?|'(?:''|[^'])*'?|[{}[\],]|([^\s{}[\],:"']+)\s*:(?=\s|$)|[^\s{}[\],"']+/g;
  for (const sign of beginning.matchAll(signs)) {
    if (sign[0] === "{" || sign[0] === "[") open.push("");
    else if (sign[0] === "}" || sign[0] === "]") open.pop();
    else if (sign[0] === ",") open.splice(-1, 1, "");
    else if (sign[1] !== undefined && open.length) open.splice(-1, 1, sign[1]);
    else if (open.length && open.at(-1) === "" && sign.index + sign[0].length === beginning.length) open.splice(-1, 1, sign[0]);
  }
  return open.filter(Boolean);
}
