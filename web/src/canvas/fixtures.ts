// SPDX-License-Identifier: Apache-2.0
/** Small documents for the tests. */

import type { DocumentView, EdgeView, PaletteEntry, PaletteView, PortView, StepView } from "../api/types";

export const port = (name: string, type: string | null, is_required = true): PortView => ({
  name,
  label: name.replace("with.", ""),
  type,
  is_required,
});

export function step(id: string, inputs: PortView[], output: string | null, part: Partial<StepView> = {}): StepView {
  return { id, line: 1, sort: "recipe", title: id, model: "", data: { id, uses: id }, inputs, output, position: null, ...part };
}

export const edge = (source: string, target: string, port: string): EdgeView => ({
  source,
  target,
  port,
  kind: port === "" ? "wait" : "data",
});

export function documentOf(part: Partial<DocumentView>): DocumentView {
  return {
    path: "meeting.yaml",
    version: 1,
    text: "",
    name: "",
    description: "",
    is_saved: true,
    is_conflicting: false,
    read_only: "",
    undo: null,
    redo: null,
    inputs: [],
    steps: [],
    edges: [],
    boxes: [],
    outputs: [],
    models: {},
    problems: [],
    ...part,
  };
}

/** recording → transcript → summary and entities. */
export const MEETING = documentOf({
  inputs: [{ name: "recording", type: "audio", description: "", default: null, is_required: true, position: null }],
  steps: [
    step("transcript", [port("with.audio", "audio")], "text"),
    step("summary", [port("with.text", "text"), port("with.style", "text", false)], "text"),
    step("entities", [port("with.text", "text")], "json"),
  ],
  edges: [
    edge("inputs.recording", "transcript", "with.audio"),
    edge("transcript", "summary", "with.text"),
    edge("transcript", "entities", "with.text"),
  ],
  outputs: [{ name: "notes", template: "{{ summary }}", reads: ["summary"] }],
});

export function entry(id: string, inputs: PortView[], output: string | null, part: Partial<PaletteEntry> = {}): PaletteEntry {
  return { id, group: "Text", title: id, description: "", step: { id, uses: id }, inputs, output, parameters: [], problem: "", ...part };
}

export const PALETTE: PaletteView = {
  entries: [
    entry("transcribe", [port("with.audio", "audio")], "text", { group: "Speech" }),
    entry("summarize", [port("with.text", "text")], "text"),
    entry("describe", [port("with.image", "image")], "text"),
  ],
  misfits: {
    audio: {
      text: { reason: "audio is not text", converter: "transcribe" },
      image: { reason: "audio is not an image", converter: "" },
    },
    text: { audio: { reason: "text is not audio", converter: "" }, image: { reason: "text is not an image", converter: "" } },
    json: { text: { reason: "json is not text", converter: "" }, audio: { reason: "json is not audio", converter: "" } },
  },
  parameters: [],
  model_options: {},
};
