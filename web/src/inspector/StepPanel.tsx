// SPDX-License-Identifier: Apache-2.0
/** A step: its name, its settings, what it gave and got, and its part in the log. */

import { useMemo } from "react";
import { flushSync } from "react-dom";
import type { DocumentView, StepView } from "../api/types";
import { withoutFolder } from "../canvas/StepNode";
import { History } from "../runs/History";
import { RunLog } from "../runs/RunLog";
import { select } from "../state/selection";
import { tryEdit } from "../state/documents";
import { visible } from "../values/signs";
import { useDraft } from "./drafts";
import { nameProblem } from "./renaming";
import { StepForm } from "./StepForm";
import { StepInput, StepOutput } from "./StepValues";
import { TargetProvider, stepTarget } from "./target";
import { TabPanel, Tabs, useTab } from "./tabs";
import { TypeChip } from "./PortField";

const SORTS: Record<StepView["sort"], string> = {
  model: "asks a model",
  recipe: "recipe",
  plugin: "plugin",
  reshape: "shapes values",
  unknown: "not known here",
};

export function StepPanel({ document, step }: { document: DocumentView; step: StepView }) {
  const target = useMemo(() => stepTarget(document, [step]), [document, step]);
  const tab = useTab();
  const { path } = document;
  return (
    <TargetProvider value={target}>
      <header className="inspector-head">
        <Name document={document} step={step} />
        <p className="inspector-sort">
          <span>{step.sort === "recipe" || step.sort === "plugin" ? `${SORTS[step.sort]} ${step.title}` : SORTS[step.sort]}</span>
          {step.model && <span title={step.model}>{withoutFolder(step.model)}</span>}
          <TypeChip type={step.output} />
        </p>
      </header>
      <Tabs />
      <TabPanel tab={tab}>
        {tab === "settings" && (step.sort === "unknown" ? <Unknown step={step} document={document} /> : (
          <fieldset className="inspector-form" disabled={document.read_only !== ""}>
            <legend className="unseen">{`Settings of ${step.id}`}</legend>
            <StepForm step={step} />
          </fieldset>
        ))}
        {tab === "output" && <StepOutput document={document} step={step} />}
        {tab === "input" && <StepInput document={document} step={step} />}
        {tab === "log" && <RunLog path={path} step={step.id} />}
        {tab === "runs" && <History path={path} />}
      </TabPanel>
    </TargetProvider>
  );
}

function Name({ document, step }: { document: DocumentView; step: StepView }) {
  const taken = document.steps.map((each) => each.id).filter((id) => id !== step.id);
  const draft = useDraft(step.id, (name) => {
    const why = nameProblem(name.trim(), taken);
    return why || rename(document.path, step.id, name.trim());
  }, true);
  return (
    <div className="inspector-name">
      <label htmlFor="inspector-name" className="unseen">Name of the step</label>
      <input
        id="inspector-name"
        className="field mono"
        value={draft.text}
        disabled={document.read_only !== "" || step.sort === "unknown"}
        spellCheck={false}
        autoComplete="off"
        aria-invalid={draft.why !== "" || undefined}
        aria-describedby="inspector-name-why"
        onChange={(event) => draft.change(event.target.value)}
        onBlur={draft.commit}
        onKeyDown={(event) => {
          if (event.key === "Enter") draft.commit();
          if (event.key === "Escape") draft.reset();
        }}
      />
      <p id="inspector-name-why" className={draft.why ? "inspector-problem" : "unseen"}>{draft.why}</p>
    </div>
  );
}

async function rename(path: string, old: string, name: string) {
  const field = document.activeElement;
  const hadFocus = field instanceof HTMLElement && field.id === "inspector-name";
  const { problems } = await tryEdit(path, `rename ${old} to ${name}`, [{ kind: "rename-step", old, new: name }]);
  if (problems.length) return problems;
  flushSync(() => select([name]));
  // The field is another step's now. Who went elsewhere meanwhile stays there.
  if (hadFocus && document.activeElement === document.body) document.getElementById("inspector-name")?.focus();
  return problems;
}

function Unknown({ document, step }: { document: DocumentView; step: StepView }) {
  const problems = document.problems.filter((problem) => problem.step === step.id);
  return (
    <div className="inspector-form">
      <p className="inspector-problem is-note">
        {problems[0]?.what ?? "This LAO does not know steps of this sort."}
        <span className="inspector-mend">It is shown as the file has it, and saved unchanged. It can be changed in the text view.</span>
      </p>
      <pre className="inspector-json">{visible(JSON.stringify(step.data, null, 2))}</pre>
    </div>
  );
}
