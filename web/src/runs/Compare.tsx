// SPDX-License-Identifier: Apache-2.0
/** Two runs side by side: what came out, what went in, and what each step made of it. */

import { useEffect, useState, type ReactNode } from "react";

import { api } from "../api/client";
import type {
  ChangeView,
  ComparisonView,
  ProblemView,
  RunSummary,
  StepComparisonView,
  StepRunView,
  ValueView,
} from "../api/types";
import { Dialog } from "../shell/Dialog";
import { Icon } from "../shell/Icon";
import { visible } from "../values/signs";
import { Diff } from "./Diff";
import { Problem } from "./Problem";
import { shownText, wholeText } from "./replay";
import { problemsOf } from "./starting";
import { count, momentWords, paceWords, secondsWords, statusWords } from "./words";
import "./runs.css";

export function Compare({ a, b, onClose }: { a: string; b: string; onClose: () => void }) {
  const [found, setFound] = useState<ComparisonView | null>(null);
  const [problems, setProblems] = useState<ProblemView[]>([]);
  useEffect(() => {
    const stop = new AbortController();
    api.get<ComparisonView>("/api/compare", { a, b }, stop.signal).then(setFound, (error: unknown) => {
      if (!stop.signal.aborted) setProblems(problemsOf(error));
    });
    return () => stop.abort();
  }, [a, b]);
  const title = found ? `Run ${found.before.name} and run ${found.after.name}` : "Two runs";
  return (
    <Dialog title={title} size="large" onClose={onClose}>
      {problems.map((each) => (
        <Problem key={each.code} problem={each} />
      ))}
      {found ? <Comparison found={found} /> : problems.length === 0 ? <p className="muted">Comparing…</p> : null}
    </Dialog>
  );
}

function Comparison({ found }: { found: ComparisonView }) {
  const changed = found.steps.filter((step) => !step.is_same || step.ingredients.length > 0);
  const equal = found.steps.filter((step) => !changed.includes(step));
  return (
    <div className="run-compare">
      <div className="run-sides">
        <Side label="before" summary={found.before} />
        <Side label="after" summary={found.after} />
      </div>
      {found.is_same ? (
        <p className="run-same">
          <Icon name="check" size={14} /> Nothing differs: the same went in, and the same came out.
        </p>
      ) : null}
      <Changes title="Outputs" changes={found.outputs} isOpen />
      <Changes title="Inputs" changes={found.inputs} isOpen />
      <Changes title="The workflow" changes={found.workflow} isOpen={false} />
      {changed.length > 0 ? (
        <Part title="Steps">
          {changed.map((step) => (
            <Step key={step.name} step={step} before={found.before.id} after={found.after.id} />
          ))}
        </Part>
      ) : null}
      {equal.length > 0 ? (
        <p className="muted">
          The same in both: {equal.map((step) => step.name).join(", ")}
        </p>
      ) : null}
    </div>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="run-part">
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function Side({ label, summary }: { label: string; summary: RunSummary }) {
  const took = summary.seconds === null ? "" : ` · ${secondsWords(summary.seconds)}`;
  return (
    <div className="run-side">
      <span className="unseen">{label}: </span>
      <strong>Run {summary.name}</strong>
      <span className="muted">
        {statusWords(summary)} · {momentWords(summary.started, Date.now() / 1000)}
        {took}
      </span>
    </div>
  );
}

function Changes({ title, changes, isOpen }: { title: string; changes: ChangeView[]; isOpen: boolean }) {
  if (changes.length === 0) return null;
  return (
    <Part title={title}>
      {changes.map((change, place) => (
        <details key={place} open={isOpen}>
          <summary>{visible(change.where)}</summary>
          <Diff name={change.where} before={change.before} after={change.after} />
        </details>
      ))}
    </Part>
  );
}

function Step({ step, before, after }: { step: StepComparisonView; before: string; after: string }) {
  const [isOpen, setOpen] = useState(false);
  const why = step.ingredients.includes("pinned")
    ? "its output was pinned in one of them"
    : step.ingredients.length > 0
      ? `what went in differs: ${step.ingredients.join(", ")}`
      : "nothing that went in is known to differ";
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <strong>{step.name}</strong> {step.is_same ? "the same result" : "another result"}
        <span className="muted"> · {why}</span>
      </summary>
      {isOpen ? (
        <>
          <div className="run-sides">
            <Did step={step.before} />
            <Did step={step.after} />
          </div>
          <Outputs step={step} before={before} after={after} />
        </>
      ) : null}
    </details>
  );
}

function Did({ step }: { step: StepRunView | null }) {
  if (!step) return <div className="run-side muted">no such step</div>;
  const why = step.why ? `: ${step.why}` : "";
  const tokens = step.tokens_out === null ? "" : ` · ${count(step.tokens_out, "token")}`;
  return (
    <div className="run-side">
      <span>
        {step.status}
        {step.status === "done" ? ` · ${paceWords(step)}${tokens}` : visible(why)}
      </span>
      <span className="muted">{step.model}</span>
    </div>
  );
}

/** The outputs of a step in both runs, whole. */
function Outputs({ step, before, after }: { step: StepComparisonView; before: string; after: string }) {
  const left = useWhole(before, step.name, step.before?.output ?? null);
  const right = useWhole(after, step.name, step.after?.output ?? null);
  if (left === null || right === null) return <p className="muted">Reading…</p>;
  return <Diff name={step.name} before={left} after={right} />;
}

function useWhole(run: string, step: string, view: ValueView | null): string | null {
  const [text, setText] = useState<string | null>(view === null || view.is_whole ? (view ? shownText(view) : "") : null);
  useEffect(() => {
    if (view === null || view.is_whole) return;
    let isGone = false;
    wholeText(run, step, view).then(
      (whole) => !isGone && setText(whole),
      () => !isGone && setText(view.text),
    );
    return () => {
      isGone = true;
    };
  }, [run, step, view]);
  return text;
}
