// SPDX-License-Identifier: Apache-2.0
/** The inspector's tabs; the one that is open stays open when another step is chosen. */

import { type KeyboardEvent, type ReactNode, useRef } from "react";
import { prefer } from "../state/preferences";
import { createStore, useStore } from "../state/store";

const TABS = { settings: "Settings", output: "Output", input: "Input", log: "Log", runs: "Runs" } as const;
export type TabId = keyof typeof TABS;
const ORDER = Object.keys(TABS) as TabId[];

const chosen = createStore<TabId>("settings");

export function useTab(): TabId {
  return useStore(chosen, (tab) => tab);
}

/** Shows a tab of whatever is chosen. */
export function openTab(tab: TabId): void {
  prefer({ inspectorOpen: true });
  chosen.set(() => tab);
}

export function Tabs() {
  const tab = useTab();
  const list = useRef<HTMLDivElement>(null);
  const onKey = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1, Home: -ORDER.indexOf(tab), End: ORDER.length - 1 - ORDER.indexOf(tab) }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const next = ORDER[(ORDER.indexOf(tab) + by + ORDER.length) % ORDER.length] ?? tab;
    chosen.set(() => next);
    list.current?.querySelector<HTMLElement>(`#inspector-tab-${next}`)?.focus();
  };
  return (
    <div ref={list} role="tablist" aria-label="Of the step" className="inspector-tabs" onKeyDown={onKey}>
      {ORDER.map((id) => (
        <button key={id} type="button" role="tab" id={`inspector-tab-${id}`} aria-selected={id === tab} aria-controls="inspector-tabpanel" tabIndex={id === tab ? 0 : -1} onClick={() => chosen.set(() => id)}>
          {TABS[id]}
        </button>
      ))}
    </div>
  );
}

export function TabPanel({ tab, children }: { tab: TabId; children: ReactNode }) {
  return (
    <div role="tabpanel" id="inspector-tabpanel" aria-labelledby={`inspector-tab-${tab}`} className="inspector-body scroll">
      {children}
    </div>
  );
}
