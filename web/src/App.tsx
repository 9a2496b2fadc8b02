// SPDX-License-Identifier: Apache-2.0
/** The page: header, steps, canvas, inspector, log and status line. */

import { useEffect, useState } from "react";

import { Banners } from "./shell/Banners";
import { FileDialogs } from "./shell/FileDialogs";
import { Header } from "./shell/Header";
import { HelpSheet } from "./shell/HelpSheet";
import { LogDrawer } from "./shell/LogDrawer";
import { MergeDialog } from "./shell/MergeDialog";
import { NoLink } from "./shell/NoLink";
import { StatusLine } from "./shell/StatusLine";
import { Toasts } from "./shell/Toasts";
import { Welcome } from "./shell/Welcome";
import { Workbench } from "./shell/Workbench";
import { dialogs } from "./shell/dialogs";
import { guardDrafts, hasDrafts } from "./inspector/drafts";
import { useFileShortcuts } from "./shell/fileShortcuts";
import { useShownTheme } from "./shell/theme";
import { progress, useActiveDocument } from "./state/documents";
import { useStore } from "./state/store";
import { workspace } from "./state/workspace";
import "./shell/App.css";

export function App() {
  const { active, refusal, server, connection } = useStore(workspace, (each) => each);
  const document = useActiveDocument();
  const open = useStore(dialogs, (each) => each.open);
  useShownTheme();
  useFileShortcuts();
  useWarningOfLoss(); // before the drafts are tried to be sent
  useEffect(guardDrafts, []);
  usePageTitle(document?.path ?? null, document?.is_saved ?? true);

  if (refusal !== "" && !server) return <NoLink reason={refusal} />;
  return (
    <div className="app">
      <a className="skip" href="#work" onClick={(event) => skip(event)}>
        Skip to the workflow
      </a>
      <Header />
      <Banners />
      {active === null ? connection === "connecting" && !server ? <Connecting /> : <Welcome /> : <Workbench path={active} />}
      {active === null ? null : <LogDrawer path={active} />}
      <StatusLine />
      <FileDialogs />
      {open === "help" ? <HelpSheet /> : null}
      {open === "merge" && active !== null ? <MergeDialog path={active} /> : null}
      <Toasts />
    </div>
  );
}

/** Asks before a window closes that holds what no server has heard of, and none will now. */
function useWarningOfLoss(): void {
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent): void => {
      const isHeld = hasDrafts() && workspace.get().connection !== "live";
      if (isHeld || Object.values(progress.get()).some((each) => each.unsent.length)) event.preventDefault();
    };
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, []);
}

/** Nothing at first: an answer takes milliseconds, and words that flash are noise. */
function Connecting() {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 600);
    return () => clearTimeout(timer);
  }, []);
  return <main className="connecting muted">{isLate ? "Asking the server…" : ""}</main>;
}

function usePageTitle(path: string | null, isSaved: boolean): void {
  useEffect(() => {
    window.document.title = path === null ? "LAO" : `${isSaved ? "" : "• "}${path} – LAO`;
  }, [path, isSaved]);
}

/** The address bar keeps no hash: the page moves the focus itself. */
function skip(event: { preventDefault(): void }): void {
  event.preventDefault();
  const work = window.document.querySelector<HTMLElement>("#work");
  work?.focus();
}
