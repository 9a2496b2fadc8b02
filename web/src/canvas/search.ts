// SPDX-License-Identifier: Apache-2.0
/** Finds what was meant by a few typed letters. */

export interface Searchable {
  label: string;
  detail?: string;
}

/** How well `item` answers `query`: smaller is better, null if not at all. */
export function score(item: Searchable, query: string): number | null {
  const label = item.label.toLowerCase();
  const detail = (item.detail ?? "").toLowerCase();
  let total = 0;
  for (const word of query.toLowerCase().split(/\s+/).filter(Boolean)) {
    const at = place(label, word);
    if (at === null && !detail.includes(word)) return null;
    total += at ?? 10;
  }
  return total;
}

function place(label: string, word: string): number | null {
  if (label === word) return 0;
  if (label.startsWith(word)) return 1;
  if (label.split(/[^\p{L}\p{N}]+/u).some((part) => part.startsWith(word))) return 2;
  return label.includes(word) ? 3 : null;
}

/** Those that answer `query`, best first; as they were where they answer alike. */
export function search<T extends Searchable>(items: readonly T[], query: string): T[] {
  if (!query.trim()) return [...items];
  return items
    .map((item) => ({ item, score: score(item, query) }))
    .filter((found): found is { item: T; score: number } => found.score !== null)
    .sort((a, b) => a.score - b.score)
    .map((found) => found.item);
}
