// SPDX-License-Identifier: Apache-2.0
/** How a step is run: when, how often, for how long, and what if it fails. */

import type { JsonValue, ParameterView } from "../api/types";
import { useStore } from "../state/store";
import { workspace } from "../state/workspace";
import { ModelPicker } from "./ModelPicker";
import { ParameterField } from "./ParameterField";
import { Section } from "./StepForm";
import { commonValue, useTarget } from "./target";
import { TemplateField } from "./TemplateField";
import { ChoiceField } from "./TypedField";
import { isObject } from "./writing";

const LABELS: Record<string, string> = {
  when: "Run only when",
  for_each: "Run for each of",
  "retry.attempts": "Attempts",
  "retry.backoff": "First wait",
  timeout: "Timeout",
  on_error: "If it fails",
  cache: "Cache",
  default: "Output when skipped",
};

const KEYS = ["when", "for_each", "retry", "timeout", "on_error", "cache", "default"];

export function RunningSection() {
  const target = useTarget();
  const parameters = useStore(workspace, (all) => all.palette?.parameters ?? NONE);
  const shown = parameters.filter((each) => KEYS.includes(each.path[0] ?? ""));
  const isSet = KEYS.some((key) => target.places.some((place) => place.data[key] !== undefined));
  return (
    <Section title="Running" isOpen={isSet} paths={KEYS.map((key) => [key])}>
      <div className="inspector-grid">
        {shown.map((each) => <Setting key={each.name} parameter={each} />)}
      </div>
    </Section>
  );
}

const NONE: ParameterView[] = [];

function Setting({ parameter }: { parameter: ParameterView }) {
  const label = LABELS[parameter.name] ?? parameter.name;
  switch (parameter.path[0]) {
    case "when":
      return <TemplateField path={["when"]} label={label} rows={1} isCode placeholder="always" />;
    case "for_each":
      return <TemplateField path={["for_each"]} label={label} rows={1} isCode placeholder="once; or {{ a list }}" />;
    case "on_error":
      return <OnError label={label} />;
    default:
      return <ParameterField parameter={parameter} label={label} isBrief />;
  }
}

const ACTS: { value: JsonValue; words: string }[] = [
  { value: "fail", words: "fail" },
  { value: "skip", words: "skip the step" },
];

/** Fails, skips, or asks other models: the first of them is picked here, several in the text. */
function OnError({ label }: { label: string }) {
  const target = useTarget();
  const value = commonValue(target, ["on_error"]);
  const use = isObject(value) ? value["use"] : undefined;
  const asks = isObject(value) ? [{ value, words: Array.isArray(use) ? `ask ${use.length} other models` : "ask another model" }] : [{ value: { use: firstModel(target.document.models) }, words: "ask another model" }];
  return (
    <>
      <ChoiceField path={["on_error"]} label={label} choices={[...ACTS, ...asks]} unset="default (fail)" isHalf />
      {use !== undefined && !Array.isArray(use) && <ModelPicker path={["on_error", "use"]} label="Ask instead" unset={null} />}
    </>
  );
}

function firstModel(models: Record<string, JsonValue>): JsonValue {
  return Object.keys(models)[0] ?? { kind: "embedded", name: "summary" };
}
