// SPDX-License-Identifier: Apache-2.0
/** JSON as a tree that folds, walked by the arrow keys. */

import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import type { JsonValue } from "../api/types";
import { copy } from "./copying";
import { firstOpen, inWords, type JsonRow, rowsOf, SHOWN_CHILDREN, templatePath, type Unfolded } from "./jsonRows";
import { visible } from "./signs";
import "./values.css";

export interface JsonTreeProps {
  value: JsonValue;
  /** What templates call the value: copied paths begin with it. */
  name: string;
}

export function JsonTree({ value, name }: JsonTreeProps) {
  const [unfolded, setUnfolded] = useState<Unfolded>(() => ({ open: firstOpen(value), most: new Map() }));
  const [chosen, setChosen] = useState("");
  const rows = useMemo(() => rowsOf(value, unfolded), [value, unfolded]);
  const tree = useRef<HTMLDivElement>(null);
  const row = rows.find((each) => each.id === chosen) ?? rows[0];
  if (!row) return null;

  const choose = (next: JsonRow | undefined) => {
    if (!next) return;
    setChosen(next.id);
    tree.current?.querySelector<HTMLElement>(`[data-row="${rows.indexOf(next)}"]`)?.focus();
  };
  const toggle = (of: JsonRow) => setUnfolded((old) => (of.hidden ? more(old, of) : folded(old, of)));
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = rows.indexOf(row);
    const act = ACTS[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    const next = act(rows, at);
    if (next === "toggle") toggle(row);
    else choose(next);
  };
  return (
    <div className="value-json">
      <div ref={tree} role="tree" aria-label={`${name} as a tree`} className="value-tree" onKeyDown={onKey}>
        {rows.map((each, index) => (
          <Row key={each.id} row={each} name={each.id === "" ? name : each.name} index={index} isChosen={each === row} onChoose={() => setChosen(each.id)} onToggle={() => toggle(each)} />
        ))}
      </div>
      <div className="value-tools">
        <code className="value-path">{visible(templatePath(name, row.path))}</code>
        <button type="button" className="button value-button" onClick={() => void copy(`{{ ${templatePath(name, row.path)} }}`, "The path is copied")}>Copy path</button>
        <button type="button" className="button value-button" onClick={() => void copy(asText(row.value), "The value is copied")}>Copy value</button>
      </div>
    </div>
  );
}

function asText(value: JsonValue): string {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

function folded(old: Unfolded, row: JsonRow): Unfolded {
  if (!row.isFolder) return old;
  const open = new Set(old.open);
  if (!open.delete(row.id)) open.add(row.id);
  return { ...old, open };
}

function more(old: Unfolded, row: JsonRow): Unfolded {
  const id = row.id.slice(0, -1);
  const shown = old.most.get(id) ?? SHOWN_CHILDREN;
  return { ...old, most: new Map(old.most).set(id, shown + SHOWN_CHILDREN * 5) };
}

type Act = (rows: JsonRow[], at: number) => JsonRow | undefined | "toggle";

/** The keys of a tree, as screen readers expect them. */
const ACTS: Record<string, Act> = {
  ArrowDown: (rows, at) => rows[at + 1],
  ArrowUp: (rows, at) => rows[at - 1],
  Home: (rows) => rows[0],
  End: (rows) => rows.at(-1),
  ArrowRight: (rows, at) => (rows[at]?.isFolder && !rows[at].isOpen ? "toggle" : rows[at]?.isOpen ? rows[at + 1] : undefined),
  ArrowLeft: (rows, at) => (rows[at]?.isOpen ? "toggle" : rows.findLast((row, index) => index < at && row.depth < (rows[at]?.depth ?? 0))),
  Enter: () => "toggle",
  " ": () => "toggle",
};

interface RowProps {
  row: JsonRow;
  name: string;
  index: number;
  isChosen: boolean;
  onChoose: () => void;
  onToggle: () => void;
}

function Row({ row, name, index, isChosen, onChoose, onToggle }: RowProps) {
  const isTwig = row.isFolder || row.hidden > 0;
  return (
    <div
      role="treeitem"
      data-row={index}
      className={isChosen ? "value-row is-chosen" : "value-row"}
      style={{ paddingInlineStart: `${row.depth * 14 + 4}px` }}
      tabIndex={isChosen ? 0 : -1}
      aria-level={row.depth + 1}
      aria-posinset={row.place}
      aria-setsize={row.siblings}
      aria-selected={isChosen}
      aria-expanded={row.isFolder ? row.isOpen : undefined}
      onFocus={onChoose}
      onClick={isTwig ? onToggle : onChoose}
    >
      <span className="value-twig" aria-hidden="true">{row.isFolder ? (row.isOpen ? "▾" : "▸") : ""}</span>
      {row.hidden ? (
        <span className="value-muted">{`${row.hidden.toLocaleString("en")} more…`}</span>
      ) : (
        <>
          <bdi className="value-key">{visible(name)}</bdi>
          <bdi className={`value-leaf is-${kindOf(row.value)}`}>{row.isOpen ? "" : inWords(row.value, 2000)}</bdi>
        </>
      )}
    </div>
  );
}

function kindOf(value: JsonValue): string {
  return value === null ? "null" : typeof value;
}
