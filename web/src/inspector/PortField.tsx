// SPDX-License-Identifier: Apache-2.0
/** What a port takes: the output of a step or an input, or a value that is written here. */

import { useState } from "react";
import { useStore } from "../state/store";
import { workspace } from "../state/workspace";
import { useDraft } from "./drafts";
import { Field } from "./Field";
import { jsonText, type Parsed } from "./parsing";
import { type Readable, readableBy, reading, wholeName } from "./readable";
import { commonValue, problemsAt, useTarget, write } from "./target";
import { TemplateField } from "./TemplateField";
import { TypedField } from "./TypedField";
import { isObject } from "./writing";

export interface PortFieldProps {
  path: readonly string[];
  label: string;
  about?: string | undefined;
  /** What the port takes; null for anything. */
  type: string | null;
  isRequired?: boolean;
  placeholder?: string;
}

const VALUE = "=";
const FILES = ["audio", "image", "document", "file"];

export function PortField({ path, label, about, type, isRequired = false, placeholder = "" }: PortFieldProps) {
  const target = useTarget();
  const { palette, folder } = useStore(workspace, (all) => all);
  const value = commonValue(target, path);
  const name = wholeName(value);
  const [isTyped, setIsTyped] = useState(false);
  const readables = readableBy(target.document, palette, target.step, type);
  const isValue = isTyped || (value !== undefined && name === null);
  const draft = useDraft(isValue ? VALUE : (name ?? ""), (chosen) => write(target, path, chosen ? reading(chosen) : undefined, label));
  const choose = (chosen: string) => {
    setIsTyped(chosen === VALUE);
    if (chosen !== VALUE) draft.choose(chosen);
  };
  return (
    <div className="inspector-port">
      <Field label={label} about={isValue ? undefined : about} why={draft.why} problems={isValue ? [] : problemsAt(target, path)} isRequired={isRequired} aside={<TypeChip type={type} />}>
        {(ids) => (
          <select {...ids} className="field" value={isValue ? VALUE : draft.text} onChange={(event) => choose(event.target.value)}>
            <option value="">{isRequired ? "choose…" : placeholder ? `default (${placeholder})` : "nothing"}</option>
            <option value={VALUE}>a value written here</option>
            <Readables readables={readables} name={name} />
          </select>
        )}
      </Field>
      {isValue && <Written {...{ path, label, about, type }} files={(folder?.material ?? []).filter((each) => type === "file" || each.type === type).map((each) => each.path)} />}
    </div>
  );
}

function Readables({ readables, name }: { readables: Readable[]; name: string | null }) {
  const fits = readables.filter((each) => !each.reason);
  const others = readables.filter((each) => each.reason);
  // A part of an output, or a name that is not there: said by the file, so shown.
  const isOther = name !== null && !readables.some((each) => each.name === name);
  return (
    <>
      <optgroup label="reads">
        {fits.map((each) => <option key={each.name} value={each.name}>{words(each)}</option>)}
        {isOther && <option value={name}>{name}</option>}
      </optgroup>
      {others.length > 0 && (
        <optgroup label="does not fit">
          {others.map((each) => <option key={each.name} value={each.name} disabled={each.name !== name} title={each.reason}>{words(each)}</option>)}
        </optgroup>
      )}
    </>
  );
}

const words = (each: Readable): string => (each.type ? `${each.name} (${each.type})` : each.name);

interface WrittenProps {
  path: readonly string[];
  label: string;
  about: string | undefined;
  type: string | null;
  files: string[];
}

function Written({ path, label, about, type, files }: WrittenProps) {
  const value = commonValue(useTarget(), path);
  const name = `${label}, the value`;
  if (type !== null && FILES.includes(type)) return <TypedField path={path} label={name} about={about} parse={parsePath} show={jsonText} hints={files} isCode />;
  if (Array.isArray(value) || isObject(value)) return <TypedField path={path} label={name} about={about} parse={parseStructure} rows={4} isCode />;
  return <TemplateField path={path} label={name} about={about} />;
}

const parsePath = (text: string): Parsed => ({ value: text.trim() || undefined });

function parseStructure(text: string): Parsed {
  try {
    return { value: text.trim() ? JSON.parse(text) : undefined };
  } catch {
    return { why: "this is not JSON" };
  }
}

/** A type in its colour, and in words. */
export function TypeChip({ type }: { type: string | null | undefined }) {
  if (!type) return null;
  const kind = type.startsWith("list") ? "list" : (type.split(" ")[0] ?? "file");
  return <span className={`inspector-type is-${["document", "embedding"].includes(kind) ? "file" : kind}`}>{type.replaceAll(" | ", " or ")}</span>;
}
