// SPDX-License-Identifier: Apache-2.0
/** Below the canvas: what happens in the run, and the runs that were. */

import { useState } from "react";

import { History } from "../runs/History";
import { RunLog } from "../runs/RunLog";
import { prefer, preferences } from "../state/preferences";
import { useStore } from "../state/store";
import { Icon } from "./Icon";
import "./LogDrawer.css";

export function LogDrawer({ path }: { path: string }) {
  const isOpen = useStore(preferences, (each) => each.logOpen);
  const [tab, setTab] = useState<"log" | "runs">("log");
  if (!isOpen) return null;
  const button = (name: "log" | "runs", label: string) => (
    <button type="button" className="drawer-tab" aria-pressed={tab === name} onClick={() => setTab(name)}>
      {label}
    </button>
  );
  return (
    <section className="log-drawer" aria-label="Log and runs" data-region="log" tabIndex={-1}>
      <div className="log-head">
        {button("log", "Run log")}
        {button("runs", "Runs")}
        <span className="spacer" />
        <button type="button" className="button quiet icon" aria-label="Close the log" onClick={() => prefer({ logOpen: false })}>
          <Icon name="close" size={14} />
        </button>
      </div>
      <div className="log-body scroll">{tab === "log" ? <RunLog path={path} /> : <History path={path} />}</div>
    </section>
  );
}
