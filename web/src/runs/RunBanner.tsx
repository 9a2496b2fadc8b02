// SPDX-License-Identifier: Apache-2.0
/** What lies over the canvas about runs: an earlier run, a pause, why none began. */

import { useEffect, useMemo, useState } from "react";

import type { JsonValue, ProblemView } from "../api/types";
import { Icon } from "../shell/Icon";
import { useDocument } from "../state/documents";
import { visible } from "../values/signs";
import { readBy } from "./breakpoints";
import type { StepRun } from "./fold";
import { logLines } from "./logLines";
import { Problem } from "./Problem";
import { backToNow, shownText, stepTo, wholeText } from "./replay";
import { dismissPause, goOn, runAgain, takeInputsOf } from "./starting";
import { changeRuns, type ShownRun, useRuns } from "./store";
import { momentWords, statusWords } from "./words";
import "./runs.css";

export function RunBanner({ path }: { path: string }) {
  const shown = useRuns(path, (file) => file.shown);
  const problems = useRuns(path, (file) => file.problems);
  const isLost = useRuns(path, (file) => file.isLost && file.current?.summary.status === "running");
  const pausedBefore = useRuns(path, ({ current }) => current?.summary.paused_before ?? NONE);
  const violations = useRuns(path, (file) => (file.shown?.run ?? file.current)?.violations ?? NONE);
  const pausedRun = useRuns(path, (file) => file.current?.summary.id ?? "");
  return (
    <div className="run-banners">
      {violations.length > 0 ? <Violations violations={violations} /> : null}
      {problems.length > 0 ? <Refused path={path} problems={problems} /> : null}
      {isLost ? (
        <div className="run-banner warn" role="status">
          <span className="run-spinner" aria-hidden="true" />
          <span>Reconnecting to the run. What is shown is how it was last known.</span>
        </div>
      ) : null}
      {shown ? (
        <Replay path={path} shown={shown} />
      ) : pausedBefore.length > 0 ? (
        <Paused key={pausedRun} path={path} before={pausedBefore} run={pausedRun} />
      ) : null}
    </div>
  );
}

const NONE: string[] = [];

function Violations({ violations }: { violations: string[] }) {
  const [last, ...others] = [...violations].reverse();
  return (
    <div className="run-banner bad" role="alert">
      <Icon name="lock" size={14} />
      <div className="run-banner-words" title={violations.join("\n")}>
        <strong>Stopped by the lock: </strong>
        {visible(last ?? "")}
        {others.length > 0 ? ` (and ${others.length} more, in the log)` : ""}
      </div>
    </div>
  );
}

function Refused({ path, problems }: { path: string; problems: ProblemView[] }) {
  return (
    <div className="run-banner bad" role="alert">
      <div className="run-banner-words">
        {problems.slice(0, 3).map((each, place) => (
          <Problem key={place} problem={each} />
        ))}
        {problems.length > 3 ? <p className="muted">and {problems.length - 3} more</p> : null}
      </div>
      <Close label="Dismiss" onClick={() => changeRuns(path, { problems: [] })} />
    </div>
  );
}

function Close({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <button type="button" className="button quiet icon" aria-label={label} title={label} onClick={onClick}>
      <Icon name="close" size={14} />
    </button>
  );
}

// -- an earlier run

function Replay({ path, shown }: { path: string; shown: ShownRun }) {
  const { whole, messages, position } = shown;
  const lines = useMemo(() => messages.map((message) => logLines([message])[0]), [messages]);
  const line = position === 0 ? undefined : lines[position - 1];
  const words = position === 0 ? "before it began" : line ? [line.step, line.words].filter(Boolean).join(" ") : "…";
  const move = (by: number): void => stepTo(path, position + by);
  return (
    <div className="run-banner active" role="region" aria-label="An earlier run">
      <div className="run-banner-row">
        <Icon name="history" size={14} />
        <span className="run-banner-words">
          Looking at run <strong>{whole.summary.name}</strong>
          <span className="muted">
            {" "}
            {statusWords(whole.summary)}, {momentWords(whole.summary.started, Date.now() / 1000)}
          </span>
        </span>
        <button type="button" className="button" onClick={() => takeInputsOf(path, whole)} title="The next run takes them">
          Use its inputs
        </button>
        <button type="button" className="button" onClick={() => void runAgain(path, whole)}>
          Run again
        </button>
        <button type="button" className="button primary" onClick={() => backToNow(path)}>
          Back to now
        </button>
      </div>
      {messages.length > 0 ? (
        <div className="run-banner-row">
          <button type="button" className="button quiet icon" aria-label="One fact back" disabled={position === 0} onClick={() => move(-1)}>
            <Icon name="back" size={14} />
          </button>
          <input
            type="range"
            className="run-slider"
            aria-label="Facts of the run"
            aria-valuetext={words}
            min={0}
            max={messages.length}
            value={position}
            onChange={(event) => stepTo(path, Number(event.target.value))}
          />
          <button
            type="button"
            className="button quiet icon"
            aria-label="One fact on"
            disabled={position === messages.length}
            onClick={() => move(1)}
          >
            <Icon name="forward" size={14} />
          </button>
          <span className="run-fact muted" title={visible(words)}>
            {position}/{messages.length} {visible(words)}
          </span>
        </div>
      ) : null}
    </div>
  );
}

// -- a pause before steps

function Paused({ path, before, run }: { path: string; before: string[]; run: string }) {
  const document = useDocument(path);
  const steps = useRuns(path, (file) => file.current?.steps ?? NO_STEPS);
  const isStarting = useRuns(path, (file) => file.isStarting);
  const [typed, setTyped] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState("");
  const read = document ? before.flatMap((step) => readBy(document, step)) : [];
  const sources = [...new Set(read)].filter((id) => steps[id]?.output);
  const names = before.join(", ");
  const go = (): void => {
    const edited: Record<string, JsonValue> = {};
    for (const [id, text] of Object.entries(typed)) {
      if (steps[id]?.output?.kind !== "json") {
        edited[id] = text;
        continue;
      }
      try {
        edited[id] = JSON.parse(text) as JsonValue;
      } catch (error) {
        return setProblem(`${id} is not JSON: ${error instanceof Error ? error.message : ""}`);
      }
    }
    setProblem("");
    void goOn(path, edited);
  };
  return (
    <div className="run-banner warn" role="region" aria-label={`Paused before ${names}`}>
      <div className="run-banner-row">
        <Icon name="pause" size={14} />
        <span className="run-banner-words">
          Paused before <strong>{names}</strong>
          <span className="muted">{sources.length > 0 ? `: what ${before.length > 1 ? "they read" : "it reads"} can be changed` : ""}</span>
        </span>
        <button type="button" className="button" onClick={() => dismissPause(path)}>
          Stop here
        </button>
        <button type="button" className="button primary" disabled={isStarting} onClick={go}>
          <Icon name="play" size={14} />
          <span>Go on</span>
        </button>
      </div>
      {sources.map((id) => (
        <Editable
          key={id}
          id={id}
          run={run}
          step={steps[id]!}
          typed={typed[id]}
          onType={(text) =>
            setTyped(({ [id]: _, ...others }) => (text === undefined ? others : { ...others, [id]: text }))
          }
        />
      ))}
      {problem ? (
        <p className="run-input-problem" role="alert">
          {problem}
        </p>
      ) : null}
    </div>
  );
}

const NO_STEPS: Record<string, StepRun> = {};

interface EditableProps {
  id: string;
  run: string;
  step: StepRun;
  typed: string | undefined;
  onType: (text: string | undefined) => void;
}

function Editable({ id, run, step, typed, onType }: EditableProps) {
  const view = step.output!;
  const [whole, setWhole] = useState<string | null>(view.is_whole ? shownText(view) : null);
  useEffect(() => {
    if (view.is_whole) return;
    let isGone = false;
    wholeText(run, id, view).then(
      (text) => !isGone && setWhole(text),
      () => undefined, // it stays as it is
    );
    return () => {
      isGone = true;
    };
  }, [run, id, view]);
  const isFixed = view.kind === "file" || view.kind === "none" || whole === null;
  return (
    <details open={!isFixed} className="run-editable">
      <summary>
        {id} <span className="muted">{view.kind}</span>
        {typed === undefined ? null : (
          <>
            <span className="run-chip warn">changed</span>
            <button type="button" className="run-link" onClick={() => onType(undefined)}>
              as it was
            </button>
          </>
        )}
      </summary>
      <textarea
        className={`field ${view.kind === "json" ? "mono" : ""}`}
        aria-label={`Output of ${id}`}
        rows={5}
        readOnly={isFixed}
        value={typed ?? whole ?? `${view.text}…`}
        onChange={(event) => onType(event.target.value === whole ? undefined : event.target.value)}
      />
    </details>
  );
}
