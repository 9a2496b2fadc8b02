// SPDX-License-Identifier: Apache-2.0
/**
 * Requests to the server, and the token that they carry.
 *
 * The token lives in this tab's sessionStorage: a cookie would go to every server on
 * this machine, whatever its port.
 */

import type { DocumentView, ErrorReply, JsonValue, ProblemView, SessionReply } from "./types";
import { holds } from "./proof";

export type Query = Record<string, string | number | undefined>;

const TOKEN = "lao.token";
const KEY = "lao.key";

/** Whether there was a break since the server last proved to be the one that was signed in to. */
let isDoubtful = false;
let proving: Promise<boolean> | null = null;

/** A request that was refused, or never answered: then `status` is 0. */
export class ApiError extends Error {
  readonly status: number;
  readonly problems: ProblemView[];
  readonly document: DocumentView | null;

  constructor(status: number, problems: ProblemView[], document: DocumentView | null = null) {
    super(problems[0]?.what ?? `the server answered ${status}`);
    this.name = "ApiError";
    this.status = status;
    this.problems = problems;
    this.document = document;
  }

  get isUnanswered(): boolean {
    return this.status === 0;
  }
}

/** A problem that the page itself finds, in the form in which the server tells its own. */
export function problem(code: string, what: string, mend = ""): ProblemView {
  return { code, what, mend, line: 0, column: 0, step: "", severity: "problem" };
}

export const session = {
  token: (): string | null => sessionStorage.getItem(TOKEN),
  forget: (): void => sessionStorage.removeItem(TOKEN),

  /** An answer broke off, or none came: who answers next has to prove itself. */
  doubt: (): void => {
    isDoubtful = true;
  },

  /** Trades a link's token, which works once, for this tab's own. */
  async begin(link: string): Promise<void> {
    const response = await send("/api/session", { method: "POST", ...json({ link }) }, false);
    const reply = (await response.json()) as SessionReply;
    sessionStorage.setItem(TOKEN, reply.token);
    sessionStorage.setItem(KEY, reply.key);
    isDoubtful = false;
  },
};

export const api = {
  async get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
    const response = await send(address(path, query), signal ? { signal } : {});
    return (await response.json()) as T;
  },

  async post<T>(path: string, body: object = {}, signal?: AbortSignal): Promise<T> {
    const response = await send(path, { method: "POST", ...json(body), ...(signal ? { signal } : {}) });
    return (await response.json()) as T;
  },

  /** A file below the folder, to be shown by a blob: address. */
  async bytes(path: string, signal?: AbortSignal): Promise<Blob> {
    const response = await send(address("/api/file", { path }), signal ? { signal } : {});
    return response.blob();
  },

  /** An answer that does not end by itself. */
  async open(path: string, query: Query, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const response = await send(address(path, query), { signal });
    if (!response.body) throw new ApiError(0, [problem("page.no-body", "the server sent no stream")]);
    return response.body;
  },
};

export function address(path: string, query: Query): string {
  const words = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined) words.set(key, String(value));
  }
  const text = words.toString();
  return text ? `${path}?${text}` : path;
}

function json(body: object): RequestInit {
  const text = JSON.stringify(body as JsonValue);
  const keepalive = isLeaving && text.length < MOST_KEPT_ALIVE;
  return { body: text, headers: { "Content-Type": "application/json" }, keepalive };
}

/** Characters that a request may have which outlives its page: browsers allow 64 KiB. */
const MOST_KEPT_ALIVE = 20_000;
let isLeaving = false;
for (const sign of ["beforeunload", "pagehide", "visibilitychange"]) {
  addEventListener(
    sign,
    () => {
      isLeaving = true;
      setTimeout(() => (isLeaving = false), 1000); // it may stay after all
    },
    true,
  );
}

async function send(target: string, init: RequestInit, isAuthorized = true): Promise<Response> {
  const token = session.token();
  if (isAuthorized && token && isDoubtful) await requireOwnServer();
  const headers = new Headers(init.headers);
  if (isAuthorized && token) headers.set("Authorization", `Bearer ${token}`);
  let response: Response;
  try {
    response = await fetch(target, { ...init, headers, cache: "no-store", credentials: "omit" });
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    session.doubt();
    const mend = "see whether `lao ui` still runs in its terminal";
    throw new ApiError(0, [problem("page.no-answer", "the server does not answer", mend)]);
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

/**
 * Nothing that a person wrote goes to a stranger: once a server is gone, any program of
 * any user of this machine can listen on its port.
 */
async function requireOwnServer(): Promise<void> {
  const key = sessionStorage.getItem(KEY);
  const ask = async (nonce: string): Promise<unknown> =>
    (await send("/api/proof", { method: "POST", ...json({ nonce }) }, false)).json();
  proving ??= holds(key ?? "", ask).finally(() => {
    proving = null;
  });
  if (await proving) {
    isDoubtful = false;
    return;
  }
  const mend = "open a new link: press Enter in the terminal where `lao ui` runs";
  throw new ApiError(401, [problem("page.another-server", "another server answers at this address", mend)]);
}

async function refusal(response: Response): Promise<ApiError> {
  try {
    const reply = (await response.json()) as Partial<ErrorReply>;
    if (Array.isArray(reply.problems)) {
      return new ApiError(response.status, reply.problems, reply.document ?? null);
    }
  } catch {
    // no JSON: said below
  }
  const what = `the server answered ${response.status} ${response.statusText}`.trim();
  return new ApiError(response.status, [problem("page.unexpected-answer", what)]);
}
