// SPDX-License-Identifier: Apache-2.0
/** The open files, the unsaved ones marked. Delete closes one: its button is the mouse's. */

import { useEffect, useRef, type KeyboardEvent } from "react";
import { flushSync } from "react-dom";

import { closeTab, documents, openFile } from "../state/documents";
import { shallowEqual, useStore } from "../state/store";
import { workspace } from "../state/workspace";
import { openDialog } from "./dialogs";
import { Icon } from "./Icon";
import "./Tabs.css";

export function Tabs() {
  const { tabs, active } = useStore(workspace, ({ tabs, active }) => ({ tabs, active }), shallowEqual);
  const unsaved = useStore(documents, (each) => tabs.filter((path) => each[path]?.is_saved === false), shallowEqual);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [active, tabs.length]);
  return (
    <>
      {tabs.length ? (
        <div className="tabs" role="tablist" aria-label="Open files" ref={list}>
          {tabs.map((path) => (
            <Tab key={path} path={path} isActive={path === active} isUnsaved={unsaved.includes(path)} isAlone={tabs.length === 1} />
          ))}
        </div>
      ) : null}
      <button type="button" className="button quiet icon" aria-label="Open or create a file" title="Open or create a file" onClick={() => openDialog("open")}>
        <Icon name="add" />
      </button>
    </>
  );
}

interface TabProps {
  path: string;
  isActive: boolean;
  isUnsaved: boolean;
  isAlone: boolean;
}

function Tab({ path, isActive, isUnsaved, isAlone }: TabProps) {
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  const name = path.slice(folder.length);
  return (
    <div className={`tab ${isActive ? "active" : ""} ${isAlone ? "alone" : ""}`} role="presentation">
      <button
        type="button"
        role="tab"
        aria-selected={isActive}
        tabIndex={isActive ? 0 : -1}
        className="tab-name"
        title={`${path}${isUnsaved ? ", not saved" : ""}`}
        aria-keyshortcuts="Delete"
        onClick={() => void openFile(path)}
        onAuxClick={(event) => event.button === 1 && closeTab(path)}
        onKeyDown={(event) => walk(event, path)}
      >
        {folder ? <span className="tab-folder">{folder}</span> : null}
        <span className="tab-file">{name}</span>
        {isUnsaved ? <span className="tab-dot" role="img" aria-label="not saved" /> : null}
      </button>
      <button type="button" className="tab-close" tabIndex={-1} aria-hidden title={`Close ${path}`} onClick={() => closeTab(path)}>
        <Icon name="close" size={12} />
      </button>
    </div>
  );
}

function walk(event: KeyboardEvent<HTMLElement>, path: string): void {
  const { tabs } = workspace.get();
  const index = tabs.indexOf(path);
  if (event.key === "Delete") {
    event.preventDefault();
    event.stopPropagation();
    closeTab(path);
    return;
  }
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const next = by === undefined ? undefined : tabs[(index + by + tabs.length) % tabs.length];
  if (next === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  const list = event.currentTarget.closest('[role="tablist"]');
  flushSync(() => void openFile(next));
  list?.querySelector<HTMLElement>('[aria-selected="true"]')?.focus();
}
