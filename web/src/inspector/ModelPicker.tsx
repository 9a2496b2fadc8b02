// SPDX-License-Identifier: Apache-2.0
/** Which model does it: a name of the file, one of this machine, or another that is written down. */

import { useState } from "react";
import type { JsonValue, ModelView } from "../api/types";
import { useStore } from "../state/store";
import { workspace } from "../state/workspace";
import { sizeInWords } from "../values/measures";
import { useDraft } from "./drafts";
import { Field } from "./Field";
import { KINDS, kindOf, MODEL_KEYS, modelLabel, nameOf, onMachine, resolve, writtenFor } from "./models";
import { ParameterField } from "./ParameterField";
import { commonValue, isMixed, problemsAt, useTarget, write } from "./target";
import { same } from "./writing";

export interface ModelPickerProps {
  path: readonly string[];
  label?: string;
  /** What answers if none is named; null if one must be. */
  unset: string | null;
}

const OTHER = "=";

export function ModelPicker({ path, label = "Model", unset }: ModelPickerProps) {
  const target = useTarget();
  const machine = useStore(workspace, (all) => all.models);
  const [isOther, setIsOther] = useState(false);
  const value = commonValue(target, path);
  const { models } = target.document;
  const model = resolve(value, models);
  const known = onMachine(model, machine);
  const choices = choicesOf(Object.keys(models), machine);
  const chosen = choices.find((choice) => same(choice.value, value) || (known !== undefined && typeof value !== "string" && choice.view === known));
  const draft = useDraft(value === undefined ? "" : isOther ? OTHER : (chosen?.key ?? OTHER), (key) =>
    write(target, path, choices.find((choice) => choice.key === key)?.value, label),
  );
  const choose = (key: string) => {
    setIsOther(key === OTHER);
    if (key !== OTHER) draft.choose(key);
  };
  const isWritten = isOther || (value !== undefined && !chosen);
  return (
    <>
      <Field label={label} why={draft.why} problems={problemsAt(target, path)} about={aboutWords(model, known)}>
        {(ids) => (
          <select {...ids} className="field" value={isWritten ? OTHER : draft.text} onChange={(event) => choose(event.target.value)}>
            <option value="">{isMixed(target, path) ? "differs" : (unset ?? "choose…")}</option>
            <Group label="names of this file" choices={choices.filter((choice) => !choice.view)} />
            {[...new Set(machine.map((each) => each.kind))].map((kind) => (
              <Group key={kind} label={kind} choices={choices.filter((choice) => choice.view?.kind === kind)} />
            ))}
            <option value={OTHER}>{isWritten && model ? modelLabel(model) : "another model…"}</option>
          </select>
        )}
      </Field>
      {known?.problem && <p className="inspector-problem is-note">{`${known.name}: ${known.problem}`}</p>}
      {isWritten && typeof value === "string" && !model && <p className="inspector-problem">{`the file's models have no "${value}"`}</p>}
      {isWritten && typeof value !== "string" && <ModelFields path={path} />}
    </>
  );
}

interface Choice {
  key: string;
  words: string;
  value: JsonValue;
  view: ModelView | null;
}

function choicesOf(names: string[], machine: readonly ModelView[]): Choice[] {
  const named = names.map((name): Choice => ({ key: `name ${name}`, words: name, value: name, view: null }));
  const here = machine.map((view): Choice => ({
    key: `${view.kind} ${view.name}`,
    words: view.problem ? `${view.name} — not usable now` : view.name,
    value: writtenFor(view),
    view,
  }));
  return [...named, ...here];
}

function Group({ label, choices }: { label: string; choices: Choice[] }) {
  if (!choices.length) return null;
  return <optgroup label={label}>{choices.map(({ key, words }) => <option key={key} value={key}>{words}</option>)}</optgroup>;
}

function aboutWords(model: ReturnType<typeof resolve>, known: ModelView | undefined): string | undefined {
  const size = known?.size ? sizeInWords(known.size) : "";
  return [model && modelLabel(model), known?.about, size].filter(Boolean).join(" · ") || undefined;
}

/** The kind of a model that stands in the file, and what its kind has. */
export function ModelFields({ path }: { path: readonly string[] }) {
  const target = useTarget();
  const value = commonValue(target, path);
  const model = resolve(value, {});
  const kind = kindOf(model);
  const names = useStore(workspace, (all) => all.models);
  const draft = useDraft(kind, (chosen) => write(target, path, { kind: chosen, [MODEL_KEYS[chosen]?.[0]?.name ?? "name"]: firstOf(chosen, names) }, "kind of model"));
  const keys = MODEL_KEYS[kind] ?? [];
  return (
    <div className="inspector-inset">
      <Field label="Kind" why={draft.why} problems={kind ? [] : problemsAt(target, path)} isHalf>
        {(ids) => (
          <select {...ids} className="field" value={draft.text} onChange={(event) => draft.choose(event.target.value)}>
            {!KINDS.includes(kind) && <option value={kind}>{kind || "choose…"}</option>}
            {KINDS.map((each) => <option key={each}>{each}</option>)}
          </select>
        )}
      </Field>
      {keys.map((key) => (
        <ParameterField key={`${kind} ${key.name}`} parameter={{ ...key, path: [...path, ...key.path] }} isBrief={!key.is_required} />
      ))}
    </div>
  );
}

/** A model of a kind to begin with: a file must name one. */
function firstOf(kind: string, models: readonly ModelView[]): string {
  const first = models.find((each) => each.kind === kind && !each.problem) ?? models.find((each) => each.kind === kind);
  if (first) return nameOf(writtenFor(first));
  return kind === "embedded" ? "summary" : "?";
}
