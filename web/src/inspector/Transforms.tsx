// SPDX-License-Identifier: Apache-2.0
/** What is done to a step's input, first to last. */

import { useId, useState } from "react";
import type { JsonValue } from "../api/types";
import { Icon } from "../shell/Icon";
import { visible } from "../values/signs";
import { useDraft } from "./drafts";
import { Field, ProblemWords } from "./Field";
import { jsonText, parseJson, parseNumber } from "./parsing";
import { commonValue, problemsAt, useTarget, write } from "./target";
import { escaped, moved, readTransform, type Told, TRANSFORMS, type TransformKey, unescaped, writeTransform } from "./transforms";

const PATH = ["input_transforms"];
const COUNT = { type: "integer", minimum: 1, maximum: null };

export function Transforms() {
  const target = useTarget();
  const value = commonValue(target, PATH);
  const list = Array.isArray(value) ? value : [];
  const id = useId();
  const [why, setWhy] = useState("");
  const put = (next: JsonValue[], what: string) => {
    void write(target, PATH, next.length ? next : undefined, what).then((problems) => setWhy(problems[0]?.what ?? ""));
  };
  const add = (name: string) => {
    const sort = TRANSFORMS.find((each) => each.name === name);
    if (sort) put([...list, sort.fresh], `add ${name}`);
  };
  return (
    <div className="inspector-transforms" role="group" aria-label="Transforms of the input">
      {list.length > 0 && (
        <ol>
          {list.map((each, index) => (
            <Transform
              key={`${index} ${readTransform(each)?.sort.name ?? "?"}`}
              value={each}
              isFirst={index === 0}
              isLast={index === list.length - 1}
              onMove={(by) => put(moved(list, index, by), "order of transforms")}
              onRemove={() => put(list.filter((_, other) => other !== index), "remove a transform")}
              onChange={(next, what) => write(target, PATH, list.map((other, at) => (at === index ? next : other)), what)}
            />
          ))}
        </ol>
      )}
      <div className="inspector-label">
        <label htmlFor={id}>Add a transform</label>
      </div>
      <select id={id} className="field" value="" onChange={(event) => add(event.target.value)}>
        <option value="">{list.length ? "then…" : "change the input first…"}</option>
        {TRANSFORMS.map((sort) => <option key={sort.name} value={sort.name}>{`${sort.name}: ${sort.about}`}</option>)}
      </select>
      {why && <p className="inspector-problem">{why}</p>}
      {problemsAt(target, PATH).map((problem) => <ProblemWords key={problem.code + problem.line + problem.column} problem={problem} />)}
    </div>
  );
}

interface TransformProps {
  value: JsonValue;
  isFirst: boolean;
  isLast: boolean;
  onMove: (by: number) => void;
  onRemove: () => void;
  onChange: (value: JsonValue, what: string) => ReturnType<typeof write>;
}

function Transform({ value, isFirst, isLast, onMove, onRemove, onChange }: TransformProps) {
  const told = readTransform(value);
  const name = told?.sort.name ?? "transform";
  return (
    <li>
      <div className="inspector-row">
        <strong title={told?.sort.about}>{name}</strong>
        {told && <span className="inspector-about">{told.sort.about}</span>}
        <span className="inspector-acts">
          <button type="button" className="button quiet icon" aria-label={`Move ${name} up`} disabled={isFirst} onClick={() => onMove(-1)}><Icon name="chevron" size={14} /></button>
          <button type="button" className="button quiet icon is-down" aria-label={`Move ${name} down`} disabled={isLast} onClick={() => onMove(1)}><Icon name="chevron" size={14} /></button>
          <button type="button" className="button quiet icon" aria-label={`Remove ${name}`} onClick={onRemove}><Icon name="close" size={14} /></button>
        </span>
      </div>
      {told ? told.sort.keys.map((key) => <TransformField key={key.name} transformKey={key} told={told} onChange={onChange} />) : <code className="inspector-json">{visible(JSON.stringify(value))}</code>}
    </li>
  );
}

function TransformField({ transformKey: key, told, onChange }: { transformKey: TransformKey; told: Told; onChange: TransformProps["onChange"] }) {
  const value = told.values[key.name];
  const isSeparator = ["join", "separator"].includes(key.name);
  const shown = isSeparator && typeof value === "string" ? escaped(value) : key.type === "text" && typeof value === "string" ? value : jsonText(value);
  const draft = useDraft(shown, (text) => {
    const read = key.type === "integer" ? parseNumber(text, COUNT) : key.type === "json" ? parseJson(text) : { value: isSeparator ? unescaped(text) : text };
    if ("why" in read) return read.why;
    const values = { ...told.values };
    delete values[key.name];
    if (read.value !== undefined) values[key.name] = read.value;
    return onChange(writeTransform({ ...told, values }), `${told.sort.name}, ${key.label.toLowerCase()}`);
  });
  return (
    <Field label={key.label} why={draft.why} isHalf={key.type !== "json"}>
      {(ids) =>
        key.type === "choice" ? (
          <select {...ids} className="field" value={draft.text} onChange={(event) => draft.choose(event.target.value)}>
            <option value="">default</option>
            {key.choices?.map((choice) => <option key={choice}>{choice}</option>)}
          </select>
        ) : (
          <input {...ids} className="field mono" type="text" spellCheck={false} value={draft.text} onChange={(event) => draft.change(event.target.value)} onBlur={draft.commit} onKeyDown={(event) => event.key === "Enter" && draft.commit()} />
        )
      }
    </Field>
  );
}
