// SPDX-License-Identifier: Apache-2.0
/** The field of a parameter, by what it takes. */

import type { JsonValue, ParameterView } from "../api/types";
import { useStore } from "../state/store";
import { workspace } from "../state/workspace";
import { isTemplate, linesText, type Parsed, parseDuration, parseJson, parseLines, parseNumber } from "./parsing";
import { PortField } from "./PortField";
import { parseSchema, schemaText } from "./schema";
import { commonValue, useTarget } from "./target";
import { TemplateField } from "./TemplateField";
import { ChoiceField, defaultWords, TypedField } from "./TypedField";

export interface ParameterFieldProps {
  parameter: ParameterView;
  label?: string;
  /** What holds if the file's step says nothing, where that is not the parameter's own default. */
  inherited?: JsonValue;
  /** A port can read a step; a plain option is only written. */
  isPort?: boolean;
  isBrief?: boolean;
}

const FLAGS = [{ value: true, words: "yes" }, { value: false, words: "no" }];

export function ParameterField({ parameter, label = parameter.name, inherited, isPort = false, isBrief = false }: ParameterFieldProps) {
  const { path, type, choices, is_required: isRequired } = parameter;
  const value = commonValue(useTarget(), path);
  const material = useStore(workspace, (all) => all.folder?.material);
  const words = defaultWords(parameter, inherited);
  const about = isBrief ? undefined : parameter.description || undefined;
  const shared = { path, label, about, isRequired, placeholder: words };
  const isComputed = typeof value === "string" && isTemplate(value);
  if (isComputed && !["schema", "number", "integer"].includes(type)) {
    return isPort ? <PortField {...shared} type={isValueType(type) ? type : null} /> : <TemplateField {...shared} rows={1} isCode />;
  }
  if (choices.length) {
    const known = choices.map((choice) => ({ value: choice, words: choice }));
    return <ChoiceField {...shared} choices={known} unset={words ? `default (${words})` : isRequired ? "choose…" : "not set"} isHalf />;
  }
  switch (type) {
    case "flag":
      return <ChoiceField {...shared} choices={FLAGS} unset={words ? `default (${words})` : "not set"} isHalf />;
    case "integer":
    case "number":
      return <TypedField {...shared} parse={(text) => parseNumber(text, parameter)} isHalf isNumber />;
    case "duration":
      return <TypedField {...shared} parse={parseDuration} isHalf />;
    case "template":
      return <TemplateField {...shared} />;
    case "schema":
      return <TypedField {...shared} parse={parseSchema} show={schemaText} rows={4} isCode />;
    case "path":
      return <TypedField {...shared} parse={parseText} hints={(material ?? []).map((each) => each.path)} isCode />;
    case "json":
      return isPort ? <PortField {...shared} type="json" /> : <TypedField {...shared} parse={parseJson} rows={2} isCode />;
    case "list[text]":
      return isPort && value === undefined ? <PortField {...shared} type={type} /> : <TypedField {...shared} parse={parseLines} show={linesText} rows={3} />;
    default:
      return isPort ? <PortField {...shared} type={type} /> : <TypedField {...shared} parse={parseText} show={plain} isHalf={isBrief} />;
  }
}

const parseText = (text: string): Parsed => ({ value: text === "" ? undefined : text });
const plain = (value: JsonValue | undefined): string => (typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value));
const isValueType = (type: string): boolean => !["integer", "number", "flag", "duration", "path", "schema", "template"].includes(type);
