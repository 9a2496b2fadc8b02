// SPDX-License-Identifier: Apache-2.0
/** The runs that a file had: to look at again, to take inputs from, to compare. */

import { useEffect, useState } from "react";

import { api } from "../api/client";
import type { RunSummary, RunView } from "../api/types";
import { Icon, type IconName } from "../shell/Icon";
import { MenuButton, type MenuItem } from "../shell/Menu";
import { toast, toastProblems } from "../shell/toasts";
import { useNow } from "./clock";
import { Compare } from "./Compare";
import { loadHistory } from "./following";
import { backToNow, showRun } from "./replay";
import { problemsOf, runAgain, takeInputsOf } from "./starting";
import { useRuns } from "./store";
import { momentWords, secondsWords, statusWords } from "./words";
import "./runs.css";

const MARKS: Record<RunSummary["status"], [IconName, string]> = {
  running: ["play", "active"],
  done: ["check", "good"],
  failed: ["error", "bad"],
  cancelled: ["stop", "muted"],
  interrupted: ["alert", "warn"],
};

export function History({ path }: { path: string }) {
  const history = useRuns(path, (file) => file.history);
  const shown = useRuns(path, (file) => file.shown?.whole.summary.id);
  const current = useRuns(path, (file) => file.current?.summary.id);
  const [picked, setPicked] = useState<string[]>([]);
  const [isComparing, setComparing] = useState(false);
  const now = useNow(true, 20_000);
  useEffect(() => void loadHistory(path), [path]);
  const listed = picked.filter((id) => history.some((run) => run.id === id));
  const pick = (id: string): void =>
    setPicked((old) => (old.includes(id) ? old.filter((each) => each !== id) : [...old, id].slice(-2)));
  const open = (run: RunSummary): void => {
    const isNow = run.id === current && run.status === "running";
    if (isNow || shown === run.id) backToNow(path);
    else void showRun(path, run.id);
  };
  const compareWith = (run: RunSummary) => (other: string): void => {
    setPicked([run.id, other]);
    setComparing(true);
  };
  const [a, b] = history.filter((run) => listed.includes(run.id)).map((run) => run.id).reverse();
  return (
    <section className="run-history" aria-label="Runs of this file">
      <div className="run-history-head">
        <span className="muted">{history.length === 0 ? "No run yet" : "Mark two runs to compare them"}</span>
        <button type="button" className="button" disabled={!a || !b} onClick={() => setComparing(true)}>
          <Icon name="compare" size={14} />
          <span>Compare</span>
        </button>
      </div>
      <ul className="run-list">
        {history.map((run) => (
          <li key={run.id} className={shown === run.id ? "is-shown" : ""}>
            <input
              type="checkbox"
              aria-label={`Compare run ${run.name}`}
              checked={listed.includes(run.id)}
              onChange={() => pick(run.id)}
            />
            <Entry
              run={run}
              now={now}
              isShown={shown === run.id}
              onOpen={() => open(run)}
            />
            <MenuButton label={`More about run ${run.name}`} items={actions(path, run, history, compareWith(run))} align="end">
              <Icon name="more" />
            </MenuButton>
          </li>
        ))}
      </ul>
      {isComparing && a && b ? <Compare a={a} b={b} onClose={() => setComparing(false)} /> : null}
    </section>
  );
}

interface EntryProps {
  run: RunSummary;
  now: number;
  isShown: boolean;
  onOpen: () => void;
}

function Entry({ run, now, isShown, onOpen }: EntryProps) {
  const [icon, tone] = run.paused_before.length > 0 ? (["pause", "warn"] as const) : MARKS[run.status];
  const took = run.seconds === null ? "" : ` · ${secondsWords(run.seconds)}`;
  const steps = run.steps > 0 && run.status !== "done" ? ` · ${run.done}/${run.steps} steps` : "";
  return (
    <button
      type="button"
      className="run-entry"
      aria-pressed={isShown}
      title={`${new Date(run.started * 1000).toLocaleString()}: show it on the graph`}
      onClick={onOpen}
    >
      <span className={`run-entry-name ${tone}`}>
        <Icon name={icon} size={13} />#{run.name}
      </span>
      <span>{statusWords(run)}</span>
      <span className="muted">
        {momentWords(run.started, now)}
        {took}
        {steps}
      </span>
    </button>
  );
}

function actions(path: string, run: RunSummary, history: RunSummary[], compare: (other: string) => void): MenuItem[] {
  const withView = (act: (view: RunView) => void) => () =>
    void api
      .get<RunView>("/api/run", { id: run.id })
      .then(act, (error: unknown) => toastProblems(problemsOf(error)));
  const place = history.indexOf(run);
  const before = history[place + 1] ?? history[place - 1];
  const use = (view: RunView): void => {
    takeInputsOf(path, view);
    toast(`The next run takes the inputs of run ${run.name}`, "good");
  };
  return [
    { label: "Show on the graph", icon: "history", onSelect: () => void showRun(path, run.id) },
    { label: "Run it again", icon: "play", hint: "as the file is now", onSelect: withView((view) => void runAgain(path, view)) },
    { label: "Use its inputs", icon: "edit", onSelect: withView(use) },
    ...(before
      ? [{ label: `Compare with run ${before.name}`, icon: "compare" as const, onSelect: () => compare(before.id) }]
      : []),
  ];
}
