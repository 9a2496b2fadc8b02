// SPDX-License-Identifier: Apache-2.0
/** Asks for the inputs of a run, each by its type, with the values given last. */

import { useId, useLayoutEffect, useRef, useState, type KeyboardEvent } from "react";

import { api } from "../api/client";
import type { DocumentView, InputView, JsonValue, MaterialView, RunView } from "../api/types";
import { Dialog } from "../shell/Dialog";
import { Icon } from "../shell/Icon";
import { MenuButton, type MenuItem } from "../shell/Menu";
import { toastProblems } from "../shell/toasts";
import { useStore } from "../state/store";
import { workspace } from "../state/workspace";
import { choices, fieldKind, fromRun, readValue, shownValue } from "./inputs";
import { problemsOf, startWith } from "./starting";
import { changeRuns, runsOf, useRuns } from "./store";
import { momentWords, statusWords } from "./words";

const MOST_EARLIER = 12;

export function InputsDialog({ path, document }: { path: string; document: DocumentView }) {
  const [typed, setTyped] = useState(() => typedFrom(document.inputs, runsOf(path).inputs));
  const [isTold, setTold] = useState(false);
  const fields = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    // A modal dialog gives the focus to its first button; a person comes here to write.
    fields.current?.querySelector<HTMLElement>("textarea, select, input")?.focus();
  }, []);
  const read = document.inputs.map((input) => ({ input, ...readValue(input, typed[input.name] ?? "") }));
  const submit = (): void => {
    if (read.some((each) => each.problem)) return setTold(true);
    const values: Record<string, JsonValue> = {};
    for (const { input, value } of read) if (value !== undefined) values[input.name] = value;
    void startWith(path, values);
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    submit();
  };
  return (
    <Dialog
      title="Inputs of this run"
      onClose={() => changeRuns(path, { asking: null })}
      actions={
        <>
          <Earlier path={path} take={(given) => setTyped(typedFrom(document.inputs, given))} />
          <button type="button" className="button primary" onClick={submit} title="Ctrl+Enter">
            <Icon name="play" size={14} />
            <span>Run</span>
          </button>
        </>
      }
    >
      <div ref={fields} className="run-inputs" onKeyDown={onKey}>
        {read.map(({ input, problem }) => (
          <Field
            key={input.name}
            input={input}
            typed={typed[input.name] ?? ""}
            problem={isTold ? problem : ""}
            onType={(text) => setTyped((old) => ({ ...old, [input.name]: text }))}
          />
        ))}
      </div>
    </Dialog>
  );
}

function typedFrom(inputs: readonly InputView[], values: Record<string, JsonValue>): Record<string, string> {
  return Object.fromEntries(inputs.map(({ name, type }) => [name, shownValue(type, values[name])]));
}

interface FieldProps {
  input: InputView;
  typed: string;
  problem: string;
  onType: (text: string) => void;
}

function Field({ input, typed, problem, onType }: FieldProps) {
  const id = useId();
  const material = useStore(workspace, (all) => all.folder?.material ?? NO_MATERIAL);
  const kind = fieldKind(input.type);
  const shared = {
    id,
    "aria-describedby": `${id}-more`,
    "aria-invalid": problem !== "",
    "aria-required": input.is_required,
  };
  const isShort = kind === "text" && !typed.includes("\n") && typed.length < 80;
  return (
    <div className="run-input">
      <label htmlFor={id}>
        <strong>{input.name}</strong> <span className="muted">{input.type}</span>
        {input.is_required ? null : <span className="muted"> · may be left out</span>}
      </label>
      {kind === "file" ? (
        <FileField {...shared} files={choices(input.type, material)} typed={typed} onType={onType} input={input} />
      ) : kind === "files" ? (
        <FilesField {...shared} files={choices(input.type, material)} typed={typed} onType={onType} />
      ) : (
        <textarea
          {...shared}
          className={`field ${kind === "json" ? "mono" : ""}`}
          rows={isShort ? 3 : kind === "json" ? 6 : 8}
          spellCheck={kind === "text"}
          value={typed}
          placeholder={defaultWords(input)}
          onChange={(event) => onType(event.target.value)}
        />
      )}
      <div id={`${id}-more`} className={problem ? "run-input-problem" : "muted"}>
        {problem || input.description}
      </div>
    </div>
  );
}

const NO_MATERIAL: MaterialView[] = [];

function defaultWords(input: InputView): string {
  return input.is_required || input.default === null ? "" : shownValue(input.type, input.default);
}

interface FileFieldProps {
  id: string;
  files: MaterialView[];
  typed: string;
  onType: (text: string) => void;
}

function FileField({ files, typed, onType, input, ...shared }: FileFieldProps & { input: InputView }) {
  const isListed = typed === "" || files.some((file) => file.path === typed);
  if (files.length === 0) return <NoFiles {...shared} typed={typed} onType={onType} type={input.type} />;
  return (
    <select {...shared} className="field" value={typed} onChange={(event) => onType(event.target.value)}>
      <option value="">{input.is_required ? "Choose a file of the folder" : defaultWords(input) || "none"}</option>
      {isListed ? null : <option value={typed}>{typed}</option>}
      {files.map((file) => (
        <option key={file.path} value={file.path}>
          {file.path}
        </option>
      ))}
    </select>
  );
}

function NoFiles({ typed, onType, type, ...shared }: Omit<FileFieldProps, "files"> & { type: string }) {
  return (
    <input
      {...shared}
      className="field"
      value={typed}
      placeholder={`no ${type} file lies in the folder: put one there, or write its path`}
      onChange={(event) => onType(event.target.value)}
    />
  );
}

function FilesField({ id, files, typed, onType, ...shared }: FileFieldProps) {
  const chosen = typed.split("\n").filter(Boolean);
  const toggle = (path: string): void => {
    const without = chosen.filter((each) => each !== path);
    onType((without.length < chosen.length ? without : [...chosen, path]).join("\n"));
  };
  if (files.length === 0) return <NoFiles id={id} {...shared} typed={typed} onType={onType} type="fitting" />;
  return (
    <div id={id} role="group" aria-describedby={shared["aria-describedby" as keyof typeof shared]} className="run-files scroll">
      {files.map((file) => (
        <label key={file.path} className="run-file">
          <input type="checkbox" checked={chosen.includes(file.path)} onChange={() => toggle(file.path)} />
          <span>{file.path}</span>
        </label>
      ))}
    </div>
  );
}

/** A menu of what earlier runs of the file were given. */
function Earlier({ path, take }: { path: string; take: (given: Record<string, JsonValue>) => void }) {
  const history = useRuns(path, (file) => file.history);
  if (history.length === 0) return null;
  const now = Date.now() / 1000;
  const items = history.slice(0, MOST_EARLIER).map(
    (run): MenuItem => ({
      label: `Run ${run.name}`,
      hint: `${statusWords(run)}, ${momentWords(run.started, now)}`,
      onSelect: () =>
        void api.get<RunView>("/api/run", { id: run.id }).then(
          (view) => take(fromRun(view.given)),
          (error: unknown) => toastProblems(problemsOf(error)),
        ),
    }),
  );
  return (
    <span className="left run-earlier">
      <MenuButton label="Take the inputs of an earlier run" items={items} className="button">
        <Icon name="history" size={14} />
        <span>From an earlier run</span>
      </MenuButton>
    </span>
  );
}
