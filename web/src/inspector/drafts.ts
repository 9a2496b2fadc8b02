// SPDX-License-Identifier: Apache-2.0
/**
 * What is typed and not yet sent. It is sent a moment after the last key, on Enter, when the field
 * loses the focus or goes away, and before any shortcut, so that undo, save and run see it.
 */

import { useCallback, useEffect, useRef, useState } from "react";
import type { ProblemView } from "../api/types";
import { onReturn } from "../state/workspace";

/** Milliseconds after the last key. */
const PAUSE = 600;

/** Sends what was typed; a text says why it is no value, and then nothing is sent. */
export type Send = (text: string) => string | Promise<ProblemView[]>;

export interface Draft {
  text: string;
  /** Why the text is no value, or was refused. */
  why: string;
  change(text: string): void;
  /** Changes and sends at once: for what is chosen rather than typed. */
  choose(text: string): void;
  commit(): void;
  /** Goes back to what the file says. */
  reset(): void;
}

const waiting = new Set<() => void>();

export function hasDrafts(): boolean {
  return waiting.size > 0;
}

/** Has something else sent with the drafts, until the returned function is called. */
export function holdDraft(send: () => void): () => void {
  waiting.add(send);
  return () => void waiting.delete(send);
}

/** Sends everything that was typed and is not sent yet. */
export function flushDrafts(): void {
  for (const send of [...waiting]) send();
}

/** `shown` is what the file says now; `isPatient` waits for Enter or the focus to go: half a name is none. */
export function useDraft(shown: string, send: Send, isPatient = false): Draft {
  const [typed, setTyped] = useState<string | null>(null);
  const [why, setWhy] = useState("");
  const now = useRef({ typed, sent: null as string | null, shown, send, timer: 0 });
  now.current.shown = shown;
  now.current.send = send;

  const put = useCallback((text: string | null) => {
    now.current.typed = text;
    setTyped(text);
  }, []);
  const commit = useCallback(() => {
    const { typed: text, sent, timer } = now.current;
    clearTimeout(timer);
    waiting.delete(commit);
    if (text === null || text === sent) return;
    if (text === now.current.shown) {
      setWhy("");
      return put(null);
    }
    const outcome = now.current.send(text);
    if (typeof outcome === "string") return setWhy(outcome);
    now.current.sent = text;
    void outcome.then((problems) => {
      if (now.current.sent === text) now.current.sent = null;
      setWhy(problems.map(inWords).join("; "));
      // What could not be sent stays in the field, and is tried again.
      if (problems.length) return void waiting.add(commit);
      if (now.current.typed === text) put(null);
    });
  }, [put]);
  const change = useCallback((text: string) => {
    put(text);
    waiting.add(commit);
    clearTimeout(now.current.timer);
    if (!isPatient) now.current.timer = window.setTimeout(commit, PAUSE);
  }, [put, commit, isPatient]);
  const choose = useCallback((text: string) => {
    put(text);
    commit();
  }, [put, commit]);
  const reset = useCallback(() => {
    clearTimeout(now.current.timer);
    waiting.delete(commit);
    setWhy("");
    put(null);
  }, [put, commit]);
  useEffect(() => () => {
    commit();
    waiting.delete(commit);
  }, [commit]);
  return { text: typed ?? shown, why, change, choose, commit, reset };
}

function inWords(problem: ProblemView): string {
  return problem.mend ? `${problem.what}; ${problem.mend}` : problem.what;
}

/** Sends before what could need it: shortcuts, clicks elsewhere, leaving the page, the server's return. */
export function guardDrafts(): () => void {
  const onKey = (event: KeyboardEvent) => {
    if ((event.ctrlKey || event.metaKey || event.altKey) && !["Control", "Meta", "Alt"].includes(event.key)) flushDrafts();
  };
  const onPointer = (event: PointerEvent) => {
    if (event.target !== document.activeElement) flushDrafts();
  };
  const onHidden = () => document.visibilityState === "hidden" && flushDrafts();
  window.addEventListener("keydown", onKey, true);
  window.addEventListener("pointerdown", onPointer, true);
  // Before the page is hidden, browsers cut its streams off: it would take the server for away.
  window.addEventListener("beforeunload", flushDrafts);
  window.addEventListener("pagehide", flushDrafts);
  document.addEventListener("visibilitychange", onHidden);
  const stop = onReturn(flushDrafts);
  return () => {
    window.removeEventListener("keydown", onKey, true);
    window.removeEventListener("pointerdown", onPointer, true);
    window.removeEventListener("beforeunload", flushDrafts);
    window.removeEventListener("pagehide", flushDrafts);
    document.removeEventListener("visibilitychange", onHidden);
    stop();
  };
}
