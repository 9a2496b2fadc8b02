// SPDX-License-Identifier: Apache-2.0
/** What a step's node shows of runs: its state, what it writes, what came out. */

import { memo } from "react";

import type { MediaView, StepForecastView } from "../api/types";
import { Icon, type IconName } from "../shell/Icon";
import { Words } from "../shell/Words";
import { documents } from "../state/documents";
import { StreamingText } from "../values/StreamingText";
import { ValuePreview } from "../values/ValuePreview";
import { useNow } from "./clock";
import { CUT_SHORT, type Run, type StepRun } from "./fold";
import { paceOf } from "./pace";
import { toggleBreakpoint, togglePin } from "./starting";
import { shownRun, useRuns, useStepForecast, useStepRun } from "./store";
import { clockWords, count, paceWords, progressWords, secondsWords, whyWords } from "./words";
import "./runs.css";
import { own } from "../state/own";

type Tone = "muted" | "active" | "good" | "warn" | "bad";

interface Props {
  path: string;
  step: string;
}

export const NodeBody = memo(function NodeBody({ path, step }: Props) {
  const run = useStepRun(path, step);
  return (
    <div className="run-body">
      <div className="run-state">
        {run ? <Badge path={path} step={step} run={run} /> : null}
        <Foretold path={path} step={step} hasRun={run !== undefined} />
        <Marks path={path} step={step} />
      </div>
      {run ? <Outcome path={path} step={step} run={run} /> : null}
    </div>
  );
});

const LOOKS: Record<StepRun["status"], [IconName, Tone]> = {
  waiting: ["clock", "muted"],
  running: ["play", "active"],
  done: ["check", "good"],
  failed: ["error", "bad"],
  skipped: ["skip", "muted"],
};

function Badge({ path, step, run }: Props & { run: StepRun }) {
  const [icon, tone] = LOOKS[run.status];
  const isOver = useRuns(path, (file) => shownRun(file)?.summary.status !== "running");
  return (
    <span className={`run-badge ${tone}`} title={titleOf(run)}>
      {run.status === "running" ? <span className="run-spinner" aria-hidden="true" /> : <Icon name={icon} size={13} />}
      <span className="run-word">{wordOf(run, isOver)}</span>
      {run.status === "running" ? <Measure path={path} step={step} run={run} /> : null}
      {run.status === "done" ? <span className="run-pace">{paceWords(run)}</span> : null}
      {run.retries > 0 ? <span className="run-chip warn">{count(run.retries, "retry", "retries")}</span> : null}
    </span>
  );
}

function wordOf({ status, why }: StepRun, isOver: boolean): string {
  if (status === "waiting" && isOver) return "not run";
  return why === CUT_SHORT ? "stopped" : status;
}

function titleOf(run: StepRun): string {
  const tokens = [
    run.tokens_in === null ? "" : `${run.tokens_in.toLocaleString("en")} tokens in`,
    run.tokens_out === null ? "" : `${run.tokens_out.toLocaleString("en")} tokens out`,
  ];
  const worker = run.worker ? `worker locked at ${run.worker}` : "";
  return [run.model, ...tokens, worker, ...run.notes].filter(Boolean).join("\n");
}

/** How far a running step is; renders a few times a second, whatever its model writes. */
function Measure({ path, step, run }: Props & { run: StepRun }) {
  // An earlier run stands still where the slider is.
  const stillAt = useRuns(path, ({ shown }) => (shown ? (shown.messages[shown.position - 1]?.time ?? 0) : null));
  const ticking = useNow(stillAt === null);
  const now = stillAt ?? ticking;
  const pace = paceOf(path, step);
  const parts: string[] = [];
  if (run.items !== null) parts.push(`${run.items_done}/${run.items}`);
  else if (run.progress) parts.push(progressWords(...run.progress));
  if (pace !== null) parts.push(`~${Math.round(pace)} tok/s`);
  if (run.startedAt !== undefined && (!run.progress || run.items !== null)) parts.push(clockWords(now - run.startedAt));
  return <span className="run-pace">{parts.join(" · ")}</span>;
}

// -- before a run

const FORETOLD: Record<StepForecastView["status"], [string, Tone]> = {
  "will run": ["will run", "active"],
  cached: ["cached", "good"],
  blocked: ["blocked", "warn"],
  skipped: ["skipped", "muted"],
  pinned: ["pinned", "warn"],
};

/** What the next run would make of the step, unless a run goes on or is looked at. */
function Foretold({ path, step, hasRun }: Props & { hasRun: boolean }) {
  const forecast = useStepForecast(path, step);
  const isHidden = useRuns(path, (file) => file.shown !== null || file.current?.summary.status === "running");
  if (!forecast || isHidden) return null;
  const [words, tone] = FORETOLD[forecast.status];
  const why = whyWords(forecast);
  return (
    <span className={`run-chip foretold ${tone}`} title={`The next run: ${words}${why ? `, ${why}` : ""}`}>
      {hasRun ? "next: " : ""}
      {words}
      {why ? (
        <span className={hasRun ? "unseen" : "run-why"}>
          : <Words text={why} />
        </span>
      ) : null}
    </span>
  );
}

/** A pin and a breakpoint, where they are set; a click takes them away. */
function Marks({ path, step }: Props) {
  const isStop = useRuns(path, (file) => file.breakpoints.includes(step));
  const pinnedTo = useRuns(path, (file) => own(file.pins, step));
  const pinnedName = useRuns(path, (file) => file.history.find((run) => run.id === pinnedTo)?.name ?? "");
  if (!isStop && pinnedTo === undefined) return null;
  const pinned = `Pinned: gives the output of run ${pinnedName || "before"}, and asks no model`;
  return (
    <span className="run-marks">
      {pinnedTo === undefined ? null : (
        <Mark icon="pin" tone="warn" title={`${pinned} (P)`} onClick={() => void togglePin(path, step)} />
      )}
      {isStop ? (
        <Mark icon="breakpoint" tone="bad" title="A run pauses before this step (B)" onClick={() => toggleBreakpoint(path, step)} />
      ) : null}
    </span>
  );
}

interface MarkProps {
  icon: IconName;
  tone: Tone;
  title: string;
  onClick: () => void;
}

function Mark({ icon, tone, title, onClick }: MarkProps) {
  return (
    <button type="button" className={`run-mark nodrag ${tone}`} title={title} aria-label={title} tabIndex={-1} onClick={onClick}>
      <Icon name={icon} size={13} />
    </button>
  );
}

// -- what came out

function Outcome({ path, step, run }: Props & { run: StepRun }) {
  switch (run.status) {
    case "waiting":
      return null;
    case "running":
      return (
        <>
          <Bar run={run} />
          <div>
            <StreamingText path={path} step={step} isSmall />
          </div>
        </>
      );
    case "failed":
      return <Failure run={run} />;
    case "skipped":
      return (
        <>
          {run.why && run.why !== CUT_SHORT ? <p className="run-words muted">{run.why}</p> : null}
          {run.output ? <Output path={path} step={step} run={run} /> : null}
        </>
      );
    case "done":
      return <Output path={path} step={step} run={run} />;
  }
}

function Bar({ run }: { run: StepRun }) {
  const [done, total] = run.items !== null ? [run.items_done, run.items] : (run.progress ?? [0, 0]);
  const share = total > 0 ? Math.min(1, Math.max(0, done / total)) : null;
  return (
    <div
      className="run-progress"
      role="progressbar"
      aria-label="Progress"
      aria-valuenow={share === null ? undefined : Math.round(share * 100)}
    >
      {share === null ? null : <span style={{ transform: `scaleX(${share})` }} />}
    </div>
  );
}

function Failure({ run }: { run: StepRun }) {
  return (
    <div className="run-failure nowheel">
      <p className="run-words">{run.why}</p>
      {run.mend ? <p className="run-mend">{run.mend}</p> : null}
      <p className="run-code">
        {run.code}
        {run.seconds > 0 ? ` · after ${secondsWords(run.seconds)}` : ""}
      </p>
    </div>
  );
}

function Output({ path, step, run }: Props & { run: StepRun }) {
  const id = useRuns(path, (file) => shownRun(file)?.summary.id);
  const recording = useRuns(path, (file) => recordingOf(path, step, shownRun(file)));
  if (!run.output || run.output.kind === "none") return null;
  return (
    <div className={`run-output ${run.output.kind}`}>
      <ValuePreview value={run.output} name={step} run={id} recording={recording} isSmall />
    </div>
  );
}

/** The recording that a step reads: its transcript can be clicked to play there. */
function recordingOf(path: string, step: string, run: Run | null): MediaView | null {
  for (const edge of documents.get()[path]?.edges ?? []) {
    if (edge.target !== step || !edge.source.startsWith("inputs.")) continue;
    const file = run?.inputs[edge.source.slice("inputs.".length)]?.files.find((each) => each.kind === "audio");
    if (file) return file;
  }
  return null;
}
