// SPDX-License-Identifier: Apache-2.0
/** A value of a run: small for a node of the canvas, or whole. */

import { memo, useMemo, useState } from "react";
import type { JsonValue, MediaView, ValueView } from "../api/types";
import { FileValues } from "./FileValues";
import { JsonTree } from "./JsonTree";
import { childCount, inWords } from "./jsonRows";
import { useData, type ValuePlace } from "./longText";
import { countInWords } from "./measures";
import { segmentsOf } from "./segments";
import { sliceWhole, visible } from "./signs";
import { TextValue } from "./TextValue";
import { Transcript } from "./Transcript";
import "./values.css";

export interface ValuePreviewProps {
  value: ValueView | null;
  /** What templates call it: a step's id, or "inputs.NAME". */
  name: string;
  /** The run that holds it: without it, only what the view holds can be shown. */
  run?: string | undefined;
  isSmall?: boolean;
  /** The recording that the value may be a transcript of. */
  recording?: MediaView | null | undefined;
}

/** What a node shows of a text. */
const SMALL_TEXT = 700;
const SMALL_ROWS = 4;

export const ValuePreview = memo(function ValuePreview({ value, name, run, isSmall = false, recording = null }: ValuePreviewProps) {
  const place = useMemo<ValuePlace | null>(() => (run ? { run, step: name } : null), [run, name]);
  // A node shows what comes with the run; only the inspector asks for more.
  const data = useData(value, isSmall ? null : place);
  const segments = useMemo(() => segmentsOf(data), [data]);
  if (!value || value.kind === "none") return <p className="value-note">no value</p>;
  if (value.kind === "file") return <FileValues files={value.files} isSmall={isSmall} />;
  const isTree = data !== undefined;
  if (isSmall) {
    return (
      <div className="value-small">
        {segments ? <Transcript segments={segments} recording={recording} isSmall /> : isTree ? <SmallJson value={data} /> : <SmallText value={value} />}
        {value.files.length > 0 && <FileValues files={value.files} isSmall />}
      </div>
    );
  }
  return (
    <div className="value-full">
      {segments ? (
        <Either one="Transcript" other="JSON" first={<Transcript segments={segments} recording={recording} />} second={<JsonTree value={data ?? null} name={name} />} />
      ) : isTree ? (
        <Either one="Tree" other="Text" first={<JsonTree value={data} name={name} />} second={<TextValue value={value} place={place} name={name} />} />
      ) : (
        <TextValue value={value} place={place} name={name} />
      )}
      {value.files.length > 0 && <FileValues files={value.files} />}
    </div>
  );
});

interface EitherProps {
  one: string;
  other: string;
  first: React.ReactNode;
  second: React.ReactNode;
}

/** Two ways to look at the same value. */
function Either({ one, other, first, second }: EitherProps) {
  const [isFirst, setIsFirst] = useState(true);
  return (
    <>
      <div className="value-ways" role="group" aria-label="How to show it">
        <button type="button" className="button quiet value-button" aria-pressed={isFirst} onClick={() => setIsFirst(true)}>{one}</button>
        <button type="button" className="button quiet value-button" aria-pressed={!isFirst} onClick={() => setIsFirst(false)}>{other}</button>
      </div>
      {isFirst ? first : second}
    </>
  );
}

function SmallText({ value }: { value: ValueView }) {
  if (!value.text) return <p className="value-note">{value.size ? "" : "an empty text"}</p>;
  const isCut = value.text.length > SMALL_TEXT || !value.is_whole;
  return (
    <>
      <p className="value-words">{visible(sliceWhole(value.text, 0, SMALL_TEXT)) + (isCut ? "…" : "")}</p>
      {isCut && <p className="value-note">{countInWords(value.size, "character", "characters")}</p>}
    </>
  );
}

function SmallJson({ value }: { value: JsonValue }) {
  const count = childCount(value);
  if (!count || typeof value !== "object" || value === null) return <p className="value-words is-code">{inWords(value, SMALL_TEXT)}</p>;
  const entries = Array.isArray(value) ? value.slice(0, SMALL_ROWS).map((each, index): [string, JsonValue] => [String(index), each]) : telling(value).slice(0, SMALL_ROWS);
  return (
    <>
      <dl className="value-entries">
        {entries.map(([key, child]) => (
          <div key={key}>
            <dt><bdi>{visible(key)}</bdi></dt>
            <dd><bdi>{smallWords(child)}</bdi></dd>
          </div>
        ))}
      </dl>
      {count > SMALL_ROWS && <p className="value-note">{`and ${count - SMALL_ROWS} more`}</p>}
    </>
  );
}

/** What is empty comes last: there is room for few. */
function telling(value: Record<string, JsonValue>): [string, JsonValue][] {
  const isEmpty = (each: JsonValue): boolean => each === null || each === "" || (typeof each === "object" && childCount(each) === 0);
  const all = Object.entries(value);
  return [...all.filter(([, each]) => !isEmpty(each)), ...all.filter(([, each]) => isEmpty(each))];
}

/** A child on one line; a short list of texts is written out, since that is what one looks for. */
function smallWords(value: JsonValue): string {
  if (typeof value === "string") return inWords(value, 120).slice(1, -1);
  if (Array.isArray(value) && value.length && value.slice(0, 8).every((each) => typeof each !== "object")) {
    const words = value.slice(0, 8).map((each) => inWords(each, 40).replace(/^"|"$/g, ""));
    return words.join(", ") + (value.length > 8 ? ", …" : "");
  }
  return inWords(value, 120);
}
