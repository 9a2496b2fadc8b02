// SPDX-License-Identifier: Apache-2.0
/** An input of the workflow: its name, its type, and what stands in for it. */

import { useId, useMemo } from "react";
import type { DocumentView, InputView, JsonValue } from "../api/types";
import { INPUTS } from "../canvas/graph";
import { select, selection } from "../state/selection";
import { useStore } from "../state/store";
import { workspace } from "../state/workspace";
import { useDraft } from "./drafts";
import { Field } from "./Field";
import { isTemplate, linesText, parseJson, parseLines, type Parsed } from "./parsing";
import { TypeChip } from "./PortField";
import { changed, declare, declared } from "./inputs";
import { nameProblem, renameInput } from "./renaming";
import { send, type Target, TargetProvider, useTarget } from "./target";
import { RemoveRow } from "./WorkflowForm";

const TYPES = ["text", "json", "audio", "image", "document", "file", "embedding"];
const CHOICES = [...TYPES, ...TYPES.map((type) => `list[${type}]`)].map((type) => ({ value: type, words: type }));

export function InputForm({ document, input }: { document: DocumentView; input: InputView }) {
  return (
    <>
      <header className="inspector-head">
        <h2>{`Input ${input.name}`}</h2>
        <p className="inspector-sort"><span>given to a run</span><TypeChip type={input.type} /></p>
      </header>
      <div className="inspector-body scroll">
        <fieldset className="inspector-form" disabled={document.read_only !== ""}>
          <legend className="unseen">{`Input ${input.name}`}</legend>
          <InputFields document={document} input={input} />
        </fieldset>
      </div>
    </>
  );
}

export function InputFields({ document, input }: { document: DocumentView; input: InputView }) {
  const target = useMemo(() => inputTarget(document, input), [document, input]);
  const source = INPUTS + input.name;
  const readers = document.edges.filter((edge) => edge.source === source).map((edge) => edge.target);
  const outputs = document.outputs.filter((each) => each.reads.includes(source)).map((each) => each.name);
  const remove = () => void send(target, declare(document, input.name, undefined), "remove");
  return (
    <TargetProvider value={target}>
      <div className="inspector-inset">
        <InputName input={input} />
        <Fields input={input} />
        <RemoveRow steps={[...new Set(readers)]} outputs={outputs} words="Remove this input" onRemove={remove} />
      </div>
    </TargetProvider>
  );
}

function inputTarget(document: DocumentView, input: InputView): Target {
  // A problem of an input stands in no step; its words name it.
  const mine = document.problems.filter((problem) => !problem.step && problem.what.includes(`'${input.name}'`));
  return {
    document,
    who: `input ${input.name}`,
    step: null,
    places: [{ base: ["inputs", input.name], data: declared(input) }],
    problems: mine.map((problem) => ({ keys: ["name"], problem })),
  };
}

function InputName({ input }: { input: InputView }) {
  const target = useTarget();
  const { document } = target;
  const draft = useDraft(input.name, (typed) => {
    const name = typed.trim();
    const why = nameProblem(name, document.inputs.map((each) => each.name).filter((each) => each !== input.name));
    if (why) return why;
    return send(target, renameInput(document, input, name), `rename to ${name}`).then((problems) => {
      // In the list of all inputs nothing is chosen, and nothing needs to be.
      if (!problems.length && selection.get().nodes.includes(INPUTS + input.name)) select([INPUTS + name]);
      return problems;
    });
  }, true);
  return (
    <Field label="Name" why={draft.why} problems={target.problems.map(({ problem }) => problem)}>
      {(ids) => (
        <input {...ids} className="field mono" value={draft.text} spellCheck={false} autoComplete="off" onChange={(event) => draft.change(event.target.value)} onBlur={draft.commit} onKeyDown={(event) => {
          if (event.key === "Enter") draft.commit();
          if (event.key === "Escape") draft.reset();
        }} />
      )}
    </Field>
  );
}

function Fields({ input }: { input: InputView }) {
  const target = useTarget();
  const material = useStore(workspace, (all) => all.folder?.material);
  const put = (key: string, value: JsonValue | undefined) =>
    send(target, declare(target.document, input.name, changed(input, key, value)), key);
  const type = useDraft(input.type, (chosen) => put("type", chosen));
  const need = useDraft(String(!input.is_required && input.default === null), (chosen) => put("optional", chosen === "true"));
  const about = useDraft(input.description, (typed) => put("description", typed));
  const [parse, show] = readerOf(input.type);
  const hints = (material ?? []).filter((each) => each.type === input.type || input.type === "file").map((each) => each.path);
  return (
    <>
      <div className="inspector-grid">
        <Field label="Type" why={type.why} isHalf>
          {(ids) => (
            <select {...ids} className="field" value={type.text} onChange={(event) => type.choose(event.target.value)}>
              {!CHOICES.some((each) => each.value === input.type) && <option>{input.type}</option>}
              {CHOICES.map(({ value }) => <option key={value}>{value}</option>)}
            </select>
          )}
        </Field>
        <Field label="If it is not given" why={need.why} isHalf>
          {(ids) => (
            <select {...ids} className="field" value={input.default === null ? need.text : "default"} disabled={input.default !== null} onChange={(event) => need.choose(event.target.value)}>
              <option value="false">a run asks for it</option>
              <option value="true">it is null</option>
              {input.default !== null && <option value="default">the default stands in</option>}
            </select>
          )}
        </Field>
      </div>
      <Field label="Description" why={about.why}>
        {(ids) => <input {...ids} className="field" value={about.text} onChange={(event) => about.change(event.target.value)} onBlur={about.commit} onKeyDown={(event) => event.key === "Enter" && about.commit()} />}
      </Field>
      <Default input={input} parse={parse} show={show} hints={hints} onPut={(value) => put("default", value)} />
    </>
  );
}

interface DefaultProps {
  input: InputView;
  parse: (text: string) => Parsed;
  show: (value: JsonValue | undefined) => string;
  hints: string[];
  onPut: (value: JsonValue | undefined) => ReturnType<typeof send>;
}

function Default({ input, parse, show, hints, onPut }: DefaultProps) {
  const isLong = ["text", "json"].includes(input.type) || input.type.startsWith("list");
  const about = isLong ? 'A value, or { "file": "notes.txt" }; for lists also { "glob": "notes/*.txt" }' : undefined;
  const draft = useDraft(input.default === null ? "" : show(input.default), (text) => {
    const read: Parsed = text === "" ? { value: undefined } : parse(text);
    return "why" in read ? read.why : onPut(read.value);
  });
  const list = useId();
  const shared = { className: "field mono", value: draft.text, spellCheck: false, onBlur: draft.commit };
  return (
    <Field label="Default" about={about} why={draft.why}>
      {(ids) => (isLong ? (
        <textarea {...ids} {...shared} rows={2} onChange={(event) => draft.change(event.target.value)} />
      ) : (
        <>
          <input {...ids} {...shared} list={list} onChange={(event) => draft.change(event.target.value)} onKeyDown={(event) => event.key === "Enter" && draft.commit()} />
          <datalist id={list}>{hints.map((hint) => <option key={hint} value={hint} />)}</datalist>
        </>
      ))}
    </Field>
  );
}

function readerOf(type: string): [(text: string) => Parsed, (value: JsonValue | undefined) => string] {
  if (type.startsWith("list[text")) return [(text) => (/^\s*[[{]/.test(text) && !isTemplate(text) ? parseJson(text) : parseLines(text)), (value) => (Array.isArray(value) ? linesText(value) : plain(value))];
  if (type === "json" || type.startsWith("list") || type === "embedding") return [parseJson, plain];
  return [(text) => (/^\s*\{\s*"(file|glob)"/.test(text) ? parseJson(text) : { value: text }), plain];
}

const plain = (value: JsonValue | undefined): string => (typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value));
