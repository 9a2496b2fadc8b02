// SPDX-License-Identifier: Apache-2.0
/** The opened folder, what can be put into its files, and the page's link to the server. */

import { api, ApiError, session } from "../api/client";
import { follow } from "../api/stream";
import type { FolderView, ModelView, PaletteView, ServerView, WorkspaceMessage } from "../api/types";
import { toastProblems } from "../shell/toasts";
import { createStore } from "./store";

export interface Workspace {
  server: ServerView | null;
  folder: FolderView | null;
  palette: PaletteView | null;
  models: ModelView[];
  tabs: string[];
  active: string | null;
  connection: "connecting" | "live" | "lost" | "refused";
  /** Whether there is a token to ask with. */
  hasSession: boolean;
  /** Why the server refuses this page: there was no link, it was used, or a restart. */
  refusal: "" | "no-link" | "used-link" | "restarted";
}

const TABS = "lao.tabs";

export const workspace = createStore<Workspace>({
  server: null,
  folder: null,
  palette: null,
  models: [],
  ...keptTabs(),
  connection: "connecting",
  hasSession: false,
  refusal: "",
});

type Listener = (message: WorkspaceMessage) => void;
const listeners = new Set<Listener>();
const returns = new Set<() => void>();
const newcomers = new Set<() => void>();
let following: AbortController | null = null;

/** Hears of every change in the folder, of documents and runs. */
export function onWorkspaceMessage(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Hears that the server answers again after it did not. */
export function onReturn(listener: () => void): () => void {
  returns.add(listener);
  return () => returns.delete(listener);
}

/** Hears that a link was taken: the server may be another one, which counts versions anew. */
export function onNewSession(listener: () => void): () => void {
  newcomers.add(listener);
  return () => newcomers.delete(listener);
}

/** Begins, with a link's token if the address bar held one. */
export async function begin(link: string | null, file: string | null): Promise<void> {
  following?.abort();
  following = new AbortController();
  const { signal } = following;
  change({ connection: "connecting", refusal: "" });
  if (link !== null && !(await traded(link))) return;
  if (session.token() === null) return change({ connection: "refused", refusal: "no-link" });
  if (file) activate(file);
  change({ hasSession: true });
  const heard = refreshAll();
  void follow<WorkspaceMessage>("/api/events", {}, hear, signal, { onState: setConnection });
  await heard;
}

async function traded(link: string): Promise<boolean> {
  try {
    await session.begin(link);
    for (const listener of [...newcomers]) listener();
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.isUnanswered) change({ connection: "lost" });
    else if (session.token() !== null) return true; // a reload: this tab has its own already
    else change({ connection: "refused", refusal: "used-link" });
    return false;
  }
}

function hear(message: WorkspaceMessage): void {
  if (message.kind === "folder") void refreshFolder();
  for (const listener of [...listeners]) listener(message);
}

function setConnection(state: "live" | "lost" | "refused"): void {
  const { connection, server } = workspace.get();
  if (state === "refused") return change({ connection: state, refusal: server ? "restarted" : "used-link" });
  change({ connection: state });
  if (state === "live" && connection === "lost") {
    void refreshAll();
    for (const listener of [...returns]) listener();
  }
}

/** A request found out before the stream did. */
export function noteLost(error: unknown): void {
  if (!(error instanceof ApiError)) return;
  if (error.isUnanswered && workspace.get().connection === "live") change({ connection: "lost" });
  if (error.status === 401) change({ connection: "refused", refusal: workspace.get().server ? "restarted" : "used-link" });
}

export async function refreshAll(): Promise<void> {
  await Promise.all([
    refresh("server", () => api.get<ServerView>("/api/server")),
    refreshFolder(),
    refreshPalette(),
    refresh("models", () => api.get<ModelView[]>("/api/models")),
  ]);
}

export async function refreshServer(): Promise<void> {
  await refresh("server", () => api.get<ServerView>("/api/server"));
}

export async function refreshFolder(): Promise<void> {
  await refresh("folder", () => api.get<FolderView>("/api/folder"));
}

export async function refreshPalette(): Promise<void> {
  await refresh("palette", () => api.get<PaletteView>("/api/palette"));
}

async function refresh<K extends "server" | "folder" | "palette" | "models">(
  key: K,
  load: () => Promise<Workspace[K]>,
): Promise<void> {
  try {
    const value = await load();
    workspace.set((old) => ({ ...old, [key]: value }));
  } catch (error) {
    noteLost(error);
    if (error instanceof ApiError && error.status >= 404) toastProblems(error.problems);
  }
}

// --- tabs

/** Shows a file, in a new tab if it has none. Documents are loaded as they are shown. */
export function activate(path: string): void {
  workspace.set((old) => {
    const tabs = old.tabs.includes(path) ? old.tabs : [...old.tabs, path];
    return { ...old, tabs, active: path };
  });
}

export function dropTab(path: string): void {
  workspace.set((old) => {
    const index = old.tabs.indexOf(path);
    const tabs = old.tabs.filter((each) => each !== path);
    const active = old.active === path ? (tabs[Math.min(index, tabs.length - 1)] ?? null) : old.active;
    return { ...old, tabs, active };
  });
}

/** Another file takes a tab's place. */
export function replaceTab(path: string, by: string): void {
  workspace.set((old) => {
    const tabs = old.tabs.filter((each) => each !== by).map((each) => (each === path ? by : each));
    return { ...old, tabs: tabs.includes(by) ? tabs : [...tabs, by], active: by };
  });
}

export function stepTab(by: 1 | -1): void {
  workspace.set((old) => {
    const index = old.active === null ? -1 : old.tabs.indexOf(old.active);
    const next = old.tabs[(index + by + old.tabs.length) % old.tabs.length];
    return next === undefined ? old : { ...old, active: next };
  });
}

workspace.subscribe(() => {
  const { tabs, active } = workspace.get();
  sessionStorage.setItem(TABS, JSON.stringify({ tabs, active }));
});

function keptTabs(): Pick<Workspace, "tabs" | "active"> {
  try {
    const kept = JSON.parse(sessionStorage.getItem(TABS) ?? "{}") as { tabs?: unknown; active?: unknown };
    const tabs = Array.isArray(kept.tabs) ? kept.tabs.filter((each): each is string => typeof each === "string") : [];
    const active = typeof kept.active === "string" && tabs.includes(kept.active) ? kept.active : (tabs[0] ?? null);
    return { tabs, active };
  } catch {
    return { tabs: [], active: null };
  }
}

function change(part: Partial<Workspace>): void {
  workspace.set((old) => ({ ...old, ...part }));
}
