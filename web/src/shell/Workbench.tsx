// SPDX-License-Identifier: Apache-2.0
/** The open file: steps to add, the graph (or list, or text), and the inspector. */

import { useLayoutEffect, useRef, useState, useSyncExternalStore, type ReactNode } from "react";

import { Canvas } from "../canvas/Canvas";
import { ListView } from "../canvas/ListView";
import { Palette } from "../canvas/Palette";
import { Inspector } from "../inspector/Inspector";
import { RunBanner } from "../runs/RunBanner";
import { load, useDocument, useProgress } from "../state/documents";
import { NARROW, prefer, preferences } from "../state/preferences";
import { useStore } from "../state/store";
import { Icon } from "./Icon";
import { Resizer } from "./Resizer";
import { TextView } from "./TextView";
import "./Workbench.css";

export function Workbench({ path }: { path: string }) {
  const { view, paletteOpen, inspectorOpen, inspectorWidth } = useStore(preferences, (each) => each);
  const document = useDocument(path);
  const isNarrow = useIsNarrow();
  const [dragged, setDragged] = useState<number | null>(null);
  if (!document) return <Unopened path={path} />;
  const width = dragged ?? inspectorWidth;
  return (
    <div className="workbench">
      {paletteOpen && view !== "text" ? (
        <Panel side="left" label="Steps to add" isDrawer={isNarrow} onClose={() => prefer({ paletteOpen: false })}>
          <Palette path={path} />
        </Panel>
      ) : null}
      <main id="work" className="work" tabIndex={-1} data-region="work" aria-label="Workflow">
        {view === "graph" ? <Canvas key={path} path={path} /> : null}
        {view === "list" ? <ListView key={path} path={path} /> : null}
        {view === "text" ? <TextView key={path} path={path} /> : null}
        <RunBanner path={path} />
      </main>
      {inspectorOpen ? (
        <Panel side="right" label="Inspector" isDrawer={isNarrow} width={width} onClose={() => prefer({ inspectorOpen: false })}>
          {isNarrow ? null : <Resizer width={width} onDrag={setDragged} />}
          <Inspector path={path} />
        </Panel>
      ) : null}
    </div>
  );
}

interface PanelProps {
  side: "left" | "right";
  label: string;
  /** Lies over the canvas, in a narrow window. */
  isDrawer: boolean;
  onClose: () => void;
  children: ReactNode;
  width?: number;
}

function Panel({ side, label, isDrawer, onClose, children, width }: PanelProps) {
  const panel = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    if (!isDrawer) return;
    const before = document.activeElement;
    panel.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, [isDrawer]);
  return (
    <>
      {isDrawer ? <div className="drawer-shade" onClick={onClose} /> : null}
      <aside
        ref={panel}
        className={`panel ${side} ${isDrawer ? "drawer" : ""}`}
        aria-label={label}
        data-region={side}
        tabIndex={-1}
        style={width === undefined || isDrawer ? undefined : { width }}
        onKeyDown={(event) => {
          if (isDrawer && event.key === "Escape" && !event.defaultPrevented) onClose();
        }}
      >
        {isDrawer ? (
          <div className="drawer-head">
            <span>{label}</span>
            <button type="button" className="button quiet icon" aria-label={`Close ${label}`} onClick={onClose}>
              <Icon name="close" />
            </button>
          </div>
        ) : null}
        <div className="panel-body">{children}</div>
      </aside>
    </>
  );
}

/** A file that is not there yet: it comes, or it says why not. */
function Unopened({ path }: { path: string }) {
  const { problems } = useProgress(path);
  const [first] = problems;
  return (
    <main id="work" className="work unopened" tabIndex={-1} data-region="work" aria-busy={!first}>
      {first ? (
        <div className="card" role="alert">
          <h2>{path} could not be opened</h2>
          <p>{first.what}</p>
          {first.mend ? <p className="muted">{first.mend}</p> : null}
          <button type="button" className="button" onClick={() => void load(path)}>
            <Icon name="refresh" size={14} /> Try again
          </button>
        </div>
      ) : null}
    </main>
  );
}

export function useIsNarrow(): boolean {
  return useSyncExternalStore(
    (listener) => {
      const query = window.matchMedia(NARROW);
      query.addEventListener("change", listener);
      return () => query.removeEventListener("change", listener);
    },
    () => window.matchMedia(NARROW).matches,
  );
}
