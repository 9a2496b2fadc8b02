// SPDX-License-Identifier: Apache-2.0
/** What can be done to several steps at once, to a note or a group, and to a connection. */

import { useMemo } from "react";
import type { BoxView, DocumentView, EdgeView, StepView } from "../api/types";
import { spoken } from "../canvas/graph";
import { Icon } from "../shell/Icon";
import { edit, tryEdit } from "../state/documents";
import { reveal, select } from "../state/selection";
import { useDraft } from "./drafts";
import { Field } from "./Field";
import { ModelPicker } from "./ModelPicker";
import { RunningSection } from "./RunningSection";
import { stepTarget, TargetProvider } from "./target";

export function ManyForm({ document, steps }: { document: DocumentView; steps: StepView[] }) {
  const known = useMemo(() => steps.filter((step) => step.sort !== "unknown"), [steps]);
  const target = useMemo(() => stepTarget(document, known), [document, known]);
  const asksModels = known.length > 0 && known.every((step) => step.sort === "model" || step.model !== "");
  const remove = () => {
    void edit(document.path, `remove ${steps.length} steps`, steps.map(({ id }) => ({ kind: "remove-step", id })));
    select([]);
  };
  return (
    <TargetProvider value={target}>
      <header className="inspector-head"><h2>{`${steps.length} steps`}</h2></header>
      <div className="inspector-body scroll">
        <fieldset className="inspector-form" disabled={document.read_only !== ""}>
          <legend className="unseen">Of all of them</legend>
          <p className="inspector-about">
            {steps.slice(0, 12).map(({ id }) => <button key={id} type="button" className="inspector-link" onClick={() => reveal([id])}>{id}</button>)}
            {steps.length > 12 && `and ${steps.length - 12} more`}
          </p>
          {known.length < steps.length && <p className="inspector-problem is-note">{`${steps.length - known.length} of them are not known here, and stay as they are.`}</p>}
          {asksModels && <ModelPicker path={["model"]} unset="the default of each" />}
          {known.length > 1 && <RunningSection />}
          <div className="inspector-acts">
            <button type="button" className="button danger" onClick={remove}><Icon name="close" size={14} />{`Remove ${steps.length} steps`}</button>
          </div>
        </fieldset>
      </div>
    </TargetProvider>
  );
}

export function BoxForm({ document, box }: { document: DocumentView; box: BoxView }) {
  const isNote = box.kind === "note";
  const name = isNote ? "note" : "group";
  const draft = useDraft(box.text, async (text) => {
    const { id, kind, x, y, width, height } = box;
    const { problems } = await tryEdit(document.path, `text of a ${name}`, [{ kind: "set-box", id, box: kind, x, y, width, height, text }]);
    return problems;
  });
  const remove = () => {
    void edit(document.path, `remove a ${name}`, [{ kind: "remove-box", id: box.id }]);
    select([]);
  };
  return (
    <>
      <header className="inspector-head"><h2>{isNote ? "Note" : "Group"}</h2></header>
      <div className="inspector-body scroll">
        <fieldset className="inspector-form" disabled={document.read_only !== ""}>
          <legend className="unseen">{isNote ? "The note" : "The group"}</legend>
          <Field label={isNote ? "Text" : "Title"} why={draft.why}>
            {(ids) => (isNote ? (
              <textarea {...ids} className="field" rows={6} value={draft.text} onChange={(event) => draft.change(event.target.value)} onBlur={draft.commit} />
            ) : (
              <input {...ids} className="field" value={draft.text} onChange={(event) => draft.change(event.target.value)} onBlur={draft.commit} />
            ))}
          </Field>
          <div className="inspector-acts">
            <button type="button" className="button quiet" onClick={remove}><Icon name="close" size={14} />{`Remove the ${name}`}</button>
          </div>
        </fieldset>
      </div>
    </>
  );
}

export function EdgeForm({ document, edge }: { document: DocumentView; edge: EdgeView }) {
  const { source, target, port } = edge;
  const remove = () => {
    void edit(document.path, `disconnect ${source} from ${target}`, [{ kind: "disconnect", source, target, port }]);
    select([target]);
  };
  return (
    <>
      <header className="inspector-head"><h2>Connection</h2></header>
      <div className="inspector-body scroll">
        <fieldset className="inspector-form" disabled={document.read_only !== ""}>
          <legend className="unseen">The connection</legend>
          <p>
            <button type="button" className="inspector-link" onClick={() => reveal([target])}>{target}</button>
            {edge.kind === "wait" ? " waits for " : ` reads, as its ${port}, `}
            <button type="button" className="inspector-link" onClick={() => reveal([source])}>{spoken(source)}</button>
          </p>
          <div className="inspector-acts">
            <button type="button" className="button quiet" onClick={remove}><Icon name="close" size={14} />Disconnect</button>
          </div>
        </fieldset>
      </div>
    </>
  );
}
