// SPDX-License-Identifier: Apache-2.0
/** Server-sent events by `fetch`: EventSource could not carry the token. */

import { api, ApiError, type Query, session } from "./client";

const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 5000;
const SILENCE = 40_000; // the server sends a comment every 15 s

export interface Following {
  /** Called at each attempt's success and failure. */
  onState?: (state: "live" | "lost" | "refused") => void;
  /** A stream that is over for good ("the run has ended") is not opened again. */
  endsByItself?: boolean;
  /** Go on after this message. */
  after?: number;
}

/**
 * Gives every message of a stream to `onMessage`, in order, each once, until `signal`
 * aborts. A stream that breaks is opened again after the last message that came.
 *
 * A tab that nobody sees holds none: a browser opens six connections to a server, for
 * all of its tabs together, and a tab for which none is left cannot even be loaded.
 */
export async function follow<T extends { sequence: number }>(
  path: string,
  query: Query,
  onMessage: (message: T) => void,
  signal: AbortSignal,
  { onState, endsByItself = false, after = 0 }: Following = {},
): Promise<void> {
  let last = after;
  let pause = FIRST_PAUSE;
  while (!signal.aborted) {
    await seen(signal);
    const watch = untilHidden(signal);
    try {
      const body = await api.open(path, { ...query, after: last }, watch.signal);
      onState?.("live");
      pause = FIRST_PAUSE;
      for await (const data of events(body)) {
        const message = JSON.parse(data) as T;
        if (message.sequence <= last) continue;
        last = message.sequence;
        onMessage(message);
      }
      if (endsByItself) return;
    } catch (error) {
      if (signal.aborted) return;
      if (watch.signal.aborted) continue;
      const status = error instanceof ApiError ? error.status : 0;
      if (status === 401 || status === 403) {
        onState?.("refused");
        return;
      }
      if (status === 404 && endsByItself) return;
    } finally {
      watch.stop();
    }
    if (signal.aborted) return;
    session.doubt();
    onState?.("lost");
    await sleep(pause, signal);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }
}

/** Resolves once somebody sees this tab, or `signal` aborts. */
function seen(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener("visibilitychange", look);
      signal.removeEventListener("abort", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    signal.addEventListener("abort", look);
    look();
  });
}

/** A signal that aborts with `signal`, or as soon as nobody sees this tab. */
function untilHidden(signal: AbortSignal): { signal: AbortSignal; stop: () => void } {
  const hidden = new AbortController();
  const look = (): void => {
    if (document.hidden) hidden.abort();
  };
  document.addEventListener("visibilitychange", look);
  const stop = (): void => document.removeEventListener("visibilitychange", look);
  return { signal: AbortSignal.any([signal, hidden.signal]), stop };
}

/** The `data` of each event in a stream of bytes; comments and ids are passed over. */
export async function* events(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let data: string[] = [];
  try {
    for (;;) {
      const { done, value } = await within(reader.read(), SILENCE);
      if (done) return;
      const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const raw of lines) {
        const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
        if (line === "") {
          if (data.length) yield data.join("\n");
          data = [];
        } else if (line.startsWith("data:")) {
          data.push(line.slice(line[5] === " " ? 6 : 5));
        }
      }
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

function within<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("silence")), milliseconds);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}
