// SPDX-License-Identifier: Apache-2.0
/** How values' types look: one colour and one chip each. */

const KINDS = new Set(["text", "audio", "image", "json", "list", "file"]);

/** The class that gives a type its colour; null and what is not known look alike. */
export function typeClass(type: string | null | undefined): string {
  if (type == null) return "type-any";
  if (type.startsWith("list[")) return "type-list";
  if (type === "document") return "type-file";
  if (type === "embedding") return "type-json";
  return KINDS.has(type) ? `type-${type}` : "type-any";
}

export const typeWord = (type: string | null | undefined): string => type ?? "anything";
