// SPDX-License-Identifier: Apache-2.0
/** Names of workflow files: what is allowed, and what is free. */

import type { FileView } from "../api/types";

const ENDING = /\.ya?ml$/i;

/** A name as it is sent: with an ending, without what surrounds it. */
export function withEnding(name: string): string {
  const plain = name.trim();
  return ENDING.test(plain) ? plain : `${plain}.yaml`;
}

/** Why the server would refuse a name; "" if it would not, as far as can be told here. */
export function nameProblem(name: string, files: readonly FileView[], mayExist = false): string {
  const plain = name.trim();
  if (plain === "") return "";
  const parts = withEnding(plain).split("/");
  if (plain.startsWith("/") || plain.includes("\\")) return "A name inside the folder, with / between folders";
  if (parts.some((part) => part === "" || part === "." || part === "..")) return "No empty parts, no . or ..";
  if (parts.some((part) => part.startsWith("."))) return "Hidden files are not listed: no dot in front";
  if (/[\u0000-\u001f\u007f]/.test(plain)) return "No control characters";
  if (!mayExist && files.some((each) => each.path === withEnding(plain))) return "There is a file of that name";
  return "";
}

/** "meeting.yaml", or "meeting-2.yaml" if that is taken. */
export function freeName(stem: string, files: readonly FileView[]): string {
  const plain = stem.replace(ENDING, "");
  const taken = new Set(files.map((each) => each.path));
  let name = `${plain}.yaml`;
  for (let count = 2; taken.has(name); count += 1) name = `${plain}-${count}.yaml`;
  return name;
}
