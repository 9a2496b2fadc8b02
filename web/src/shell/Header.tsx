// SPDX-License-Identifier: Apache-2.0
/** Two rows: the files and the lock; what is done with the open file. */

import type { DocumentView } from "../api/types";
import { RunBar } from "../runs/RunBar";
import { closeTab, redo, revert, save, undo, useActiveDocument, useProgress } from "../state/documents";
import { prefer, preferences, type Preferences } from "../state/preferences";
import { useStore } from "../state/store";
import { workspace } from "../state/workspace";
import { openDialog } from "./dialogs";
import { Icon, type IconName } from "./Icon";
import { LockIndicator } from "./LockIndicator";
import { MenuButton, type MenuItem } from "./Menu";
import { keysOf, type ShortcutId } from "./shortcuts";
import { Tabs } from "./Tabs";
import "./Header.css";

export function Header() {
  const active = useStore(workspace, (each) => each.active);
  return (
    <header className="header" data-region="header">
      <div className="header-row">
        <Mark />
        <Tabs />
        <span className="spacer" />
        <LockIndicator />
        <PageMenu />
      </div>
      {active === null ? null : <Toolbar path={active} />}
    </header>
  );
}

function Mark() {
  const server = useStore(workspace, (each) => each.server);
  return (
    <h1 className="mark" title={server ? `LAO ${server.version} in ${server.folder}` : "LAO"}>
      lao
    </h1>
  );
}

function Toolbar({ path }: { path: string }) {
  const { view, paletteOpen, inspectorOpen } = useStore(preferences, (each) => each);
  const document = useActiveDocument();
  const { isBusy } = useProgress(path);
  const canChange = document !== null && document.read_only === "";
  return (
    <div className="header-row toolbar" role="toolbar" aria-label="The open file">
      <Tool icon="sidebar" label="Steps" pressed={paletteOpen && view !== "text"} isOff={view === "text"} onClick={() => prefer({ paletteOpen: !paletteOpen })} />
      <span className="tool-group">
        <Tool icon="undo" className="roomy" label={told("Undo", document?.undo)} id="undo" isOff={!canChange || document.undo === null} onClick={() => void undo(path)} />
        <Tool icon="redo" className="roomy" label={told("Redo", document?.redo)} id="redo" isOff={!canChange || document.redo === null} onClick={() => void redo(path)} />
        <Tool icon="save" label="Save" id="save" isOff={!canChange || document.is_saved} onClick={() => void save(path)} />
        <FileMenu document={document} path={path} canChange={canChange} />
      </span>
      <ViewSwitch view={view} />
      <span className="spacer" aria-hidden>
        {isBusy ? <span className="busy" /> : null}
      </span>
      {document ? <RunBar path={path} /> : null}
      <Tool
        icon="sidebar-right"
        label="Inspector"
        pressed={inspectorOpen}
        onClick={() => prefer({ inspectorOpen: !inspectorOpen })}
      />
    </div>
  );
}

interface ToolProps {
  icon: IconName;
  label: string;
  onClick: () => void;
  id?: ShortcutId;
  isOff?: boolean;
  pressed?: boolean;
  className?: string;
}

function Tool({ icon, label, onClick, id, isOff = false, pressed, className = "" }: ToolProps) {
  const keys = id ? ` (${keysOf(id)[0] ?? ""})` : "";
  return (
    <button
      type="button"
      className={`button quiet icon ${className}`}
      aria-label={label}
      title={label + keys}
      aria-pressed={pressed}
      disabled={isOff}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}

function told(act: string, what: string | null | undefined): string {
  return what ? `${act}: ${what}` : act;
}

const VIEWS: readonly { view: Preferences["view"]; icon: IconName; label: string }[] = [
  { view: "graph", icon: "graph", label: "Graph" },
  { view: "list", icon: "list", label: "List" },
  { view: "text", icon: "text", label: "Text" },
];

function ViewSwitch({ view }: { view: Preferences["view"] }) {
  return (
    <span className="segments" role="group" aria-label="View">
      {VIEWS.map((each) => (
        <button
          key={each.view}
          type="button"
          className="segment"
          aria-pressed={view === each.view}
          title={`${each.label} (${keysOf("view")[0] ?? ""})`}
          onClick={() => prefer({ view: each.view })}
        >
          <Icon name={each.icon} size={14} />
          <span className="segment-label">{each.label}</span>
        </button>
      ))}
    </span>
  );
}

interface FileMenuProps {
  path: string;
  document: DocumentView | null;
  canChange: boolean;
}

function FileMenu({ path, document, canChange }: FileMenuProps) {
  const isSaved = document?.is_saved ?? true;
  const hint = (id: ShortcutId): string => keysOf(id)[0] ?? "";
  const items: MenuItem[] = [
    { label: "Save", icon: "save", hint: hint("save"), isDisabled: !canChange || isSaved, onSelect: () => void save(path) },
    { label: "Save as…", hint: hint("save-as"), onSelect: () => openDialog("save-as") },
    { label: "Back to the saved file", icon: "history", isDisabled: !canChange || isSaved, onSelect: () => void revert(path) },
    {
      label: told("Undo", document?.undo),
      icon: "undo",
      hint: hint("undo"),
      startsGroup: true,
      isDisabled: !canChange || document?.undo == null,
      onSelect: () => void undo(path),
    },
    {
      label: told("Redo", document?.redo),
      icon: "redo",
      hint: hint("redo"),
      isDisabled: !canChange || document?.redo == null,
      onSelect: () => void redo(path),
    },
    { label: "Open…", icon: "open", hint: hint("open"), startsGroup: true, onSelect: () => openDialog("open") },
    { label: "New…", icon: "new", onSelect: () => openDialog("new") },
    { label: "Close", icon: "close", onSelect: () => closeTab(path) },
  ];
  return (
    <MenuButton label="File" items={items}>
      <Icon name="chevron" size={12} />
    </MenuButton>
  );
}

function PageMenu() {
  const { theme, logOpen } = useStore(preferences, (each) => each);
  const themes = [
    ["system", "Theme of the system", "theme"],
    ["light", "Light", "sun"],
    ["dark", "Dark", "moon"],
  ] as const;
  const items: MenuItem[] = [
    { label: "Open…", icon: "open", hint: keysOf("open")[0] ?? "", onSelect: () => openDialog("open") },
    { label: "New…", icon: "new", onSelect: () => openDialog("new") },
    { label: "Run log", icon: "log", hint: keysOf("log")[0] ?? "", startsGroup: true, onSelect: () => prefer({ logOpen: !logOpen }) },
    { label: "Keyboard", icon: "help", hint: keysOf("help")[0] ?? "", onSelect: () => openDialog("help") },
    ...themes.map(([value, label, icon], index) => ({
      label,
      icon,
      isChecked: theme === value,
      startsGroup: index === 0,
      onSelect: () => prefer({ theme: value }),
    })),
  ];
  return (
    <MenuButton label="Menu" items={items} align="end">
      <Icon name="menu" />
    </MenuButton>
  );
}
