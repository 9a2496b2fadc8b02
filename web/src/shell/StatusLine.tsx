// SPDX-License-Identifier: Apache-2.0
/** The last line: problems of the open file, its state, and the log's switch. */

import { useState } from "react";

import { useRuns } from "../runs/store";
import { secondsWords, statusWords } from "../runs/words";
import { useActiveDocument, useProgress } from "../state/documents";
import { prefer, preferences } from "../state/preferences";
import { reveal } from "../state/selection";
import { shallowEqual, useStore } from "../state/store";
import { workspace } from "../state/workspace";
import { Icon } from "./Icon";
import { Problems } from "./Problems";
import { inTheWay } from "./problems";
import "./StatusLine.css";

export function StatusLine() {
  const document = useActiveDocument();
  const logOpen = useStore(preferences, (each) => each.logOpen);
  const [isListed, setListed] = useState(false);
  return (
    <footer className="status" data-region="status">
      {document ? (
        <>
          <ProblemsButton count={inTheWay(document).length} notes={document.problems.length - inTheWay(document).length} isOpen={isListed} onClick={() => setListed((old) => !old)} />
          <button type="button" className="status-item" aria-pressed={logOpen} onClick={() => prefer({ logOpen: !logOpen })}>
            <Icon name="log" size={13} /> Run log
          </button>
          <LastRun path={document.path} />
          <span className="spacer" />
          <SavedState path={document.path} isSaved={document.is_saved} />
          <span className="status-words muted steps">
            {document.steps.length} {document.steps.length === 1 ? "step" : "steps"}
          </span>
        </>
      ) : (
        <span className="spacer" />
      )}
      <ConnectionState />
      {document && isListed && document.problems.length ? <Problems document={document} onClose={() => setListed(false)} /> : null}
    </footer>
  );
}

interface ProblemsButtonProps {
  count: number;
  notes: number;
  isOpen: boolean;
  onClick: () => void;
}

function ProblemsButton({ count, notes, isOpen, onClick }: ProblemsButtonProps) {
  if (count + notes === 0) {
    return (
      <span className="status-words good">
        <Icon name="check" size={13} /> No problems
      </span>
    );
  }
  const words = [
    count ? `${count} ${count === 1 ? "problem" : "problems"}` : "",
    notes ? `${notes} ${notes === 1 ? "note" : "notes"}` : "",
  ];
  return (
    <button type="button" className={`status-item ${count ? "bad" : "warn"}`} aria-expanded={isOpen} onClick={onClick}>
      <Icon name={count ? "error" : "info"} size={13} /> {words.filter(Boolean).join(", ")}
    </button>
  );
}

/** How the last run ended: what failed may be far out of sight. */
function LastRun({ path }: { path: string }) {
  const { summary, failed } = useRuns(
    path,
    ({ current }) => ({
      summary: current?.summary,
      failed: Object.entries(current?.steps ?? {}).find(([, step]) => step.status === "failed")?.[0],
    }),
    shallowEqual,
  );
  if (!summary || summary.status === "running") return null;
  const took = summary.seconds === null ? "" : ` in ${secondsWords(summary.seconds)}`;
  const tone = failed ? "bad" : summary.status === "done" ? "muted" : "warn";
  return (
    <button
      type="button"
      className={`status-item last-run ${tone}`}
      title={failed ? `Show ${failed}` : "Show the run log"}
      onClick={() => (failed ? reveal([failed]) : prefer({ logOpen: true }))}
    >
      Run {summary.name} {statusWords(summary)}
      {failed ? ` at ${failed}` : took}
    </button>
  );
}

function SavedState({ path, isSaved }: { path: string; isSaved: boolean }) {
  const { unsent } = useProgress(path);
  if (unsent.length) return <span className="status-words bad">{unsent.length} not sent yet</span>;
  return <span className="status-words muted">{isSaved ? "Saved" : "Not saved; kept in the journal"}</span>;
}

function ConnectionState() {
  const connection = useStore(workspace, (each) => each.connection);
  const words = { connecting: "Connecting", live: "Live", lost: "No server", refused: "Refused" }[connection];
  return (
    <span className={`status-words connection ${connection}`} role="status">
      <span className="connection-dot" aria-hidden /> {words}
    </span>
  );
}
