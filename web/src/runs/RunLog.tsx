// SPDX-License-Identifier: Apache-2.0
/** The facts of a run in words, as they come. Only the rows in sight are in the page. */

import { useEffect, useMemo, useRef, useState } from "react";

import { Icon } from "../shell/Icon";
import { copy } from "../values/copying";
import { visible } from "../values/signs";
import { asText, logLines, stamp, type LogLine } from "./logLines";
import { shownRun, useRuns, type FileRuns } from "./store";
import "./runs.css";

const ROW = 20; // pixels, as in runs.css
const SPARE = 12; // rows above and below those in sight
const NEAR = 24; // pixels from the end within which a reader follows it

export function RunLog({ path, step }: { path: string; step?: string }) {
  const messages = useRuns(path, factsOf);
  const steps = useRuns(path, (file) => shownRun(file)?.steps);
  const name = useRuns(path, (file) => shownRun(file)?.summary.name ?? "");
  const [chosen, setChosen] = useState("");
  const only = step ?? (steps && chosen in steps ? chosen : "");
  const all = useMemo(() => logLines(messages), [messages]);
  const lines = useMemo(() => (only ? all.filter((line) => line.step === only) : all), [all, only]);
  return (
    <section className="run-log" aria-label={name ? `Log of run ${name}` : "Run log"}>
      <div className="run-log-head">
        <span className="muted">{name ? `Run ${name}` : "No run yet"}</span>
        {step === undefined && steps ? (
          <select className="field" aria-label="Show the lines of" value={only} onChange={(event) => setChosen(event.target.value)}>
            <option value="">all steps</option>
            {Object.keys(steps).map((id) => (
              <option key={id}>{id}</option>
            ))}
          </select>
        ) : null}
        <button
          type="button"
          className="button quiet"
          disabled={lines.length === 0}
          onClick={() => void copy(asText(lines), "The log is copied")}
        >
          <Icon name="copy" size={14} />
          <span>Copy</span>
        </button>
      </div>
      <Lines lines={lines} hasSteps={only === ""} />
    </section>
  );
}

/** The facts of the run that is shown, as far as it is shown. */
function factsOf({ shown, log }: FileRuns): FileRuns["log"] {
  if (!shown) return log;
  return shown.position === shown.messages.length ? shown.messages : shownSlice(shown);
}

const slices = new WeakMap<object, FileRuns["log"]>();

function shownSlice(shown: NonNullable<FileRuns["shown"]>): FileRuns["log"] {
  const known = slices.get(shown);
  if (known) return known;
  const slice = shown.messages.slice(0, shown.position);
  slices.set(shown, slice);
  return slice;
}

function Lines({ lines, hasSteps }: { lines: LogLine[]; hasSteps: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const [view, setView] = useState({ top: 0, height: 300 });
  const look = (): void => {
    const element = box.current;
    if (!element) return;
    follows.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
    const top = Math.floor(element.scrollTop / ROW) * ROW;
    const height = element.clientHeight;
    setView((old) => (old.top === top && old.height === height ? old : { top, height }));
  };
  useEffect(() => {
    if (follows.current && box.current) box.current.scrollTop = box.current.scrollHeight;
    look();
  }, [lines]);
  useEffect(() => {
    const watcher = new ResizeObserver(look);
    if (box.current) watcher.observe(box.current);
    return () => watcher.disconnect();
  }, []);
  const first = Math.max(0, Math.floor(view.top / ROW) - SPARE);
  const last = Math.min(lines.length, Math.ceil((view.top + view.height) / ROW) + SPARE);
  return (
    <div ref={box} className="run-lines scroll" role="log" aria-live="off" tabIndex={0} onScroll={look}>
      <div style={{ height: lines.length * ROW }}>
        <ol style={{ transform: `translateY(${first * ROW}px)` }} start={first + 1}>
          {lines.slice(first, last).map((line) => (
            <li key={line.key} className={`run-line ${line.tone}`} title={visible(line.words)}>
              <time>{stamp(line.at)}</time>
              {hasSteps ? <span className="run-line-step">{line.step}</span> : null}
              <span className="run-line-words">{visible(line.words)}</span>
            </li>
          ))}
        </ol>
      </div>
      {lines.length === 0 ? <p className="run-empty muted">What a run does is told here, fact by fact.</p> : null}
    </div>
  );
}
