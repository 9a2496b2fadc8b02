// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { modelLabel, onMachine, optionsKey, resolve, writtenFor } from "./models";

const view = (kind: string, name: string) => ({ kind, name, about: "", size: null, problem: "" });

test("a model of this machine is written as a file writes it", () => {
  expect(writtenFor(view("ollama", "llama3.2"))).toEqual({ kind: "ollama", model: "llama3.2" });
  expect(writtenFor(view("ollama", "ollama:qwen3:32b"))).toEqual({ kind: "ollama", model: "qwen3:32b" });
  expect(writtenFor(view("whisper.cpp", "~/m/ggml-base.bin"))).toEqual({ kind: "whisper.cpp", model_path: "~/m/ggml-base.bin" });
  expect(writtenFor(view("embedded", "summary"))).toEqual({ kind: "embedded", name: "summary" });
});

test("a model is found again, whatever its options", () => {
  const here = [view("ollama", "llama3.2"), view("embedded", "summary")];
  expect(onMachine({ kind: "ollama", model: "llama3.2", options: { seed: 1 } }, here)).toBe(here[0]);
  expect(onMachine({ kind: "ollama", model: "other" }, here)).toBeUndefined();
});

test("a name of the file is followed", () => {
  const models = { writer: { kind: "embedded", name: "summary" } };
  expect(optionsKey(resolve("writer", models))).toBe("embedded:summary");
  expect(resolve("nobody", models)).toBeNull();
});

test("labels leave folders out", () => {
  expect(modelLabel({ kind: "llama.cpp", model_path: "/models/tiny.gguf" })).toBe("llama.cpp: tiny.gguf");
});
