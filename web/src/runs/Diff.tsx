// SPDX-License-Identifier: Apache-2.0
/** Two texts side by side, the lines that differ marked; JSON as trees too. */

import { useMemo, useState } from "react";

import type { JsonValue } from "../api/types";
import { JsonTree } from "../values/JsonTree";
import { visible } from "../values/signs";
import { changedLines, diffLines, nearChanges, type DiffRow } from "./lineDiff";
import { count } from "./words";

const MOST_ROWS = 1500;

interface Props {
  name: string;
  before: string;
  after: string;
}

export function Diff({ name, before, after }: Props) {
  const [isTree, setTree] = useState(false);
  const json = useMemo(() => bothJson(before, after), [before, after]);
  return (
    <div className="run-diff">
      {json ? (
        <div className="run-diff-ways" role="group" aria-label="How to show it">
          <button type="button" className="button quiet" aria-pressed={!isTree} onClick={() => setTree(false)}>
            Lines
          </button>
          <button type="button" className="button quiet" aria-pressed={isTree} onClick={() => setTree(true)}>
            Trees
          </button>
        </div>
      ) : null}
      {json && isTree ? (
        <div className="run-trees">
          {json.map((value, side) => (value === undefined ? <span key={side} /> : <JsonTree key={side} value={value} name={name} />))}
        </div>
      ) : (
        <Rows before={json ? written(json[0]) : before} after={json ? written(json[1]) : after} />
      )}
    </div>
  );
}

function Rows({ before, after }: Omit<Props, "name">) {
  const [isWhole, setWhole] = useState(false);
  const all = useMemo(() => diffLines(before, after), [before, after]);
  const shown: (DiffRow | null)[] = useMemo(() => (isWhole ? all : nearChanges(all)), [all, isWhole]);
  const changed = changedLines(all);
  return (
    <>
      <p className="muted run-diff-note">
        {changed === 0 ? "no line differs" : `${count(changed, "line differs", "lines differ")} of ${all.length}`}
        {shown.length < all.length || isWhole ? (
          <button type="button" className="button quiet" aria-pressed={isWhole} onClick={() => setWhole((old) => !old)}>
            All lines
          </button>
        ) : null}
      </p>
      <table className="run-diff-rows">
        <thead className="unseen">
          <tr>
            <th>before</th>
            <th>after</th>
          </tr>
        </thead>
        <tbody>
          {shown.slice(0, MOST_ROWS).map((row, place) =>
            row === null ? (
              <tr key={place} className="left-out">
                <td colSpan={2}>⋯</td>
              </tr>
            ) : (
              <tr key={place}>
                <Line text={row.before} isMarked={row.kind !== "same"} tone="bad" />
                <Line text={row.after} isMarked={row.kind !== "same"} tone="good" />
              </tr>
            ),
          )}
        </tbody>
      </table>
      {shown.length > MOST_ROWS ? <p className="muted">and {count(shown.length - MOST_ROWS, "line")} more</p> : null}
    </>
  );
}

function Line({ text, isMarked, tone }: { text: string | null; isMarked: boolean; tone: "good" | "bad" }) {
  if (text === null) return <td className="nothing" />;
  return (
    <td className={isMarked ? tone : undefined}>
      {isMarked ? <span className="unseen">{tone === "bad" ? "before: " : "after: "}</span> : null}
      {visible(text) || "\u00a0"}
    </td>
  );
}

type Side = JsonValue | undefined;

/** Both as JSON, if that is what they are; undefined for one that is not there. */
function bothJson(before: string, after: string): [Side, Side] | null {
  const read = (text: string): Side => (text === "" ? undefined : (JSON.parse(text) as JsonValue));
  try {
    const both: [Side, Side] = [read(before), read(after)];
    const isTree = both.every((each) => each === undefined || (typeof each === "object" && each !== null));
    return isTree && both.some((each) => each !== undefined) ? both : null;
  } catch {
    return null;
  }
}

function written(value: Side): string {
  return value === undefined ? "" : JSON.stringify(value, null, 2);
}
