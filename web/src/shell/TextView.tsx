// SPDX-License-Identifier: Apache-2.0
/**
 * The YAML itself. What is typed is sent after a pause, as one change of the history;
 * it is a draft of the version at which typing began, and never replaces what changed
 * elsewhere meanwhile.
 */

import { useCallback, useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent } from "react";
import { flushSync } from "react-dom";

import type { DocumentView, ProblemView } from "../api/types";
import { holdDraft } from "../inspector/drafts";
import { tryEdit, useDocument } from "../state/documents";
import { useStore } from "../state/store";
import { asTyped, asWritten, countLines, indented, offsetOfLine } from "./lines";
import { wantedLine } from "./problems";
import { toast, toastProblems } from "./toasts";
import { isStillOf, keepDraft, keptDraft } from "./draft";
import "./TextView.css";

const PAUSE = 500;

export function TextView({ path }: { path: string }) {
  const document = useDocument(path);
  return document ? <Editor document={document} /> : null;
}

function Editor({ document }: { document: DocumentView }) {
  const { path, text, version, read_only: readOnly } = document;
  const [draft, setDraft] = useState(() => keptDraft(path));
  const area = useRef<HTMLTextAreaElement>(null);
  const gutter = useRef<HTMLDivElement>(null);
  const whole = draft?.text ?? text;
  const shown = asTyped(whole);
  const isOutdated = draft !== null && !isStillOf(draft, document);

  const send = useCallback(async (): Promise<void> => {
    const now = keptDraft(path);
    if (!now || isSending.has(path)) return;
    isSending.add(path);
    keepDraft(path, { ...now, sent: now.text });
    const { problems } = await tryEdit(path, "Edit the text", [{ kind: "set-text", text: now.text }]);
    isSending.delete(path);
    if (problems.length) return toastProblems(problems);
    const typed = keptDraft(path);
    const rest = typed && typed.text !== now.text ? { ...typed, base: now.text } : null;
    keepDraft(path, rest);
    setDraft(rest);
  }, [path]);

  // Held from the first moment: a shortcut may follow the last letter at once.
  useLayoutEffect(() => {
    if (!draft || isOutdated) return;
    const timer = setTimeout(() => void send(), PAUSE);
    const release = holdDraft(() => void send());
    return () => {
      clearTimeout(timer);
      release();
    };
  }, [draft, isOutdated, send]);
  useEffect(() => () => void send(), [send]);
  useScrollTo(area, shown);

  const type = (next: string): void => {
    const made = { base: text, version, ...keptDraft(path), text: asWritten(whole, next) };
    keepDraft(path, made);
    setDraft(made);
  };
  const drop = (): void => {
    keepDraft(path, null);
    setDraft(null);
  };
  return (
    <div className="text-view">
      {isOutdated ? <Outdated onDrop={drop} onCopy={() => copy(whole)} /> : null}
      <div className="text-frame">
        <Gutter ref={gutter} lines={countLines(shown)} problems={draft ? [] : document.problems} />
        <textarea
          ref={area}
          className="text-area scroll"
          aria-label={`Text of ${path}`}
          value={shown}
          readOnly={readOnly !== "" || isOutdated}
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="off"
          wrap="off"
          onChange={(event) => type(event.target.value)}
          onBlur={() => void send()}
          onScroll={(event) => {
            if (gutter.current) gutter.current.scrollTop = event.currentTarget.scrollTop;
          }}
          onKeyDown={(event) => indent(event, type)}
        />
      </div>
    </div>
  );
}

const isSending = new Set<string>();

function Outdated({ onDrop, onCopy }: { onDrop: () => void; onCopy: () => void }) {
  return (
    <div className="text-outdated" role="alert">
      <span>The file changed elsewhere while you typed. Your text is not sent: copy it, then take the newer one.</span>
      <button type="button" className="button" onClick={onCopy}>
        Copy mine
      </button>
      <button type="button" className="button" onClick={onDrop}>
        Take the newer one
      </button>
    </div>
  );
}

interface GutterProps {
  ref: React.Ref<HTMLDivElement>;
  lines: number;
  problems: readonly ProblemView[];
}

function Gutter({ ref, lines, problems }: GutterProps) {
  const marks = new Map<number, ProblemView>();
  for (const each of problems) if (each.line && !marks.has(each.line)) marks.set(each.line, each);
  return (
    <div ref={ref} className="text-gutter" aria-hidden>
      {Array.from({ length: lines }, (_, index) => {
        const mark = marks.get(index + 1);
        return (
          <div key={index} className={mark ? `marked ${mark.severity}` : undefined} title={mark?.what}>
            {index + 1}
          </div>
        );
      })}
    </div>
  );
}

/** Goes to the line that a problem named. */
function useScrollTo(area: React.RefObject<HTMLTextAreaElement | null>, text: string): void {
  const { line, count } = useStore(wantedLine, (each) => each);
  const done = useRef(0);
  useLayoutEffect(() => {
    const element = area.current;
    if (!element || !line || done.current === count) return;
    done.current = count;
    const start = offsetOfLine(text, line);
    const end = text.indexOf("\n", start);
    element.focus();
    element.setSelectionRange(start, end < 0 ? text.length : end);
    const height = Number.parseFloat(getComputedStyle(element).lineHeight);
    element.scrollTop = Math.max(0, (line - 4) * height);
  }, [area, line, count, text]);
}

/** Tab indents; Escape lets Tab leave the field, as screen readers expect. */
function indent(event: KeyboardEvent<HTMLTextAreaElement>, type: (text: string) => void): void {
  const area = event.currentTarget;
  if (event.key === "Escape") {
    area.dataset["leaving"] = "yes";
    toast("Tab leaves the text now");
    return;
  }
  const isLeaving = area.dataset["leaving"] === "yes";
  if (event.key !== "Shift") delete area.dataset["leaving"];
  if (event.key !== "Tab" || isLeaving || area.readOnly) return;
  event.preventDefault();
  const made = indented(area.value, area.selectionStart, area.selectionEnd, event.shiftKey);
  flushSync(() => type(made.text)); // a key that follows at once goes where the caret is
  area.setSelectionRange(made.start, made.end);
}

function copy(text: string): void {
  navigator.clipboard.writeText(text).then(
    () => toast("Copied", "good"),
    () => toast("The browser did not let it be copied", "bad", { mend: "select the text and copy it by keyboard" }),
  );
}
