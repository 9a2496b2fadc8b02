// SPDX-License-Identifier: Apache-2.0
/** A text with `{{ names }}`, which are marked, and a menu of what can be put in. */

import { type KeyboardEvent, useMemo, useRef } from "react";
import { MenuButton, type MenuItem } from "../shell/Menu";
import { useStore } from "../state/store";
import { workspace } from "../state/workspace";
import { useDraft } from "./drafts";
import { Field, type FieldProps } from "./Field";
import { namesFor, reading } from "./readable";
import { commonValue, isMixed, problemsAt, useTarget, write } from "./target";

export interface TemplateFieldProps extends Pick<FieldProps, "label" | "about" | "isRequired" | "aside"> {
  path: readonly string[];
  /** Fewest lines shown. */
  rows?: number;
  placeholder?: string;
  /** It is one expression, such as a condition: code, not prose. */
  isCode?: boolean;
}

export function TemplateField({ path, label, about, isRequired = false, aside, rows = 3, placeholder = "", isCode = false }: TemplateFieldProps) {
  const target = useTarget();
  const area = useRef<HTMLTextAreaElement>(null);
  const value = commonValue(target, path);
  const draft = useDraft(typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value), (text) =>
    write(target, path, text === "" ? undefined : text, label),
  );
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    draft.reset();
    event.stopPropagation();
  };
  const menu = (
    <>
      {aside}
      <InsertMenu label={label} onInsert={(text) => insert(area.current, text, draft.change)} />
    </>
  );
  return (
    <Field label={label} about={about} why={draft.why} problems={problemsAt(target, path)} isRequired={isRequired} aside={menu}>
      {(ids) => (
        <div className={isCode ? "inspector-template is-code" : "inspector-template"}>
          <Mirror text={draft.text} />
          <textarea
            {...ids}
            ref={area}
            className="field"
            rows={rows}
            value={draft.text}
            placeholder={isMixed(target, path) ? "differs" : placeholder}
            spellCheck={!isCode}
            onChange={(event) => draft.change(event.target.value)}
            onBlur={draft.commit}
            onKeyDown={onKey}
          />
        </div>
      )}
    </Field>
  );
}

const CODE = /(\{\{[\s\S]*?\}\}|\{%[\s\S]*?%\}|\{#[\s\S]*?#\})/;

/** The same text below the field, with marks behind its code: it also gives the field its height. */
function Mirror({ text }: { text: string }) {
  const parts = useMemo(() => text.split(CODE), [text]);
  return (
    <div className="inspector-mirror" aria-hidden="true">
      {parts.map((part, index) => (index % 2 ? <mark key={index}>{part}</mark> : <span key={index}>{part}</span>))}
      {"\n"}
    </div>
  );
}

function InsertMenu({ label, onInsert }: { label: string; onInsert: (text: string) => void }) {
  const { document, step } = useTarget();
  const palette = useStore(workspace, (all) => all.palette);
  const items = namesFor(document, palette, step).map((each): MenuItem => ({
    label: each.name,
    hint: each.type ?? "",
    onSelect: () => onInsert(reading(each.name)),
  }));
  if (!items.length) return null;
  return (
    <MenuButton label={`Insert into ${label}`} items={items} className="button quiet inspector-insert" align="end">
      <code>{"{{ }}"}</code>
    </MenuButton>
  );
}

function insert(area: HTMLTextAreaElement | null, text: string, change: (text: string) => void): void {
  if (!area) return;
  area.focus();
  // The only way to change a field that the browser's own undo takes back.
  if (document.execCommand("insertText", false, text)) return;
  area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
  change(area.value);
}
