// SPDX-License-Identifier: Apache-2.0
/** Models as files write them, and as they are told apart here. */

import type { JsonObject, JsonValue, ModelView, ParameterView } from "../api/types";
import { isObject } from "./writing";

/** The key that says which model of its kind it is. */
const NAMED_BY: Record<string, string> = {
  ollama: "model",
  "llama.cpp": "model_path",
  "whisper.cpp": "model_path",
  embedded: "name",
  custom: "plugin",
  plugin: "name",
};

export const KINDS = Object.keys(NAMED_BY);

const text = (name: string, description: string, more: Partial<ParameterView> = {}): ParameterView => ({
  name, path: [name], type: "text", description, default: null, is_required: false, choices: [], minimum: null, maximum: null, ...more,
});

/** What a model's mapping says beside its kind and options. */
export const MODEL_KEYS: Record<string, ParameterView[]> = {
  ollama: [
    text("model", "As `ollama list` prints it", { is_required: true }),
    text("endpoint", "http://127.0.0.1:PORT or unix:/path"),
    text("keep_alive", "How long it stays loaded, such as 5m"),
    text("think", "How much a thinking model thinks", { type: "json" }),
    text("mode", "Which of the server's two ways to ask", { choices: ["chat", "generate"] }),
  ],
  "llama.cpp": [text("model_path", "A GGUF file", { type: "path", is_required: true })],
  "whisper.cpp": [
    text("model_path", "A ggml-….bin file", { type: "path", is_required: true }),
    text("program", "A whisper-cli to run instead of the library", { type: "path" }),
  ],
  embedded: [text("name", "Which of them", { choices: ["speech", "summary", "entities", "redact"], is_required: true })],
  custom: [
    text("plugin", "path.py or path.py:Class", { type: "path", is_required: true }),
    text("readable", "Further files that it may read, one a line", { type: "list[text]" }),
  ],
  plugin: [text("name", "As `lao plugins` lists it", { is_required: true })],
};

/** A model's kind, and which of that kind; a name of the file's `models` is followed. */
export function resolve(model: JsonValue | undefined, models: JsonObject): JsonObject | null {
  if (typeof model === "string") {
    const named = models[model];
    return isObject(named) ? named : null;
  }
  return isObject(model) ? model : null;
}

export function kindOf(model: JsonObject | null): string {
  return typeof model?.["kind"] === "string" ? model["kind"] : "";
}

export function nameOf(model: JsonObject | null): string {
  const name = model?.[NAMED_BY[kindOf(model)] ?? ""];
  return typeof name === "string" ? name : "";
}

/** The key under which the palette has a model's options. */
export function optionsKey(model: JsonObject | null): string {
  const kind = kindOf(model);
  return kind === "embedded" ? `embedded:${nameOf(model)}` : kind;
}

/** What a file writes for a model of a kind. */
export function written(kind: string, name: string): JsonObject {
  return { kind, [NAMED_BY[kind] ?? "name"]: name };
}

/** What a file writes for a model of this machine. */
export function writtenFor({ kind, name }: ModelView): JsonObject {
  const [base = kind, embedded] = kind.split(":");
  return written(base, embedded ?? (name.startsWith(`${base}:`) ? name.slice(base.length + 1) : name));
}

/** The machine's model that a file means; undefined if it is not known here. */
export function onMachine(model: JsonObject | null, models: readonly ModelView[]): ModelView | undefined {
  return models.find((each) => {
    const other = writtenFor(each);
    return kindOf(other) === kindOf(model) && nameOf(other) === nameOf(model);
  });
}

/** "ollama: llama3.2", "whisper.cpp: ggml-base.en.bin". */
export function modelLabel(model: JsonObject | null): string {
  if (!model) return "";
  const name = nameOf(model);
  return `${kindOf(model)}: ${name.slice(name.lastIndexOf("/") + 1) || "?"}`;
}
