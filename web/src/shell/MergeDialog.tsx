// SPDX-License-Identifier: Apache-2.0
/** The file changed here and elsewhere: stretch by stretch, which side is taken. */

import { useCallback, useEffect, useRef, useState } from "react";

import { ApiError } from "../api/client";
import type { HunkView, MergeView } from "../api/types";
import { merge, mergeView } from "../state/documents";
import { Dialog } from "./Dialog";
import { closeDialog } from "./dialogs";
import { complete, firstPicks, isGone, result, withoutEnd, type Pick } from "./merge";
import { toast } from "./toasts";
import "./MergeDialog.css";

export function MergeDialog({ path }: { path: string }) {
  const [view, setView] = useState<MergeView | null>(null);
  const [picks, setPicks] = useState<(Pick | null)[]>([]);
  const [problem, setProblem] = useState("");
  const [isResultShown, setResultShown] = useState(false);
  const body = useRef<HTMLDivElement>(null);

  const load = useCallback(async (): Promise<void> => {
    try {
      const next = await mergeView(path);
      setView(next);
      setPicks(firstPicks(next.hunks));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error.message);
    }
  }, [path]);
  useEffect(() => void load(), [load]);

  const hunks = view?.hunks ?? [];
  const open = picks.filter((each) => each === null).length;
  const ready = view ? complete(picks) : null;
  const apply = async (): Promise<void> => {
    if (!view || !ready) return;
    const problems = await merge({ path, version: view.version, disk: view.disk, picks: ready });
    if (problems.length) {
      setProblem(`${problems[0]?.what ?? "it was refused"}; what is shown now is newer`);
      return load();
    }
    closeDialog();
    toast(`${path}: both changes are in, not saved yet`, "good");
  };
  const choose = (index: number, pick: Pick): void => setPicks((old) => old.map((each, at) => (at === index ? pick : each)));
  return (
    <Dialog
      title={`Merge ${path}`}
      size="large"
      onClose={closeDialog}
      actions={
        <>
          <span className="left muted" role="status">
            {view ? (open ? `${open} ${open === 1 ? "conflict" : "conflicts"} to decide` : "Everything is decided") : ""}
          </span>
          <button type="button" className="button" disabled={!open || isResultShown} onClick={() => focusOpen(body.current)}>
            Next conflict
          </button>
          <button type="button" className="button" aria-pressed={isResultShown} onClick={() => setResultShown((old) => !old)}>
            Show the result
          </button>
          <button type="button" className="button primary" disabled={!ready} onClick={() => void apply()}>
            Take this
          </button>
        </>
      }
    >
      {problem ? (
        <p className="merge-problem" role="alert">
          {problem}
        </p>
      ) : null}
      {isGone(hunks) ? (
        <p>On the disk the file was removed or emptied. Take what is here, and save it, to have it there again.</p>
      ) : null}
      <div ref={body}>
        {isResultShown ? (
          <Result hunks={hunks} picks={picks} />
        ) : (
          <>
            <div className="merge-heads" aria-hidden>
              <span>Here</span>
              <span>On the disk</span>
            </div>
            {hunks.map((hunk, index) => (
              <Hunk key={index} hunk={hunk} index={index} pick={picks[index] ?? null} onPick={choose} />
            ))}
          </>
        )}
      </div>
    </Dialog>
  );
}

interface HunkProps {
  hunk: HunkView;
  index: number;
  pick: Pick | null;
  onPick: (index: number, pick: Pick) => void;
}

function Hunk({ hunk, index, pick, onPick }: HunkProps) {
  if (hunk.kind === "same") return <SameLines lines={hunk.mine} />;
  return (
    <section className={`hunk ${hunk.kind} ${pick === null ? "open" : ""}`} aria-label={`Stretch ${index + 1}: ${KINDS[hunk.kind]}`}>
      <div className="hunk-sides">
        <Side lines={hunk.mine} isTaken={pick === "mine" || pick === "mine-then-theirs"} name="Here" />
        <Side lines={hunk.theirs} isTaken={pick === "theirs" || pick === "mine-then-theirs"} name="On the disk" />
      </div>
      <fieldset className="hunk-picks" data-open={pick === null}>
        <legend className="muted">{KINDS[hunk.kind]}. Take</legend>
        {CHOICES.filter(({ pick: each }) => hunk.kind !== "both" || each === "mine" || each === "base").map((choice) => (
          <label key={choice.pick}>
            <input type="radio" name={`hunk-${index}`} checked={pick === choice.pick} onChange={() => onPick(index, choice.pick)} />
            {hunk.kind === "both" && choice.pick === "mine" ? "the change" : choice.label}
          </label>
        ))}
      </fieldset>
    </section>
  );
}

const KINDS: Readonly<Record<HunkView["kind"], string>> = {
  same: "Unchanged",
  mine: "Changed here",
  theirs: "Changed on the disk",
  both: "Changed here and there, in the same way",
  conflict: "Changed here and there",
};

const CHOICES: readonly { pick: Pick; label: string }[] = [
  { pick: "mine", label: "what is here" },
  { pick: "theirs", label: "what is on the disk" },
  { pick: "mine-then-theirs", label: "both, here first" },
  { pick: "base", label: "what was before" },
];

function Side({ lines, isTaken, name }: { lines: readonly string[]; isTaken: boolean; name: string }) {
  return (
    <pre className={isTaken ? "taken" : ""} aria-label={name}>
      {lines.length ? lines.map(withoutEnd).join("\n") : <span className="muted">(nothing)</span>}
    </pre>
  );
}

/** Two lines at each end; those between on demand. */
function SameLines({ lines }: { lines: readonly string[] }) {
  const [isWhole, setWhole] = useState(lines.length <= 6);
  const words = (part: readonly string[]): string => part.map(withoutEnd).join("\n");
  if (isWhole) return <pre className="same-lines">{words(lines)}</pre>;
  return (
    <div>
      <pre className="same-lines">{words(lines.slice(0, 2))}</pre>
      <button type="button" className="same-more" onClick={() => setWhole(true)}>
        {lines.length - 4} unchanged lines
      </button>
      <pre className="same-lines">{words(lines.slice(-2))}</pre>
    </div>
  );
}

function Result({ hunks, picks }: { hunks: readonly HunkView[]; picks: readonly (Pick | null)[] }) {
  return (
    <pre className="merge-result" aria-label="The result" tabIndex={0}>
      {result(hunks, picks).map(({ text, from }, index) => (
        <span key={index} className={`from-${from}`}>
          {from === "open" ? "— a conflict, not decided —" : text}
          {"\n"}
        </span>
      ))}
    </pre>
  );
}

function focusOpen(body: HTMLElement | null): void {
  body?.querySelector<HTMLElement>('[data-open="true"] input')?.focus();
}
