// SPDX-License-Identifier: Apache-2.0
/** The text of a value, fetched stretch by stretch where it is long. */

import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { api } from "../api/client";
import type { JsonValue, ValuePage, ValueView } from "../api/types";
import { chunksOf } from "./chunks";
import { reason } from "./media";

export interface LongText {
  chunks: readonly string[];
  isWhole: boolean;
  isLoading: boolean;
  why: string;
  /** Fetches the next stretch. */
  loadMore(): Promise<void>;
  /** Fetches the rest, and gives the whole text; what there is, if it cannot be had. */
  loadAll(): Promise<string>;
}

/** Where a long value is asked for: a step of a run. */
export interface ValuePlace {
  run: string;
  step: string;
}

/** The text that a value is shown as. */
export function textOf(value: ValueView): string {
  if (value.kind === "text" || value.data === null) return value.text;
  return value.kind === "json" ? JSON.stringify(value.data, null, 2) : "";
}

interface Loaded {
  chunks: string[];
  next: number | null;
  isLoading: boolean;
  why: string;
}

export function useLongText(value: ValueView, place: ValuePlace | null): LongText {
  const [loaded, setLoaded] = useState<Loaded>(() => beginning(value, place));
  const source = useMemo(() => ({ value, place }), [value, place?.run, place?.step]);
  const latest = useRef({ source, loaded });
  const put = useCallback((next: Loaded) => {
    latest.current.loaded = next;
    setLoaded(next);
  }, []);
  useEffect(() => {
    if (latest.current.source === source) return;
    latest.current.source = source;
    put(beginning(source.value, source.place));
  }, [source, put]);

  const loadMore = useCallback(async () => {
    const { loaded: before, source: asked } = latest.current;
    if (before.next === null || before.isLoading || !asked.place) return;
    put({ ...before, isLoading: true, why: "" });
    const after = await page(before, asked.place, before.next);
    if (latest.current.source === asked) put(after);
  }, [put]);
  const loadAll = useCallback(async () => {
    const asked = latest.current.source;
    while (latest.current.loaded.isLoading) await new Promise((done) => setTimeout(done, 20));
    const { place: from } = asked;
    let parts = latest.current.loaded;
    while (from && parts.next !== null && !parts.why && latest.current.source === asked) {
      parts = await page(parts, from, parts.next);
    }
    if (latest.current.source === asked) put(parts);
    return parts.chunks.join("");
  }, [put]);
  const { chunks, next, isLoading, why } = loaded;
  return { chunks, isWhole: next === null, isLoading, why, loadMore, loadAll };
}

function beginning(value: ValueView, place: ValuePlace | null): Loaded {
  // The server counts characters otherwise than JavaScript does: a text that is not
  // whole is asked for from its beginning, so that only the server's numbers are used.
  const isWhole = value.is_whole || !place;
  return { chunks: isWhole ? chunksOf(textOf(value)) : [], next: isWhole ? null : 0, isLoading: false, why: "" };
}

async function page(before: Loaded, { run, step }: ValuePlace, offset: number): Promise<Loaded> {
  try {
    const { text, next } = await api.get<ValuePage>("/api/run/value", { id: run, step, offset });
    const whole = before.chunks.slice(0, -1);
    const chunks = whole.concat(chunksOf((before.chunks.at(-1) ?? "") + text));
    // A page that goes nowhere would be asked for without end.
    return { chunks, next: next !== null && next > offset ? next : null, isLoading: false, why: "" };
  } catch (error) {
    return { ...before, isLoading: false, why: reason(error) };
  }
}

/** JSON beyond this many characters is shown as text: a tree of it would take seconds. */
const LARGEST_TREE = 4_000_000;

/** The data of a JSON value, read to its end where the view holds only a beginning. */
export function useData(value: ValueView | null, place: ValuePlace | null): JsonValue | undefined {
  const [read, setRead] = useState<{ of: ValueView; data: JsonValue } | null>(null);
  const isCut = value?.kind === "json" && !value.is_whole;
  useEffect(() => {
    if (!value || !isCut || !place || value.size > LARGEST_TREE) return;
    let isHere = true;
    wholeText(place)
      .then((text) => isHere && setRead({ of: value, data: JSON.parse(text) as JsonValue }))
      .catch(() => undefined); // it stays a text, which says why it cannot be read
    return () => {
      isHere = false;
    };
  }, [value, isCut, place]);
  if (!value || value.kind !== "json") return undefined;
  return isCut ? (read?.of === value ? read.data : undefined) : value.data;
}

async function wholeText(place: ValuePlace): Promise<string> {
  let parts: Loaded = { chunks: [], next: 0, isLoading: false, why: "" };
  while (parts.next !== null && !parts.why) parts = await page(parts, place, parts.next);
  if (parts.why) throw new Error(parts.why);
  return parts.chunks.join("");
}
