// SPDX-License-Identifier: Apache-2.0
/** What a step gave in the run that is shown, and what it was given. */

import type { DocumentView, MediaView, StepView, ValueView } from "../api/types";
import { INPUTS, inputName, isInput, reachable, spoken } from "../canvas/graph";
import { shownRun, useRuns, useStepRun } from "../state/runs";
import { reveal } from "../state/selection";
import { visible } from "../values/signs";
import { StreamingText } from "../values/StreamingText";
import { ValuePreview } from "../values/ValuePreview";
import { own } from "../state/own";

interface Props {
  document: DocumentView;
  step: StepView;
}

export function StepOutput({ document, step }: Props) {
  const { path } = document;
  const known = useStepRun(path, step.id);
  const run = useRuns(path, (file) => shownRun(file)?.summary.id);
  const recording = useRuns(path, (file) => recordingOf(document, step.id, shownRun(file)?.inputs ?? {}));
  if (!known || known.status === "waiting") return <Nothing words="No run has reached this step yet." />;
  return (
    <div className="inspector-values">
      {known.status === "failed" && (
        <div className="inspector-problems">
          <p className="inspector-problem">
            {visible(known.why)}
            {known.mend && <span className="inspector-mend">{visible(known.mend)}</span>}
          </p>
        </div>
      )}
      {known.status === "skipped" && <Nothing words={known.why ? visible(known.why) : "It was skipped."} />}
      {known.status === "running" && <StreamingText path={path} step={step.id} />}
      {known.output && <ValuePreview key={`${run} ${step.id}`} value={known.output} name={step.id} run={run} recording={recording} />}
      {known.notes.map((note) => <p key={note} className="value-note">{visible(note)}</p>)}
    </div>
  );
}

/** Every value that the step reads, under the name by which it reads it. */
export function StepInput({ document, step }: Props) {
  const sources = [...new Set(document.edges.filter((edge) => edge.target === step.id && edge.kind === "data").map((edge) => edge.source))];
  if (!sources.length) return <Nothing words="It reads no other step and no input." />;
  return (
    <div className="inspector-values">
      {sources.map((source) => (
        <section key={source} aria-label={spoken(source)}>
          <h3 className="inspector-source">
            <button type="button" className="button quiet" onClick={() => reveal([source])}>{source}</button>
          </h3>
          <Source document={document} source={source} />
        </section>
      ))}
    </div>
  );
}

function Source({ document, source }: { document: DocumentView; source: string }) {
  const run = useRuns(document.path, (file) => shownRun(file)?.summary.id);
  const value = useRuns(document.path, (file): ValueView | null => {
    const shown = shownRun(file);
    return (isInput(source) ? own(shown?.inputs, inputName(source)) : own(shown?.steps, source)?.output) ?? null;
  });
  const recording = useRuns(document.path, (file) => recordingOf(document, source, shownRun(file)?.inputs ?? {}));
  if (!value) return <Nothing words={run ? "It has no value in this run." : "There was no run yet."} />;
  return <ValuePreview key={`${run} ${source}`} value={value} name={source} run={run} recording={recording} />;
}

function Nothing({ words }: { words: string }) {
  return <p className="inspector-nothing">{words}</p>;
}

/** The recording that a step's transcript is of: the nearest one that it came from. */
export function recordingOf(document: DocumentView, step: string, inputs: Record<string, ValueView>): MediaView | null {
  // In the order in which they are reached, so the nearest comes first.
  for (const source of reachable(document, step, "before")) {
    if (!source.startsWith(INPUTS)) continue;
    const file = own(inputs, inputName(source))?.files.find((each) => each.kind === "audio" && each.path && each.type);
    if (file) return file;
  }
  return null;
}
