// SPDX-License-Identifier: Apache-2.0
/** The header's part about running: what stands in the way, what would run, what runs. */

import { useEffect, useRef, useState } from "react";

import type { DocumentView, ForecastView } from "../api/types";
import { Icon } from "../shell/Icon";
import { Menu, type MenuItem } from "../shell/Menu";
import { keysOf, useShortcuts } from "../shell/shortcuts";
import { toast } from "../shell/toasts";
import { useDocument } from "../state/documents";
import { reveal, selection } from "../state/selection";
import { shallowEqual, useStore } from "../state/store";
import { onWorkspaceMessage, workspace } from "../state/workspace";
import { useNow } from "./clock";
import { findRuns, leaveClosed, runChanged } from "./following";
import { useForecast, usePartForecast } from "./forecast";
import { missingInputs } from "./inputs";
import { InputsDialog } from "./InputsDialog";
import { askInputs, blockers, cancelRun, loadPins, startRun, toggleBreakpoint, togglePin } from "./starting";
import { isRunning, type RunChoice, runsOf, useRuns } from "./store";
import { clockWords, count, forecastWords, secondsWords, statusWords } from "./words";
import "./runs.css";

export function RunBar({ path }: { path: string }) {
  const document = useDocument(path);
  const step = useChosenStep(document);
  const isBusy = useRuns(path, isRunning);
  const asking = useRuns(path, (file) => file.asking);
  useForecast(path);
  useTidings(path);
  const run = (choice: RunChoice): void => void (isRunning(runsOf(path)) ? undefined : startRun(path, choice));
  const withStep = (act: (step: string) => void) => () => {
    if (step) act(step);
    else toast("Choose one step first", "note");
  };
  useShortcuts({
    "run-all": () => run({}),
    "run-from": withStep((start) => run({ start })),
    "run-to": withStep((until) => run({ until })),
    cancel: () => void cancelRun(path),
    pin: withStep((each) => void togglePin(path, each)),
    breakpoint: withStep((each) => toggleBreakpoint(path, each)),
  });
  if (!document) return null;
  return (
    <div className="run-bar" role="group" aria-label="Run">
      <Check document={document} />
      {isBusy ? <Going path={path} /> : <Start path={path} document={document} step={step} />}
      <Announcer path={path} />
      {asking ? <InputsDialog path={path} document={document} /> : null}
    </div>
  );
}

/** The one step that is chosen. */
function useChosenStep(document: DocumentView | null): string | undefined {
  return useStore(selection, ({ nodes }) => {
    const [only, more] = nodes.filter((id) => document?.steps.some((step) => step.id === id));
    return more === undefined ? only : undefined;
  });
}

/** Hears of runs that began or ended elsewhere, and finds those of a file that is shown anew. */
function useTidings(path: string): void {
  const isLive = useStore(workspace, (all) => all.connection === "live");
  useEffect(() => {
    if (!isLive) return;
    void findRuns(path);
    void loadPins(path);
  }, [path, isLive]);
  useEffect(
    () =>
      onWorkspaceMessage((message) => {
        if (message.kind === "run" && message.path) void runChanged(message.path, message.run, message.status);
      }),
    [],
  );
  useEffect(() => {
    const unsubscribe = workspace.subscribe(leaveClosed);
    return () => {
      unsubscribe();
      leaveClosed();
    };
  }, []);
}

function Check({ document }: { document: DocumentView }) {
  const problems = blockers(document);
  const notes = document.problems.length - problems.length;
  const [first] = problems.length > 0 ? problems : document.problems;
  const words = problems.length > 0 ? count(problems.length, "problem") : notes > 0 ? count(notes, "note") : "No problems";
  const tell = (): void => {
    if (first?.step) reveal([first.step]);
    if (first) toast(first.what, problems.length > 0 ? "bad" : "note", { mend: first.mend });
    else toast("The workflow has no problems", "good");
  };
  const title = document.problems.map((each) => `${each.what}${each.line ? ` (line ${each.line})` : ""}`).join("\n");
  return (
    <button
      type="button"
      className={`button quiet run-check ${problems.length > 0 ? "bad" : "good"}`}
      onClick={tell}
      title={title || "Every name, type and rule of this workflow is checked as you change it"}
    >
      <Icon name={problems.length > 0 ? "alert" : "check"} size={14} />
      <span>{words}</span>
    </button>
  );
}

interface StartProps {
  path: string;
  document: DocumentView;
  step: string | undefined;
}

function Start({ path, document, step }: StartProps) {
  const [isOpen, setOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const forecast = useRuns(path, (file) => file.forecast);
  const reason = whyNot(document);
  const missing = useRuns(path, (file) => missingInputs(document.inputs, file.inputs).map((input) => input.name).join(", "));
  const words = reason ? "" : missing ? `asks for ${missing}` : forecastWords(forecast ? Object.values(forecast.steps) : []);
  return (
    <span className="run-start">
      <button
        type="button"
        className="button primary run-go"
        aria-disabled={reason !== ""}
        title={reason || `Run (${keysOf("run-all")[0]})${words ? `: ${words}` : ""}`}
        onClick={() => (reason ? toast(reason, "note") : void startRun(path))}
      >
        <Icon name="play" size={14} />
        <span>Run</span>
        {words ? <span className="run-foretold">{words}</span> : null}
      </button>
      <span className="menu-anchor">
        <button
          ref={opener}
          type="button"
          className="button primary icon run-more"
          aria-label="More ways to run"
          title="More ways to run"
          aria-haspopup="menu"
          aria-expanded={isOpen}
          onClick={() => setOpen((old) => !old)}
        >
          <Icon name="chevron" size={14} />
        </button>
        {isOpen ? (
          <StartMenu
            path={path}
            document={document}
            step={step}
            onClose={() => {
              setOpen(false);
              opener.current?.focus();
            }}
          />
        ) : null}
      </span>
      {reason ? <span className="unseen">{reason}</span> : null}
    </span>
  );
}

function StartMenu({ path, document, step, onClose }: StartProps & { onClose: () => void }) {
  const from = usePartForecast(path, step ? { start: step } : {}, step !== undefined);
  const to = usePartForecast(path, step ? { until: step } : {}, step !== undefined);
  const isBlocked = whyNot(document) !== "";
  const named = step ?? "the chosen step";
  const chosen = isBlocked || step === undefined;
  const run = (choice: RunChoice) => () => void startRun(path, choice);
  const items: MenuItem[] = [
    { label: "Run all", icon: "play", hint: keysOf("run-all")[0] ?? "", isDisabled: isBlocked, onSelect: run({}) },
    {
      label: `Run from ${named}`,
      hint: hint(from, "run-from"),
      isDisabled: chosen,
      onSelect: run(step ? { start: step } : {}),
    },
    {
      label: `Run only to ${named}`,
      hint: hint(to, "run-to"),
      isDisabled: chosen,
      onSelect: run(step ? { until: step } : {}),
    },
    {
      label: `Ask ${named} again`,
      icon: "refresh",
      isDisabled: chosen,
      onSelect: run(step ? { refresh: [step] } : {}),
    },
    { label: "Run all without the cache", startsGroup: true, isDisabled: isBlocked, onSelect: run({ noCache: true }) },
  ];
  if (document.inputs.length > 0) {
    items.push({ label: "Run with other inputs…", icon: "edit", isDisabled: isBlocked, onSelect: () => askInputs(path) });
  }
  return <Menu label="Run" items={items} onClose={onClose} className="below end run-menu" />;
}

function hint(forecast: ForecastView | null, id: "run-from" | "run-to"): string {
  const words = forecast ? forecastWords(Object.values(forecast.steps).filter((step) => step.status === "will run")) : "";
  return [words, keysOf(id)[0]].filter(Boolean).join(" · ");
}

/** Why the workflow cannot run now; "" if it can. */
function whyNot(document: DocumentView): string {
  const problems = blockers(document);
  const [first] = problems;
  if (first) {
    const many = problems.length === 1 ? "a problem stands" : `${problems.length} problems stand`;
    return `${many} in the way: ${first.what}`;
  }
  return document.steps.length === 0 ? "there is no step to run yet" : "";
}

function Going({ path }: { path: string }) {
  const { summary, isStopping } = useRuns(
    path,
    (file) => ({ summary: file.current?.summary, isStopping: file.isStopping }),
    shallowEqual,
  );
  const now = useNow(true);
  const isFollowed = summary?.status === "running";
  const words = isFollowed ? `${summary.done} of ${count(summary.steps, "step")}` : "starting";
  return (
    <span className="run-going">
      <span className="run-spinner" aria-hidden="true" />
      <span className="run-count">{words}</span>
      {isFollowed ? <span className="run-clock">{clockWords(now - summary.started)}</span> : null}
      <button
        type="button"
        className="button danger"
        aria-disabled={!isFollowed || isStopping}
        title={`Stop the run (${keysOf("cancel")[0]}): what is finished stays`}
        onClick={() => void cancelRun(path)}
      >
        <Icon name="stop" size={14} />
        <span>{isStopping ? "Stopping" : "Stop"}</span>
      </button>
    </span>
  );
}

/** Says to those who do not see it that a run began, ended or failed. */
function Announcer({ path }: { path: string }) {
  const words = useRuns(path, ({ current }) => {
    if (!current) return "";
    const { summary, steps } = current;
    const took = summary.seconds === null ? "" : ` in ${secondsWords(summary.seconds)}`;
    if (summary.status === "running") return `Run ${summary.name} started`;
    const [failed] = Object.entries(steps).filter(([, step]) => step.status === "failed");
    const why = failed ? `: ${failed[0]} failed: ${failed[1].why}. ${failed[1].mend}` : "";
    return `Run ${summary.name} ${statusWords(summary)}${took}${why}`;
  });
  return (
    <span className="unseen" role="status" aria-live="polite">
      {words}
    </span>
  );
}
