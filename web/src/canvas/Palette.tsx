// SPDX-License-Identifier: Apache-2.0
/** Every step that can be added: searched, dragged onto the canvas, or added with Enter. */

import { type DragEvent, type KeyboardEvent, type MouseEvent, memo, useEffect, useId, useMemo, useState } from "react";

import type { PaletteEntry, PaletteView } from "../api/types";
import { Icon, type IconName } from "../shell/Icon";
import { useDocument } from "../state/documents";
import { isNarrow, prefer } from "../state/preferences";
import { selection } from "../state/selection";
import { useStore } from "../state/store";
import { workspace } from "../state/workspace";
import "./palette.css";
import { insertEntry, insertInput } from "./commands";
import { ENTRY_DATA, INPUT_DATA } from "./dragData";
import { portTaking } from "./fits";
import { outputType } from "./graph";
import { inputIcon } from "./InputNode";
import { search } from "./search";
import { focusGraph } from "./StepNode";
import { TypeChip } from "./TypeChip";
import { PALETTE_SEARCH } from "./useGraphKeys";

interface Item {
  id: string;
  group: string;
  label: string;
  detail: string;
  icon: IconName;
  takes: (string | null)[];
  gives: string | null;
  problem: string;
  /** The palette's entry; null for an input of the workflow. */
  entry: PaletteEntry | null;
}

const GROUPS = ["Inputs", "Speech", "Text", "Models", "Shape", "Plugins"];
const ICONS: Record<PaletteEntry["group"], IconName> = {
  Speech: "speech",
  Text: "recipe",
  Models: "model",
  Shape: "shape",
  Plugins: "plugin",
};
const INPUT_TYPES = ["audio", "text", "image", "document", "file", "json", "list[text]"];

export function Palette({ path }: { path: string }) {
  const palette = useStore(workspace, (value) => value.palette);
  const [query, setQuery] = useState("");
  const [index, setIndex] = useState(0);
  const id = useId();
  const items = useMemo(() => [...INPUT_TYPES.map(inputItem), ...(palette?.entries ?? []).map(entryItem)], [palette]);
  const open = useDocument(path);
  const chosen = useStore(selection, (value) => value.nodes.at(-1));
  const output = open && chosen !== undefined ? outputType(open, chosen) : undefined;
  const found = useMemo(() => arranged(items, query, palette, output), [items, query, palette, output]);
  const at = Math.min(index, found.length - 1);
  const active = found[at];
  const optionId = (item: Item): string => `${id}-${item.id}`;

  useEffect(() => {
    if (query && active) document.getElementById(`${id}-${active.id}`)?.scrollIntoView({ block: "nearest" });
  }, [id, query, active]);

  const add = (item: Item | undefined, isAlone: boolean): void => {
    if (!item || item.problem) return;
    setQuery("");
    setIndex(0);
    if (item.entry) void insertEntry(path, item.entry, undefined, isAlone ? null : undefined);
    else if (item.gives) void insertInput(path, item.gives);
    if (isNarrow()) prefer({ paletteOpen: false });
    focusGraph();
  };
  const press = (event: KeyboardEvent): void => {
    const last = found.length - 1;
    const next = { ArrowDown: at < last ? at + 1 : 0, ArrowUp: at > 0 ? at - 1 : last }[event.key];
    if (next !== undefined) {
      setIndex(next);
      const item = found[next];
      if (item) document.getElementById(optionId(item))?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) add(active, event.shiftKey);
    else if (event.key === "Escape") {
      if (query) setQuery("");
      else focusGraph();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  let group = "";
  return (
    <div className="palette" data-graph-keys="">
      <div className="palette-search">
        <Icon name="search" size={14} />
        <input
          id={PALETTE_SEARCH}
          className="field"
          type="text"
          role="combobox"
          aria-label="Search for a step to add"
          aria-expanded="true"
          aria-autocomplete="list"
          aria-controls={`${id}-list`}
          aria-activedescendant={active ? optionId(active) : undefined}
          placeholder="Add a step ( / )"
          spellCheck={false}
          autoComplete="off"
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setIndex(0);
          }}
          onKeyDown={press}
        />
      </div>
      <div id={`${id}-list`} className="palette-list scroll" role="listbox" aria-label="Steps that can be added">
        {found.map((item) => {
          const heading = !query && item.group !== group ? (group = item.group) : null;
          return (
            <Row key={item.id} id={optionId(item)} item={item} heading={heading} isActive={item === active && query !== ""} onAdd={add} />
          );
        })}
        {found.length === 0 ? <p className="palette-empty">No step is called “{query}”.</p> : null}
      </div>
    </div>
  );
}

interface RowProps {
  id: string;
  item: Item;
  heading: string | null;
  isActive: boolean;
  onAdd: (item: Item, isAlone: boolean) => void;
}

const Row = memo(
  function Row({ id, item, heading, isActive, onAdd }: RowProps) {
    const drag = (event: DragEvent): void => {
      event.dataTransfer.setData(item.entry ? ENTRY_DATA : INPUT_DATA, item.entry?.id ?? item.gives ?? "");
      event.dataTransfer.effectAllowed = "copy";
    };
    return (
      <>
        {heading ? (
          <div className="palette-group" role="presentation">
            {heading}
          </div>
        ) : null}
        <div
          id={id}
          role="option"
          aria-selected={isActive}
          aria-disabled={item.problem ? true : undefined}
          className="palette-entry"
          title={item.detail}
          draggable={!item.problem}
          onDragStart={drag}
          onClick={(event: MouseEvent) => onAdd(item, event.shiftKey)}
        >
          <span className="palette-icon">
            <Icon name={item.icon} size={15} />
          </span>
          <span className="palette-words">
            <span className="palette-title">{item.label}</span>
            {item.problem ? <span className="palette-problem">{item.problem}</span> : null}
          </span>
          <span className="palette-types">
            {item.takes.slice(0, 1).map((type) => (
              <TypeChip key={type ?? ""} type={type} />
            ))}
            {item.takes.length > 1 ? <span className="palette-arrow">+{item.takes.length - 1}</span> : null}
            {item.takes.length > 0 ? <span className="palette-arrow">→</span> : null}
            <TypeChip type={item.gives} />
          </span>
        </div>
      </>
    );
  },
  (a, b) => a.id === b.id && a.item === b.item && a.heading === b.heading && a.isActive === b.isActive,
);

function inputItem(type: string): Item {
  return {
    id: `inputs-${type}`,
    group: "Inputs",
    label: `${type} input`,
    detail: `What a run is given, of type ${type}`,
    icon: inputIcon(type),
    takes: [],
    gives: type,
    problem: "",
    entry: null,
  };
}

function entryItem(entry: PaletteEntry): Item {
  const main = entry.inputs.filter((port) => port.is_required);
  const takes = (main.length > 0 ? main : entry.inputs.slice(0, 1)).map((port) => port.type);
  return {
    id: entry.id,
    group: entry.group,
    label: entry.title,
    detail: entry.description,
    icon: ICONS[entry.group],
    takes: [...new Set(takes)],
    gives: entry.output,
    problem: entry.problem,
    entry,
  };
}

/** By groups; while a person searches, what takes the chosen step's value first and what cannot be used last. */
function arranged(items: readonly Item[], query: string, palette: PaletteView | null, output: string | null | undefined): Item[] {
  if (query.trim()) {
    const rank = ({ problem, entry }: Item): number =>
      problem ? 2 : output === undefined || !entry || portTaking(palette, entry, output) ? 0 : 1;
    return search(items, query).sort((a, b) => rank(a) - rank(b));
  }
  return [...items].sort((a, b) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group));
}
