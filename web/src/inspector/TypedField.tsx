// SPDX-License-Identifier: Apache-2.0
/** Fields that are typed into, for values of every sort, and fields that are chosen in. */

import { type KeyboardEvent, useId } from "react";
import type { JsonValue, ParameterView, ProblemView } from "../api/types";
import { useDraft } from "./drafts";
import { Field } from "./Field";
import { jsonText, type Parsed } from "./parsing";
import { commonValue, isMixed, problemsAt, useTarget, write } from "./target";

export interface TypedFieldProps {
  path: readonly string[];
  label: string;
  about?: string | undefined;
  parse: (text: string) => Parsed;
  show?: (value: JsonValue | undefined) => string;
  placeholder?: string;
  isHalf?: boolean;
  isRequired?: boolean;
  isCode?: boolean;
  /** Rows of a field of several lines; one line if left out. */
  rows?: number;
  /** Texts to choose from, which need not be chosen. */
  hints?: readonly string[];
  isNumber?: boolean;
}

export function TypedField(props: TypedFieldProps) {
  const { path, label, about, parse, show = jsonText, isHalf = false, isRequired = false, rows } = props;
  const target = useTarget();
  const draft = useDraft(show(commonValue(target, path)), (text) => {
    const read = parse(text);
    return "why" in read ? read.why : write(target, path, read.value, label);
  });
  const hints = useId();
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      draft.reset();
      event.stopPropagation();
    }
    if (event.key === "Enter" && !rows && !event.ctrlKey && !event.metaKey) draft.commit();
  };
  const shared = {
    className: props.isCode ? "field mono" : "field",
    value: draft.text,
    placeholder: isMixed(target, path) ? "differs" : (props.placeholder ?? ""),
    spellCheck: false,
    autoComplete: "off",
    onBlur: draft.commit,
    onKeyDown: onKey,
  };
  return (
    <Field label={label} about={about} why={draft.why} problems={problemsAt(target, path)} isHalf={isHalf} isRequired={isRequired}>
      {(ids) =>
        rows ? (
          <textarea {...ids} {...shared} rows={rows} onChange={(event) => draft.change(event.target.value)} />
        ) : (
          <>
            {/* No `type="number"`: the wheel changes such a field, and it hides what was typed. */}
            <input {...ids} {...shared} type="text" inputMode={props.isNumber ? "decimal" : "text"} list={props.hints ? hints : undefined} onChange={(event) => draft.change(event.target.value)} />
            {props.hints && <datalist id={hints}>{props.hints.map((hint) => <option key={hint} value={hint} />)}</datalist>}
          </>
        )
      }
    </Field>
  );
}

export interface ChoiceFieldProps {
  path: readonly string[];
  label: string;
  about?: string | undefined;
  choices: readonly { value: JsonValue; words: string }[];
  /** What is so if nothing is written. */
  unset: string;
  isHalf?: boolean;
  isRequired?: boolean;
  problems?: readonly ProblemView[];
}

export function ChoiceField({ path, label, about, choices, unset, isHalf = false, isRequired = false, problems }: ChoiceFieldProps) {
  const target = useTarget();
  const value = commonValue(target, path);
  const isOther = value !== undefined && !choices.some((choice) => choice.value === value);
  const draft = useDraft(value === undefined ? "" : JSON.stringify(value), (text) =>
    write(target, path, text ? (JSON.parse(text) as JsonValue) : undefined, label),
  );
  return (
    <Field label={label} about={about} why={draft.why} problems={problems ?? problemsAt(target, path)} isHalf={isHalf} isRequired={isRequired}>
      {(ids) => (
        <select {...ids} className="field" value={draft.text} onChange={(event) => draft.choose(event.target.value)}>
          <option value="">{isMixed(target, path) ? "differs" : unset}</option>
          {choices.map((choice) => <option key={choice.words} value={JSON.stringify(choice.value)}>{choice.words}</option>)}
          {isOther && <option value={JSON.stringify(value)}>{jsonText(value)}</option>}
        </select>
      )}
    </Field>
  );
}

/** What a parameter is if the file says nothing, in words. */
export function defaultWords(parameter: ParameterView, inherited?: JsonValue): string {
  const value = inherited === undefined ? parameter.default : inherited;
  if (value === null) return "";
  return typeof value === "boolean" ? (value ? "yes" : "no") : jsonText(value);
}
