// SPDX-License-Identifier: Apache-2.0
/** A text of any length: what is far from sight is not in the page; with find, copy and save. */

import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import type { ValueView } from "../api/types";
import { Icon, type IconName } from "../shell/Icon";
import { chunkAt, found, MOST_FOUND, startsOf } from "./chunks";
import { copy } from "./copying";
import { type LongText, useLongText, type ValuePlace } from "./longText";
import { countInWords } from "./measures";
import { saveAs } from "./media";
import { hasHiddenSigns } from "./signs";
import { type Found, TextMarks } from "./textMarks";
import { TextWindow } from "./textWindow";
import "./values.css";

export interface TextValueProps {
  value: ValueView;
  place: ValuePlace | null;
  /** What the text is called, for labels and the saved file. */
  name: string;
}

/** From this many characters on there is something to find in. */
const FINDABLE = 400;
const NONE: Found = { places: [], length: 0, chosen: 0 };

export function TextValue({ value, place, name }: TextValueProps) {
  const text = useLongText(value, place);
  const [hits, setHits] = useState<Found>(NONE);
  const hasSigns = useMemo(() => text.chunks.slice(0, 64).some(hasHiddenSigns), [text.chunks]);
  const extension = value.kind === "json" ? "json" : "txt";
  const type = value.kind === "json" ? "application/json" : "text/plain";
  return (
    <div className="value-text">
      <div className="value-tools">
        <span className="value-muted">{countInWords(value.size, "character", "characters")}</span>
        {value.size >= FINDABLE && <Find text={text} hits={hits} onFound={setHits} />}
        <span className="value-acts">
          <Act icon="copy" words="Copy the text" onClick={() => void text.loadAll().then((all) => copy(all))} />
          <Act icon="download" words="Save the text as a file" onClick={() => void text.loadAll().then((all) => saveAs(new Blob([all], { type }), `${name}.${extension}`))} />
        </span>
      </div>
      {hasSigns && <p className="value-note">Control characters are shown as signs, such as ␛; copies hold them as they are.</p>}
      <Sheet text={text} hits={hits} name={name} isCode={value.kind === "json"} />
      {text.why && <p className="value-note is-bad">{`the rest cannot be read: ${text.why}`}</p>}
    </div>
  );
}

function Act({ icon, words, onClick }: { icon: IconName; words: string; onClick: () => void }) {
  return (
    <button type="button" className="button quiet icon" aria-label={words} title={words} onClick={onClick}>
      <Icon name={icon} size={14} />
    </button>
  );
}

function Sheet({ text, hits, name, isCode }: { text: LongText; hits: Found; name: string; isCode: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const sheet = useRef<HTMLDivElement>(null);
  const view = useRef<TextWindow | null>(null);
  const marks = useMemo(() => new TextMarks(), []);
  const starts = useMemo(() => startsOf(text.chunks), [text.chunks]);
  const now = useRef({ hits, starts });
  now.current = { hits, starts };

  const paint = useMemo(() => () => {
    const pieces = [...(view.current?.inSight() ?? [])].map(([index, node]): [number, Text] => [now.current.starts[index] ?? 0, node]);
    return marks.paint(pieces, now.current.hits);
  }, [marks]);
  useEffect(() => {
    if (!sheet.current) return;
    const made = new TextWindow(sheet.current, paint);
    view.current = made;
    return () => {
      view.current = null;
      marks.clear();
      made.stop();
    };
  }, [marks, paint]);
  useEffect(() => view.current?.show(text.chunks), [text.chunks]);
  useEffect(() => {
    const place = hits.places[hits.chosen];
    if (place !== undefined) view.current?.reach(chunkAt(now.current.starts, place));
    const range = paint();
    if (range) inSight(sheet.current, range);
  }, [hits, paint]);
  const { loadMore, isWhole, isLoading, why } = text;
  useNearEnd(sheet, box, !isWhole && !isLoading && !why, loadMore);
  return (
    <div ref={box} className={isCode ? "value-sheet is-code" : "value-sheet"}>
      <div ref={sheet} className="value-pages scroll nowheel" tabIndex={0} role="region" aria-label={`${name}, its text`} onKeyDown={(event) => event.key === "End" && event.ctrlKey && void text.loadAll()} />
      {isLoading && <p className="value-note">reading on…</p>}
    </div>
  );
}

/** Asks for more when the reader comes near the end of what there is. */
function useNearEnd(sheet: { current: HTMLElement | null }, box: { current: HTMLElement | null }, isMore: boolean, loadMore: () => Promise<void>): void {
  useEffect(() => {
    const pages = sheet.current;
    if (!pages || !box.current || !isMore) return;
    const look = () => {
      if (pages.scrollHeight - pages.scrollTop - pages.clientHeight < 3 * pages.clientHeight) void loadMore();
    };
    look();
    pages.addEventListener("scroll", look, { passive: true });
    return () => pages.removeEventListener("scroll", look);
  }, [sheet, box, isMore, loadMore]);
}

function inSight(pages: HTMLElement | null, range: Range): void {
  if (!pages) return;
  const [spot, frame] = [range.getBoundingClientRect(), pages.getBoundingClientRect()];
  if (spot.top < frame.top + 8 || spot.bottom > frame.bottom - 8) pages.scrollTop += spot.top - frame.top - frame.height / 3;
}

function Find({ text, hits, onFound }: { text: LongText; hits: Found; onFound: (hits: Found) => void }) {
  const [words, setWords] = useState("");
  const id = useId();
  const latest = useRef("");
  const search = async (next: string) => {
    setWords(next);
    latest.current = next;
    if (!next) return onFound(NONE);
    const all = await text.loadAll();
    for (const places of found(all, next)) {
      if (latest.current !== next) return;
      onFound({ places: [...places], length: next.length, chosen: 0 });
      await new Promise((done) => setTimeout(done, 0));
    }
  };
  const step = (by: number) => {
    const count = hits.places.length;
    if (count) onFound({ ...hits, chosen: (hits.chosen + by + count) % count });
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") void search("");
    else step(event.shiftKey ? -1 : 1);
  };
  return (
    <search className="value-find">
      <label htmlFor={id} className="unseen">Find in the text</label>
      <input id={id} className="field" type="search" placeholder="Find" value={words} onChange={(event) => void search(event.target.value)} onKeyDown={onKey} />
      <span className="value-muted" role="status">{words && hitsInWords(hits)}</span>
    </search>
  );
}

function hitsInWords({ places, chosen }: Found): string {
  if (!places.length) return "not found";
  const count = places.length === MOST_FOUND ? `${MOST_FOUND}+` : String(places.length);
  return `${chosen + 1} of ${count}`;
}
