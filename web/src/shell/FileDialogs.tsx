// SPDX-License-Identifier: Apache-2.0
/** Open, new (empty or from an example), save as. */

import { useEffect, useId, useLayoutEffect, useRef, useState, type FormEvent } from "react";

import type { ExampleView, FileView } from "../api/types";
import { createFile, openFile, saveAs } from "../state/documents";
import { useStore } from "../state/store";
import { refreshFolder, workspace } from "../state/workspace";
import { Dialog } from "./Dialog";
import { closeDialog, dialogs, openDialog } from "./dialogs";
import { FileList } from "./FileList";
import { freeName, nameProblem, withEnding } from "./fileNames";
import { Gallery } from "./Gallery";
import { Icon } from "./Icon";
import "./FileDialogs.css";

export function FileDialogs() {
  const open = useStore(dialogs, (each) => each.open);
  const { active, folder } = useStore(workspace, (each) => each);
  const files = folder?.files ?? [];
  if (open === "open") return <OpenDialog files={files} />;
  if (open === "new") return <NewDialog files={files} />;
  if (open === "save-as" && active !== null) return <SaveAsDialog path={active} files={files} />;
  return null;
}

function OpenDialog({ files }: { files: readonly FileView[] }) {
  const [wanted, setWanted] = useState("");
  useEffect(() => void refreshFolder(), []);
  const found = matching(files, wanted);
  const first = found[0];
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!first) return;
    closeDialog();
    void openFile(first.path);
  };
  return (
    <Dialog
      title="Open"
      onClose={closeDialog}
      actions={
        <button type="button" className="button" onClick={() => openDialog("new")}>
          <Icon name="new" size={14} /> New…
        </button>
      }
    >
      <form onSubmit={submit}>
        <label className="search">
          <Icon name="search" />
          <span className="unseen">Search files</span>
          <input className="field" placeholder="Search files" value={wanted} onChange={(event) => setWanted(event.target.value)} />
        </label>
      </form>
      {found.length ? (
        <FileList files={found} onOpened={closeDialog} />
      ) : (
        <p className="muted">{files.length ? "No file of that name." : "The folder holds no workflow yet."}</p>
      )}
    </Dialog>
  );
}

/** Files whose path holds every word, the latest first. */
export function matching(files: readonly FileView[], wanted: string): FileView[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  const found = files.filter(({ path }) => words.every((word) => path.toLowerCase().includes(word)));
  return found.toSorted((a, b) => b.modified - a.modified);
}

const NONE: readonly ExampleView[] = []; // one and the same: a new list at each look would never settle

function NewDialog({ files }: { files: readonly FileView[] }) {
  const examples = useStore(workspace, (each) => each.server?.examples ?? NONE);
  const create = async (path: string): Promise<string> => {
    const problems = await createFile({ path });
    if (problems.length === 0) closeDialog();
    return problems[0]?.what ?? "";
  };
  return (
    <Dialog title="New workflow" onClose={closeDialog} size="large">
      <NameForm suggestion={freeName("workflow", files)} files={files} button="Create" onSubmit={create} />
      {examples.length ? (
        <>
          <h3 className="dialog-part">Or begin with an example</h3>
          <Gallery examples={examples} files={files} onCreated={closeDialog} />
        </>
      ) : null}
    </Dialog>
  );
}

function SaveAsDialog({ path, files }: { path: string; files: readonly FileView[] }) {
  const submit = async (name: string): Promise<string> => {
    const problems = await saveAs(path, name);
    if (problems.length === 0) closeDialog();
    return problems[0]?.what ?? "";
  };
  return (
    <Dialog title="Save as" onClose={closeDialog} size="small">
      <NameForm suggestion={freeName(path, files)} files={files} button="Save" onSubmit={submit} />
    </Dialog>
  );
}

interface NameFormProps {
  suggestion: string;
  files: readonly FileView[];
  button: string;
  /** Gives back why it did not work, or "". */
  onSubmit: (name: string) => Promise<string>;
}

function NameForm({ suggestion, files, button, onSubmit }: NameFormProps) {
  const [name, setName] = useState(suggestion);
  const [refusal, setRefusal] = useState("");
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const problem = nameProblem(name, files) || refusal;
  useLayoutEffect(() => {
    input.current?.focus();
    input.current?.setSelectionRange(suggestion.lastIndexOf("/") + 1, suggestion.lastIndexOf("."));
  }, [suggestion]);
  return (
    <form
      className="name-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim() && !problem) void onSubmit(withEnding(name)).then(setRefusal);
      }}
    >
      <label className="label" htmlFor={id}>
        Name in the folder
      </label>
      <div className="name-row">
        <input
          id={id}
          ref={input}
          className="field mono"
          value={name}
          spellCheck={false}
          autoComplete="off"
          aria-invalid={problem !== ""}
          aria-describedby={`${id}-problem`}
          onChange={(event) => {
            setName(event.target.value);
            setRefusal("");
          }}
        />
        <button type="submit" className="button primary" disabled={!name.trim() || problem !== ""}>
          {button}
        </button>
      </div>
      <p id={`${id}-problem`} className="name-problem" role="alert">
        {problem}
      </p>
    </form>
  );
}
