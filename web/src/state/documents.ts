// SPDX-License-Identifier: Apache-2.0
/**
 * The open files as the server last told them, and the queue of what is asked of each.
 *
 * The working text lives in the server. One request at a time is under way for a file;
 * an edit of an older version is sent again for the newer one, because edits name steps
 * and keys, not lines. What the server could not be told is kept and sent on its return.
 */

import { api, ApiError, problem } from "../api/client";
import type {
  DocumentView,
  EditMessage,
  EditsReply,
  EditsRequest,
  MergeRequest,
  MergeView,
  NewFileRequest,
  ProblemView,
  SaveRequest,
} from "../api/types";
import { openDialog } from "../shell/dialogs";
import { toast, toastProblems } from "../shell/toasts";
import { createStore, useStore } from "./store";
import { activate, dropTab, noteLost, onNewSession, onReturn, onWorkspaceMessage, refreshFolder, replaceTab, workspace } from "./workspace";

export interface Outcome {
  created: string[];
  problems: ProblemView[];
}

/** What a file waits for: `unsent` are the labels of edits that no server has heard of. */
export interface Progress {
  isBusy: boolean;
  unsent: string[];
  /** Why the file could not be opened. */
  problems: ProblemView[];
}

interface Task {
  label: string;
  /** Asks the server; throws ApiError. */
  send: (version: number) => Promise<Outcome>;
  /** An edit that a newer version does not invalidate. */
  isRebased: boolean;
  /** Kept for the server's return, which knows it by its key if it heard it after all. */
  isKept: boolean;
  settle: (outcome: Outcome) => void;
}

const MOST_TRIES = 8;
const IDLE: Progress = { isBusy: false, unsent: [], problems: [] };

export const documents = createStore<Record<string, DocumentView>>({});
export const progress = createStore<Record<string, Progress>>({});

const queues = new Map<string, Task[]>();
const working = new Set<string>();
const opening = new Map<string, Promise<void>>();
/** Versions that answers brought, and those that events told while requests were under way. */
const own = new Map<string, number>();
const heard = new Map<string, number>();

export function useActiveDocument(): DocumentView | null {
  const active = useStore(workspace, (each) => each.active);
  return useStore(documents, (each) => (active === null ? null : (each[active] ?? null)));
}

export function useDocument(path: string): DocumentView | null {
  return useStore(documents, (each) => each[path] ?? null);
}

export function useProgress(path: string | null): Progress {
  return useStore(progress, (each) => (path === null ? IDLE : (each[path] ?? IDLE)));
}

// --- files

/** Opens a file, or shows it if it is open. */
export async function openFile(path: string): Promise<void> {
  activate(path);
  if (!documents.get()[path]) await load(path);
}

/** Takes the tab away; what is unsaved stays in the file's journal. */
export function closeTab(path: string): void {
  const document = documents.get()[path];
  dropTab(path);
  documents.set(({ [path]: _, ...rest }) => rest);
  if (document && !document.is_saved) {
    const action = { label: "Open again", run: () => void openFile(path) };
    toast(`${path} is closed; its unsaved changes are kept`, "note", { action });
  }
  void refreshFolder();
}

export async function createFile(request: NewFileRequest): Promise<ProblemView[]> {
  return tried(async () => {
    const document = await api.post<DocumentView>("/api/files", request);
    take(document);
    activate(document.path);
    void refreshFolder();
  });
}

/** Loads or loads again; several calls at once ask once. */
export function load(path: string): Promise<void> {
  const already = opening.get(path);
  if (already) return already;
  const promise = tried(async () => take(await api.get<DocumentView>("/api/document", { path })), false)
    .then((problems) => note(path, { problems }))
    .finally(() => opening.delete(path));
  opening.set(path, promise);
  return promise;
}

// --- edits

/** Asks for edits, as one step of the file's history. Problems are shown; then nothing was created. */
export async function edit(path: string, label: string, edits: EditMessage[]): Promise<string[]> {
  const { created, problems } = await tryEdit(path, label, edits);
  toastProblems(problems);
  return created;
}

/** The same, for who shows the problems at a better place. */
export function tryEdit(path: string, label: string, edits: EditMessage[]): Promise<Outcome> {
  const document = documents.get()[path];
  const refusal = !document
    ? problem("page.not-open", `${path} is not open`)
    : document.read_only
      ? problem("page.read-only", `${path} cannot be changed: ${document.read_only}`)
      : refusalNow();
  if (refusal) return Promise.resolve({ created: [], problems: [refusal] });
  const isText = edits.some((each) => each.kind === "set-text");
  const key = crypto.randomUUID();
  return enqueue(path, { label, isRebased: !isText, isKept: true }, async (version) => {
    const request: EditsRequest = { path, version, label, edits, key };
    const reply = await api.post<EditsReply>("/api/document/edits", request);
    takeOwn(reply.document);
    return { created: reply.created, problems: [] };
  });
}

export const undo = (path: string): Promise<boolean> => act(path, "Undo", "/api/document/undo");
export const redo = (path: string): Promise<boolean> => act(path, "Redo", "/api/document/redo");
export const revert = (path: string): Promise<boolean> => act(path, "Revert", "/api/document/revert");

export async function save(path: string): Promise<boolean> {
  return act(path, "Save", "/api/document/save");
}

/** Writes the text under another name, which takes the tab's place. */
export async function saveAs(path: string, name: string): Promise<ProblemView[]> {
  const { problems } = await enqueue(path, { label: "Save as", isRebased: true, isKept: false }, async (version) => {
    const request: SaveRequest = { path, version, save_as: name };
    const document = await api.post<DocumentView>("/api/document/save", request);
    take(document);
    if (document.path !== path) replaceTab(path, document.path);
    void refreshFolder();
    return { created: [], problems: [] };
  });
  return problems;
}

export function mergeView(path: string): Promise<MergeView> {
  return api.get<MergeView>("/api/document/merge", { path });
}

export async function merge(request: MergeRequest): Promise<ProblemView[]> {
  return tried(async () => take(await api.post<DocumentView>("/api/document/merge", request)), false);
}

async function act(path: string, label: string, route: string): Promise<boolean> {
  const refusal = refusalNow();
  if (refusal) {
    toastProblems([refusal]);
    return false;
  }
  const isRebased = label === "Save";
  const { problems } = await enqueue(path, { label, isRebased, isKept: false }, async (version) => {
    takeOwn(await api.post<DocumentView>(route, { path, version }));
    return { created: [], problems: [] };
  });
  // The banner says what is the matter; to be told of it once more helps nobody.
  if (problems[0]?.code === "editor.conflict") openDialog("merge");
  else toastProblems(problems);
  return problems.length === 0;
}

// --- the queue

function enqueue(path: string, how: Pick<Task, "label" | "isRebased" | "isKept">, send: Task["send"]): Promise<Outcome> {
  return new Promise((settle) => {
    const queue = queues.get(path) ?? [];
    queue.push({ ...how, send, settle });
    queues.set(path, queue);
    void work(path);
  });
}

async function work(path: string): Promise<void> {
  if (working.has(path)) return;
  working.add(path);
  note(path, { isBusy: true });
  try {
    const queue = queues.get(path) ?? [];
    for (let task = queue[0]; task; task = queue[0]) {
      const outcome = await attempt(path, task);
      if (outcome === "wait") break;
      queue.shift();
      task.settle(outcome);
    }
  } finally {
    working.delete(path);
    const unsent = (queues.get(path) ?? []).map((each) => each.label);
    if (unsent.length === 0) queues.delete(path);
    note(path, { isBusy: false, unsent });
    const version = heard.get(path);
    heard.delete(path);
    if (version !== undefined) catchUp(path, version);
  }
}

/** "wait": the server is away, and the task is kept. */
async function attempt(path: string, task: Task): Promise<Outcome | "wait"> {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const version = documents.get()[path]?.version ?? 0;
    try {
      return await task.send(version);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      noteLost(error);
      if (error.document) take(error.document);
      if (error.isUnanswered && task.isKept) return "wait";
      const isStale = error.status === 409 && error.document !== null && error.document.version !== version;
      if (!isStale || !task.isRebased) return { created: [], problems: error.problems };
    }
  }
  return { created: [], problems: [problem("page.busy-file", `${path} changes too quickly elsewhere`, "try again")] };
}

async function resume(path: string): Promise<void> {
  await load(path);
  await work(path);
}

/** Looks at every open file anew, and sends what was kept. */
export async function resumeAll(): Promise<void> {
  const paths = new Set([...Object.keys(documents.get()), ...queues.keys()]);
  await Promise.all([...paths].map(resume));
}

/** A file is loaded as it is shown, and again when it is shown again: it costs one request. */
let shown: string | null = null;
workspace.subscribe(() => {
  const { active, hasSession } = workspace.get();
  const now = hasSession ? active : null;
  if (now === shown) return;
  shown = now;
  if (now !== null) void load(now);
});

onReturn(() => void resumeAll());

onNewSession(() => {
  const paths = Object.keys(documents.get());
  own.clear();
  documents.set((old) => (paths.length ? {} : old));
  for (const path of paths) void resume(path);
});

/** A file changed: through this page's own request, whose answer said it, or elsewhere. */
onWorkspaceMessage(({ kind, path, version }) => {
  if (kind !== "document" || !documents.get()[path]) return;
  if (working.has(path)) heard.set(path, version);
  else catchUp(path, version);
});

function catchUp(path: string, version: number): void {
  if (own.get(path) === version) {
    own.delete(path);
    return;
  }
  const under = opening.get(path);
  void (under ? under.then(() => load(path)) : load(path));
}

// --- small parts

/** The newest version wins, whichever answer comes last. */
function take(document: DocumentView): void {
  documents.set((old) => {
    const known = old[document.path];
    return known && known.version > document.version ? old : { ...old, [document.path]: document };
  });
}

function takeOwn(document: DocumentView): void {
  own.set(document.path, document.version);
  take(document);
}

function note(path: string, part: Partial<Progress>): void {
  progress.set((old) => ({ ...old, [path]: { ...(old[path] ?? IDLE), ...part } }));
}

function refusalNow(): ProblemView | null {
  const { connection } = workspace.get();
  if (connection === "lost") return problem("page.server-away", "the server does not answer, so nothing can be changed now", "wait, or start `lao ui` again");
  if (connection === "refused") return problem("page.new-link", "the server was started anew and does not know this page", "open the link that it printed");
  return null;
}

async function tried(act: () => Promise<void>, isToasted = true): Promise<ProblemView[]> {
  try {
    await act();
    return [];
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    noteLost(error);
    if (isToasted) toastProblems(error.problems);
    return error.problems;
  }
}
