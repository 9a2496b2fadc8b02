// SPDX-License-Identifier: Apache-2.0
/** The workflow itself: shown when nothing is chosen. */

import { useMemo } from "react";
import type { DocumentView, JsonValue } from "../api/types";
import { History } from "../runs/History";
import { Icon } from "../shell/Icon";
import { reveal } from "../state/selection";
import { Adder } from "./Adder";
import { useDraft } from "./drafts";
import { Field, ProblemWords } from "./Field";
import { InputFields } from "./InputForm";
import { declare } from "./inputs";
import { kindOf, modelLabel, optionsKey, resolve } from "./models";
import { ModelFields } from "./ModelPicker";
import { ParameterField } from "./ParameterField";
import { Section } from "./StepForm";
import { useStore } from "../state/store";
import { workspace } from "../state/workspace";
import { send, type Target, TargetProvider, useTarget } from "./target";
import { TemplateField } from "./TemplateField";
import { TypedField } from "./TypedField";

const textOrNone = (typed: string) => ({ value: typed || undefined });
const shown = (value: JsonValue | undefined) => (typeof value === "string" ? value : "");

export function WorkflowForm({ document }: { document: DocumentView }) {
  const target = useMemo(() => workflowTarget(document), [document]);
  const loose = document.problems.filter((problem) => !problem.step);
  return (
    <TargetProvider value={target}>
      <header className="inspector-head">
        <h2>Workflow</h2>
        <p className="inspector-sort"><span>{document.path}</span></p>
      </header>
      <div className="inspector-body scroll">
        <fieldset className="inspector-form" disabled={document.read_only !== ""}>
          <legend className="unseen">The workflow</legend>
          {document.read_only && <p className="inspector-problem is-note">{document.read_only}</p>}
          {loose.length > 0 && <div className="inspector-problems">{loose.map((problem, index) => <ProblemWords key={`${problem.code} ${index}`} problem={problem} />)}</div>}
          <TypedField path={["name"]} label="Name" parse={(typed) => (typed.trim() ? { value: typed.trim() } : { why: "a workflow has a name" })} show={shown} />
          <TypedField path={["description"]} label="Description" parse={textOrNone} show={shown} rows={2} />
          <Inputs document={document} />
          <Models document={document} />
          <Outputs document={document} />
        </fieldset>
        <div className="inspector-form">
          <Section title="Runs" isOpen={false} paths={[]}><History path={document.path} /></Section>
        </div>
      </div>
    </TargetProvider>
  );
}

function workflowTarget(document: DocumentView): Target {
  const { name, description, models } = document;
  const outputs = Object.fromEntries(document.outputs.map((each) => [each.name, each.template]));
  const data = { name, models, outputs, ...(description ? { description } : {}) };
  return { document, who: "workflow", step: null, places: [{ base: [], data }], problems: [] };
}

function Inputs({ document }: { document: DocumentView }) {
  const target = useTarget();
  return (
    <Section title={`Inputs (${document.inputs.length})`} isOpen={document.inputs.length > 0 && document.inputs.length < 8} paths={[]}>
      {document.inputs.map((input) => (
        <details key={input.name} className="inspector-item">
          <summary>
            <code>{input.name}</code> <span className="muted">{input.type}</span>
          </summary>
          <InputFields document={document} input={input} />
        </details>
      ))}
      <Adder
        label="Add an input"
        placeholder="name"
        taken={document.inputs.map((input) => input.name)}
        onAdd={(name) => send(target, declare(document, name, { type: "text" }), `add input ${name}`)}
      />
    </Section>
  );
}

function Models({ document }: { document: DocumentView }) {
  const target = useTarget();
  const names = Object.keys(document.models);
  return (
    <Section title={`Models (${names.length})`} isOpen={names.length > 0 && names.length < 5} paths={[]}>
      {names.map((name) => <NamedModel key={name} name={name} document={document} />)}
      <Adder
        label="Add a model"
        placeholder="name for it"
        taken={names}
        isLabel
        onAdd={(name) => send(target, [{ kind: "set-value", path: ["models", name], value: { kind: "embedded", name: "summary" } }], `add model ${name}`)}
      />
    </Section>
  );
}

function NamedModel({ name, document }: { name: string; document: DocumentView }) {
  const value = document.models[name] ?? null;
  const model = resolve(name, document.models);
  const options = useStore(workspace, (all) => all.palette?.model_options[optionsKey(model)]);
  const outer = useTarget();
  const target = useMemo((): Target => ({ ...outer, who: `model ${name}`, places: [{ base: ["models", name], data: model ?? {} }] }), [outer, name, model]);
  const whole = useMemo((): Target => ({ ...outer, who: `model ${name}`, places: [{ base: ["models"], data: { [name]: value } }] }), [outer, name, value]);
  const readers = document.steps.filter((step) => step.data["model"] === name).map((step) => step.id);
  return (
    <details className="inspector-item">
      <summary>
        <code>{name}</code> <span className="muted">{modelLabel(model)}</span>
      </summary>
      <TargetProvider value={whole}><ModelFields path={[name]} /></TargetProvider>
      <TargetProvider value={target}>
        <div className="inspector-grid" key={kindOf(model)}>
          {(options ?? []).map((each) => <ParameterField key={each.name} parameter={each} isBrief />)}
        </div>
      </TargetProvider>
      <RemoveRow steps={readers} words={`Remove ${name}`} onRemove={() => void send(outer, [{ kind: "remove-value", path: document && Object.keys(document.models).length > 1 ? ["models", name] : ["models"] }], `remove model ${name}`)} />
    </details>
  );
}

interface RemoveRowProps {
  /** Steps and outputs that read it. */
  steps: string[];
  outputs?: string[];
  words: string;
  onRemove: () => void;
}

/** Removes a thing, unless something reads it: then it says what does. */
export function RemoveRow({ steps, outputs = [], words, onRemove }: RemoveRowProps) {
  const isRead = steps.length + outputs.length > 0;
  return (
    <div className="inspector-row">
      {isRead && (
        <span className="inspector-about">
          {"read by "}
          {steps.slice(0, 6).map((id) => <button key={id} type="button" className="inspector-link" onClick={() => reveal([id])}>{id}</button>)}
          {steps.length > 6 && ` and ${steps.length - 6} more`}
          {outputs.length > 0 && ` ${steps.length ? "and " : ""}the output ${outputs[0]}`}
        </span>
      )}
      <span className="inspector-acts">
        <button type="button" className="button quiet" disabled={isRead} onClick={onRemove}>
          <Icon name="close" size={14} /> {words}
        </button>
      </span>
    </div>
  );
}

function Outputs({ document }: { document: DocumentView }) {
  const target = useTarget();
  const last = document.steps.at(-1)?.id;
  const remove = (name: string) => void send(target, [{ kind: "remove-value", path: document.outputs.length > 1 ? ["outputs", name] : ["outputs"] }], `remove output ${name}`);
  return (
    <Section title={`Outputs (${document.outputs.length})`} isOpen={document.outputs.length > 0 && document.outputs.length < 8} paths={[]}>
      {document.outputs.map(({ name }) => (
        <div key={name} className="inspector-item">
          <OutputName name={name} document={document} onRemove={() => remove(name)} />
          <TemplateField path={["outputs", name]} label="is" rows={1} />
        </div>
      ))}
      <Adder
        label="Add an output"
        placeholder="name"
        taken={document.outputs.map((each) => each.name)}
        isLabel
        onAdd={(name) => send(target, [{ kind: "set-value", path: ["outputs", name], value: last ? `{{ ${last} }}` : "" }], `add output ${name}`)}
      />
    </Section>
  );
}

function OutputName({ name, document, onRemove }: { name: string; document: DocumentView; onRemove: () => void }) {
  const target = useTarget();
  const template = document.outputs.find((each) => each.name === name)?.template ?? "";
  const draft = useDraft(name, (typed) => {
    const next = typed.trim();
    if (!/^[\p{L}\p{N}_][\p{L}\p{N}_.-]*$/u.test(next)) return "a name is letters, digits, `_`, `.` and `-`";
    if (document.outputs.some((each) => each.name === next)) return `there is already an output ${next}`;
    return send(target, [{ kind: "set-value", path: ["outputs", next], value: template }, { kind: "remove-value", path: ["outputs", name] }], `rename output ${name} to ${next}`);
  }, true);
  return (
    <Field label="Output" why={draft.why} aside={<button type="button" className="button quiet icon inspector-small" aria-label={`Remove output ${name}`} onClick={onRemove}><Icon name="close" size={14} /></button>}>
      {(ids) => <input {...ids} className="field mono" value={draft.text} spellCheck={false} onChange={(event) => draft.change(event.target.value)} onBlur={draft.commit} onKeyDown={(event) => event.key === "Enter" && draft.commit()} />}
    </Field>
  );
}
