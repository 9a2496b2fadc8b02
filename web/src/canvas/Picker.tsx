// SPDX-License-Identifier: Apache-2.0
/** The open list of choices: type to filter, arrows to walk, Enter to choose. */

import { type KeyboardEvent, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "react";

import { Icon } from "../shell/Icon";
import { Words } from "../shell/Words";
import { useStore } from "../state/store";
import { type Choice, type Popup, closePopup, popup } from "./popup";
import { search } from "./search";
import "./picker.css";
import { TypeChip } from "./TypeChip";

export function PopupHost() {
  const open = useStore(popup, (value) => value);
  return open ? <Picker key={`${open.title}:${open.x}:${open.y}`} open={open} /> : null;
}

function Picker({ open }: { open: Popup }) {
  const { title, note, tone, hasFilter, empty } = open;
  const [query, setQuery] = useState("");
  const [index, setIndex] = useState(0);
  const frame = useRef<HTMLDivElement>(null);
  const id = useId();
  const choices = useMemo(() => search(open.choices, query), [open.choices, query]);
  const active = choices[Math.min(index, choices.length - 1)];

  useLayoutEffect(() => place(frame.current, open), [open]);
  useLayoutEffect(() => {
    frame.current?.querySelector<HTMLElement>(hasFilter ? "input" : "[role=listbox]")?.focus({ preventScroll: true });
    const press = (event: PointerEvent): void => {
      if (!frame.current?.contains(event.target as globalThis.Node)) closePopup();
    };
    window.addEventListener("pointerdown", press, true);
    return () => window.removeEventListener("pointerdown", press, true);
  }, [hasFilter]);
  useEffect(() => {
    if (active) document.getElementById(optionId(id, active))?.scrollIntoView({ block: "nearest" });
  }, [id, active]);

  const choose = (choice: Choice | undefined): void => {
    if (!choice || choice.refusal) return;
    closePopup();
    choice.run();
  };
  const press = (event: KeyboardEvent): void => {
    const last = choices.length - 1;
    const at = Math.min(index, last);
    const next = { ArrowDown: at < last ? at + 1 : 0, ArrowUp: at > 0 ? at - 1 : last, PageDown: Math.min(at + 8, last), PageUp: Math.max(at - 8, 0) }[event.key];
    event.stopPropagation();
    if (next !== undefined) setIndex(Math.max(0, next));
    else if (event.key === "Enter") choose(active);
    else if (event.key === "Escape" || event.key === "Tab") closePopup();
    else return;
    event.preventDefault();
  };
  const list = {
    "aria-activedescendant": active ? optionId(id, active) : undefined,
    "aria-controls": `${id}-list`,
  };
  return (
    <div ref={frame} className={`picker ${tone ?? ""}`} role="dialog" aria-label={title} onKeyDown={press}>
      <div className="picker-title">{title}</div>
      {note ? (
        <p className="picker-note" role="alert">
          <Icon name="alert" size={14} /> <Words text={note} />
        </p>
      ) : null}
      {hasFilter ? (
        <input
          className="field"
          type="text"
          role="combobox"
          aria-label={title}
          aria-expanded="true"
          aria-autocomplete="list"
          placeholder="Type to filter"
          spellCheck={false}
          autoComplete="off"
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setIndex(0);
          }}
          {...list}
        />
      ) : null}
      {choices.length === 0 ? <p className="picker-empty">{note ? "" : (empty ?? "Nothing is called that.")}</p> : null}
      <div
        id={`${id}-list`}
        className="picker-list scroll"
        role="listbox"
        aria-label={title}
        tabIndex={hasFilter ? -1 : 0}
        aria-activedescendant={hasFilter ? undefined : list["aria-activedescendant"]}
      >
        {choices.slice(0, MOST).map((choice) => (
          <Option key={choice.id} id={optionId(id, choice)} choice={choice} isActive={choice === active} onChoose={choose} />
        ))}
      </div>
    </div>
  );
}

const MOST = 200;

interface OptionProps {
  id: string;
  choice: Choice;
  isActive: boolean;
  onChoose: (choice: Choice) => void;
}

function Option({ id, choice, isActive, onChoose }: OptionProps) {
  return (
    <div
      id={id}
      role="option"
      aria-selected={isActive}
      aria-disabled={choice.refusal ? true : undefined}
      className={`picker-option ${choice.isDanger ? "bad" : ""}`}
      onClick={() => onChoose(choice)}
    >
      <span className="picker-label">
        {choice.isChecked ? <Icon name="check" size={14} label="connected" /> : null}
        {choice.label}
      </span>
      {choice.detail ? <span className="picker-detail">{choice.refusal ?? choice.detail}</span> : null}
      {choice.type === undefined ? null : <TypeChip type={choice.type} />}
    </div>
  );
}

const optionId = (id: string, choice: Choice): string => `${id}-${choice.id}`;

/** At the pointer, but inside the window. */
function place(frame: HTMLElement | null, { x, y }: Popup): void {
  if (!frame) return;
  const { width, height } = frame.getBoundingClientRect();
  frame.style.left = `${Math.max(8, Math.min(x, window.innerWidth - width - 8))}px`;
  frame.style.top = `${Math.max(8, Math.min(y, window.innerHeight - height - 8))}px`;
}
