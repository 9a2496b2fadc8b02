// SPDX-License-Identifier: Apache-2.0
/** What is chosen, and everything about it that can be seen and set. */

import { edgeById, INPUTS } from "../canvas/graph";
import { useDocument } from "../state/documents";
import { selection } from "../state/selection";
import { shallowEqual, useStore } from "../state/store";
import type { DocumentView } from "../api/types";
import { InputForm } from "./InputForm";
import { BoxForm, EdgeForm, ManyForm } from "./OtherForms";
import { StepPanel } from "./StepPanel";
import { WorkflowForm } from "./WorkflowForm";
import "./inspector.css";

export { flushDrafts } from "./drafts";
export { openTab } from "./tabs";

export function Inspector({ path }: { path: string }) {
  const document = useDocument(path);
  if (!document) return null;
  return (
    <div className="inspector" data-inspector="">
      <Chosen document={document} />
    </div>
  );
}

function Chosen({ document }: { document: DocumentView }) {
  const nodes = useStore(selection, (all) => all.nodes, shallowEqual);
  const edges = useStore(selection, (all) => all.edges, shallowEqual);
  const steps = document.steps.filter((step) => nodes.includes(step.id));
  const [step] = steps;
  if (steps.length > 1) return <ManyForm document={document} steps={steps} />;
  // Keyed: what is typed of one step never lands in another.
  if (step) return <StepPanel key={`${document.path} ${step.id}`} document={document} step={step} />;
  const input = document.inputs.find((each) => nodes.includes(INPUTS + each.name));
  if (input) return <InputForm key={`${document.path} ${input.name}`} document={document} input={input} />;
  const box = document.boxes.find((each) => nodes.includes(each.id));
  if (box) return <BoxForm key={`${document.path} ${box.id}`} document={document} box={box} />;
  const edge = edges.length === 1 && edges[0] !== undefined ? edgeById(document, edges[0]) : undefined;
  if (edge) return <EdgeForm document={document} edge={edge} />;
  return <WorkflowForm key={document.path} document={document} />;
}
