// SPDX-License-Identifier: Apache-2.0
/** Everything that can be set of a step. */

import { type ReactNode, useState } from "react";
import type { PaletteEntry, ParameterView, StepView } from "../api/types";
import { useStore } from "../state/store";
import { workspace } from "../state/workspace";
import { ProblemWords } from "./Field";
import { optionsKey, resolve } from "./models";
import { ModelPicker } from "./ModelPicker";
import { ParameterField } from "./ParameterField";
import { PortField, TypeChip } from "./PortField";
import { RunningSection } from "./RunningSection";
import { commonValue, problemsAt, type Target, useTarget } from "./target";
import { TemplateField } from "./TemplateField";
import { Transforms } from "./Transforms";
import { isObject, mappingAt } from "./writing";

/** Options that are shown even if they are not set. */
const USUAL = ["temperature", "num_predict", "seed", "output", "language", "sentences", "style", "kinds", "mask"];

export function StepForm({ step }: { step: StepView }) {
  const palette = useStore(workspace, (all) => all.palette);
  const target = useTarget();
  const entry = palette?.entries.find((each) => isEntryOf(each, step));
  return (
    <>
      <Unclaimed target={target} entry={entry} />
      {entry?.problem && <p className="inspector-problem is-note">{entry.problem}</p>}
      {step.sort === "recipe" || step.sort === "plugin" ? <Used step={step} entry={entry} /> : <Asked step={step} />}
      <RunningSection />
    </>
  );
}

function isEntryOf(entry: PaletteEntry, step: StepView): boolean {
  return typeof step.data["uses"] === "string" && entry.step["uses"] === step.data["uses"];
}

/** A step that asks a model, or that only shapes values. */
function Asked({ step }: { step: StepView }) {
  const target = useTarget();
  const server = useStore(workspace, (all) => all.server);
  const { data } = step;
  const asksModel = step.sort === "model";
  const hasPrompt = data["prompt_template"] !== undefined || step.inputs.some((port) => port.name === "prompt");
  const port = step.inputs.find((each) => each.name === "input");
  return (
    <>
      {asksModel && <ModelPicker path={["model"]} unset={hasPrompt ? `the configured model${server?.model ? ` (${server.model})` : ""}` : null} />}
      {hasPrompt && <TemplateField path={["prompt_template"]} label="Prompt" rows={5} placeholder="What the model is asked, with {{ names }}" />}
      {(data["input"] !== undefined || port || !hasPrompt) && (
        <PortField path={["input"]} label="Input" type={port?.type ?? null} isRequired={port?.is_required ?? false} />
      )}
      {(data["input"] !== undefined || step.sort === "reshape") && <Transforms />}
      {hasPrompt && <Section title="System prompt" isOpen={data["system"] !== undefined} paths={[["system"]]}><TemplateField path={["system"]} label="System prompt" /></Section>}
      {asksModel && <Options model={resolve(commonValue(target, ["model"]), target.document.models)} />}
      {asksModel && <Output />}
    </>
  );
}

/** A step that uses a recipe or a plugin. */
function Used({ step, entry }: { step: StepView; entry: PaletteEntry | undefined }) {
  const target = useTarget();
  const isRecipe = step.sort === "recipe";
  const parameters = entry?.parameters ?? [];
  const named = parameters.filter((each) => each.path[0] === "with");
  const port = step.inputs.find((each) => each.name === "input");
  const given = mappingAt(step.data, "with");
  const unknown = Object.keys(given).filter((name) => name !== "model" && !named.some((each) => each.name === name));
  const model = commonValue(target, ["with", "model"]) !== undefined ? ["with", "model"] : ["model"];
  const asksModel = isRecipe && (step.model !== "" || commonValue(target, model) !== undefined);
  return (
    <>
      {entry?.description && <p className="inspector-about">{entry.description}</p>}
      {(port || step.data["input"] !== undefined) && !named.some((each) => step.inputs.some((other) => other.name === `with.${each.name}` && other.is_required)) && (
        <PortField path={["input"]} label="Input" type={port?.type ?? null} isRequired={port?.is_required ?? false} />
      )}
      {step.data["input"] !== undefined && <Transforms />}
      <div className="inspector-grid">
        {named.map((parameter) => (
          <ParameterField key={parameter.name} parameter={parameter} isPort={isRecipe} />
        ))}
        {unknown.map((name) => (
          <ParameterField key={name} parameter={strange(name)} />
        ))}
      </div>
      {asksModel && <ModelPicker path={model} unset={`the default${step.model ? ` (${step.model})` : ""}`} />}
      {asksModel && <Options model={resolve(commonValue(target, model), target.document.models)} />}
      {!isRecipe && parameters.some((each) => each.path[0] === "options") && <Options model={{ kind: "" }} />}
    </>
  );
}

/** A parameter that the file gives and nobody declares: it can be mended or taken away. */
function strange(name: string): ParameterView {
  return { name, path: ["with", name], type: "json", description: "", default: null, is_required: false, choices: [], minimum: null, maximum: null };
}

function Options({ model }: { model: ReturnType<typeof resolve> }) {
  const target = useTarget();
  const palette = useStore(workspace, (all) => all.palette);
  const [isAll, setIsAll] = useState(false);
  const set = mappingAt(target.step?.data ?? {}, "options");
  const known = optionsOf(model, palette?.entries ?? [], palette?.model_options ?? {});
  const more: ParameterView[] = Object.keys(set).filter((name) => !known.some((each) => each.name === name)).map((name) => ({ ...strange(name), path: ["options", name] }));
  const all = [...known, ...more];
  const shown = all.filter((each) => isAll || USUAL.includes(each.name) || each.name in set || problemsAt(target, each.path).length > 0);
  if (!all.length) return null;
  const inherited = isObject(model?.["options"]) ? model["options"] : {};
  return (
    <Section title="Options of the model" isOpen={Object.keys(set).length > 0} paths={[["options"]]}>
      <div className="inspector-grid">
        {shown.map((each) => <ParameterField key={each.name} parameter={each} isBrief={each.choices.length > 0 || each.type !== "list[text]"} {...(inherited[each.name] === undefined ? {} : { inherited: inherited[each.name] ?? null })} />)}
      </div>
      {shown.length < all.length && (
        <button type="button" className="button quiet inspector-more" onClick={() => setIsAll(true)}>{`${all.length - shown.length} more options`}</button>
      )}
    </Section>
  );
}

function optionsOf(model: ReturnType<typeof resolve>, entries: readonly PaletteEntry[], byKind: Record<string, ParameterView[]>): ParameterView[] {
  if (model?.["kind"] === "plugin") {
    const entry = entries.find((each) => isObject(each.step["model"]) && each.step["model"]["name"] === model["name"]);
    return (entry?.parameters ?? []).filter((each) => each.path[0] === "options");
  }
  // No model named: the configured one answers, which is a language model.
  return byKind[model ? optionsKey(model) : "ollama"] ?? [];
}

function Output() {
  const palette = useStore(workspace, (all) => all.palette);
  const target = useTarget();
  const fields = (palette?.parameters ?? []).filter((each) => each.path[0] === "output");
  const type = commonValue(target, ["output", "type"]);
  const schema = commonValue(target, ["output", "schema"]);
  const isJson = type === "json" || (type === undefined && schema !== undefined);
  const shown = fields.filter((each) => each.path[1] !== "schema" || isJson || schema !== undefined);
  return (
    <Section title="Output" isOpen={type !== undefined || schema !== undefined} paths={[["output"]]} aside={<TypeChip type={target.step?.output} />}>
      {shown.map((each) => (
        <ParameterField key={each.name} parameter={each} label={each.path[1] === "schema" ? "Schema" : "Type"} />
      ))}
    </Section>
  );
}

export interface SectionProps {
  title: string;
  /** Open at first: something in it is set. */
  isOpen: boolean;
  /** Where its fields write: a problem there opens it. */
  paths: readonly (readonly string[])[];
  aside?: ReactNode;
  children: ReactNode;
}

/** A part of a form that folds. */
export function Section({ title, isOpen, paths, aside, children }: SectionProps) {
  const target = useTarget();
  const [wish, setWish] = useState<boolean | null>(null);
  const problems = paths.flatMap((path) => problemsAt(target, path));
  const open = wish ?? (isOpen || problems.length > 0);
  return (
    <details className="inspector-section" open={open}>
      <summary
        onClick={(event) => {
          event.preventDefault();
          setWish(!open);
        }}
      >
        {title}
        {!open && problems.length > 0 && <span className="inspector-badge">{problems.length}</span>}
        {aside}
      </summary>
      {open && <div className="inspector-section-body">{children}</div>}
    </details>
  );
}

const CLAIMED = ["model", "prompt_template", "system", "input", "input_transforms", "options", "output", "when", "for_each", "retry", "timeout", "on_error", "default", "cache"];

/** Problems that no field shows: of keys that are none, or of the step as a whole. */
function Unclaimed({ target, entry }: { target: Target; entry: PaletteEntry | undefined }) {
  const rest = target.problems.filter(({ keys: [first = "", second = ""] }) => {
    if (CLAIMED.includes(first)) return false;
    return first !== "with" || !(second in mappingAt(target.step?.data ?? {}, "with") || entry?.parameters.some((each) => each.name === second));
  });
  if (!rest.length) return null;
  return (
    <div className="inspector-problems" role="status">
      {rest.map(({ problem }, index) => <ProblemWords key={`${problem.code} ${index}`} problem={problem} />)}
    </div>
  );
}
