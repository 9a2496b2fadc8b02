// SPDX-License-Identifier: Apache-2.0
/** What page and server tell each other. Written by scripts/make_api_types.py. */

export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export type JsonObject = { [key: string]: JsonValue };
/**
 * One thing that is wrong. Lines and columns count from 1; 0 means unknown.
 *
 * `step` is the step it stands in, "" for none. A note is not in the way of a run.
 */
export interface ProblemView {
  code: string;
  what: string;
  mend: string;
  line: number;
  column: number;
  step: string;
  severity: "note" | "problem";
}
/**
 * A place that takes a value: `type` as a file writes it, None for anything.
 *
 * A port that takes several types has " | " between them, the usual one first:
 * "text | json | image". `name` is the key it writes: "input", "prompt", "with.text",
 * "system", "options", "for_each", "when".
 */
export interface PortView {
  name: string;
  label: string;
  type: string | null;
  is_required: boolean;
}
/**
 * A step as the file writes it (`data`), with its ports.
 *
 * `sort` is "unknown" for what this LAO does not know: shown, never changed.
 * `model` labels the first engine that would answer; `output` is a type.
 */
export interface StepView {
  id: string;
  line: number;
  sort: "model" | "plugin" | "recipe" | "reshape" | "unknown";
  title: string;
  model: string;
  data: JsonObject;
  inputs: PortView[];
  output: string | null;
  position: [number, number] | null;
}
/**
 * An input of the workflow. `default` as the file writes it.
 */
export interface InputView {
  name: string;
  type: string;
  description: string;
  default: JsonValue;
  is_required: boolean;
  position: [number, number] | null;
}
/**
 * A connection. `source` is a step, or "inputs.NAME"; `port` one of the target's.
 *
 * A wait carries no data; its port is "".
 */
export interface EdgeView {
  source: string;
  target: string;
  port: string;
  kind: "data" | "wait";
}
/**
 * A note, or a group's frame, that a person drew.
 */
export interface BoxView {
  id: string;
  kind: "group" | "note";
  x: number;
  y: number;
  width: number;
  height: number;
  text: string;
}
/**
 * A named output of the workflow.
 */
export interface OutputView {
  name: string;
  template: string;
  reads: string[];
}
/**
 * An open workflow file. `version` grows with every change of its text.
 *
 * `undo` and `redo` say what they would take back or do again; None where nothing
 * is left. `read_only` says why the file cannot be changed, "" if it can.
 * `is_conflicting`: the file changed elsewhere, and here too.
 */
export interface DocumentView {
  path: string;
  version: number;
  text: string;
  name: string;
  description: string;
  is_saved: boolean;
  is_conflicting: boolean;
  read_only: string;
  undo: string | null;
  redo: string | null;
  inputs: InputView[];
  steps: StepView[];
  edges: EdgeView[];
  boxes: BoxView[];
  outputs: OutputView[];
  models: JsonObject;
  problems: ProblemView[];
}
/**
 * A workflow file below the folder; `modified` in seconds since 1970.
 */
export interface FileView {
  path: string;
  modified: number;
  size: number;
  is_open: boolean;
  has_unsaved: boolean;
}
/**
 * A file below the folder that can be given to a workflow.
 */
export interface MaterialView {
  path: string;
  type: "audio" | "document" | "file" | "image" | "text";
  size: number;
}
/**
 * What lies below the folder, as far as is listed.
 */
export interface FolderView {
  files: FileView[];
  material: MaterialView[];
  is_whole: boolean;
}
/**
 * Put a value in a place: ["steps", ID, "options", "temperature"].
 */
export interface SetValueEdit {
  kind: "set-value";
  path: (string | number)[];
  value: JsonValue;
}
/**
 * Take a key, or an element of a list, away.
 */
export interface RemoveValueEdit {
  kind: "remove-value";
  path: (string | number)[];
}
/**
 * Add a step from the palette; connected from `source`, if that fits.
 *
 * It comes behind `after`, or last. The reply names it.
 */
export interface InsertEdit {
  kind: "insert";
  entry: string;
  x?: number | null;
  y?: number | null;
  after?: string | null;
  source?: string | null;
}
/**
 * Add copies of steps as a file writes them; those that clash get new ids.
 *
 * Links between the copies lead to the copies. `positions` by the ids given.
 */
export interface PasteEdit {
  kind: "paste";
  steps: JsonObject[];
  positions?: {
    [k: string]: [number, number];
  };
  connections?: [string, string][];
}
/**
 * Take a step away.
 */
export interface RemoveStepEdit {
  kind: "remove-step";
  id: string;
}
/**
 * Give a step another id, wherever it is read.
 */
export interface RenameStepEdit {
  kind: "rename-step";
  old: string;
  new: string;
}
/**
 * Put a step behind another in the file, or first.
 */
export interface MoveStepEdit {
  kind: "move-step";
  id: string;
  after?: string | null;
}
/**
 * Let a port read a step or "inputs.NAME"; port "" lets the step only wait.
 *
 * "+1" stands for what the same request has added first, and so on.
 */
export interface ConnectEdit {
  kind: "connect";
  source: string;
  target: string;
  port?: string;
}
/**
 * Take a connection away.
 */
export interface DisconnectEdit {
  kind: "disconnect";
  source: string;
  target: string;
  port?: string;
}
/**
 * Say where a step, or "inputs.NAME", is drawn.
 */
export interface SetPositionEdit {
  kind: "set-position";
  node: string;
  x: number;
  y: number;
}
/**
 * Add or change a note or a group; an id of "" makes a new one.
 */
export interface SetBoxEdit {
  kind: "set-box";
  id?: string;
  box: "group" | "note";
  x: number;
  y: number;
  width: number;
  height: number;
  text: string;
}
/**
 * Take a note or a group's frame away.
 */
export interface RemoveBoxEdit {
  kind: "remove-box";
  id: string;
}
/**
 * Replace the whole text, as typed in the text view.
 */
export interface SetTextEdit {
  kind: "set-text";
  text: string;
}
/**
 * Edits of one version of a file: all of them or none, one step of its history.
 *
 * A request whose answer was lost can be made again: what has the same `key` is made
 * once, even if the server was started anew meanwhile.
 */
export interface EditsRequest {
  path: string;
  version: number;
  label: string;
  edits: (
    | SetValueEdit
    | RemoveValueEdit
    | InsertEdit
    | PasteEdit
    | RemoveStepEdit
    | RenameStepEdit
    | MoveStepEdit
    | ConnectEdit
    | DisconnectEdit
    | SetPositionEdit
    | SetBoxEdit
    | RemoveBoxEdit
    | SetTextEdit
  )[];
  key?: string;
}
/**
 * The file after the edits. `created` are the ids of new steps or boxes, in order.
 */
export interface EditsReply {
  document: DocumentView;
  created: string[];
}
/**
 * Names one version of an open file: for undo, redo, reverting to the disk.
 */
export interface VersionRequest {
  path: string;
  version: number;
}
/**
 * Write a file; under another name with `save_as`.
 */
export interface SaveRequest {
  path: string;
  version: number;
  save_as?: string | null;
}
/**
 * Create a workflow file: empty, from an example, or with the text of another.
 */
export interface NewFileRequest {
  path: string;
  example?: string | null;
}
/**
 * A stretch of lines in a merge.
 *
 * `kind` says who changed it; "both" means both, in the same way. A conflict is to
 * be picked; the others have a pick already.
 */
export interface HunkView {
  kind: "both" | "conflict" | "mine" | "same" | "theirs";
  base: string[];
  mine: string[];
  theirs: string[];
}
/**
 * The file here, on the disk, and what they have in common, stretch by stretch.
 */
export interface MergeView {
  path: string;
  version: number;
  disk: string;
  hunks: HunkView[];
}
/**
 * How to merge: a pick for each hunk. `disk` is the digest that was shown.
 */
export interface MergeRequest {
  path: string;
  version: number;
  disk: string;
  picks: ("base" | "mine" | "mine-then-theirs" | "theirs")[];
}
/**
 * A parameter of a palette entry; `path` is where its value is written in a step.
 *
 * `type` is that of a value, or says how it is written: "integer", "number", "flag",
 * "template" (a text with {{ … }}), "duration", "schema", "model", "path".
 */
export interface ParameterView {
  name: string;
  path: string[];
  type: string;
  description: string;
  default: JsonValue;
  is_required: boolean;
  choices: string[];
  minimum: number | null;
  maximum: number | null;
}
/**
 * A step that can be added. `problem` says why it cannot be used now.
 */
export interface PaletteEntry {
  id: string;
  group: "Models" | "Plugins" | "Shape" | "Speech" | "Text";
  title: string;
  description: string;
  step: JsonObject;
  inputs: PortView[];
  output: string | null;
  parameters: ParameterView[];
  problem: string;
}
/**
 * Why a value may not go into a port, and the palette entry that would mend it.
 */
export interface FitView {
  reason: string;
  converter: string;
}
/**
 * Every step that can be added. `misfits[out][in]`: those pairs that do not fit.
 *
 * `in` is the type of a port, as the port writes it. `parameters` are those that
 * every step has (when, retry, cache, …), and `model_options` those that the models
 * of a kind have ("ollama"; of the embedded ones, each: "embedded:summary").
 */
export interface PaletteView {
  entries: PaletteEntry[];
  misfits: {
    [k: string]: {
      [k: string]: FitView;
    };
  };
  parameters: ParameterView[];
  model_options: {
    [k: string]: ParameterView[];
  };
}
/**
 * A model on this machine; `name` is what a file writes for it.
 */
export interface ModelView {
  name: string;
  kind: string;
  about: string;
  size: number | null;
  problem: string;
}
/**
 * A workflow that comes with LAO.
 */
export interface ExampleView {
  name: string;
  description: string;
}
/**
 * Why a request was refused. `document` is the newer version, where that is why.
 */
export interface ErrorReply {
  problems: ProblemView[];
  document: DocumentView | null;
}
/**
 * The token of a one-time link.
 */
export interface SessionRequest {
  link: string;
}
/**
 * The token that every request carries from now on.
 *
 * By `key` the page knows this server again: see `ProofRequest`.
 */
export interface SessionReply {
  token: string;
  key: string;
}
/**
 * A text that was never used before.
 *
 * Asked after a break: another user's program may have taken the port of a server
 * that is gone, and must not be told what people write.
 */
export interface ProofRequest {
  nonce: string;
}
/**
 * The HMAC-SHA256 of the nonce (in UTF-8) with the key, both in hexadecimal.
 */
export interface ProofReply {
  proof: string;
}
/**
 * The address of a one-time link, for another window.
 */
export interface LinkReply {
  link: string;
}
/**
 * What the kernel enforces of this server and of its workers.
 *
 * `layers` is what the server's own self-check read back. `attempts` counts what was
 * reported as stopped since the start, `endpoints` the model servers in reach.
 */
export interface LocalityView {
  level: string;
  name: string;
  words: string;
  is_enforced: boolean;
  layers: JsonObject;
  endpoints: string[];
  attempts: number;
}
/**
 * What the page is told at its start.
 */
export interface ServerView {
  version: string;
  folder: string;
  locality: LocalityView;
  is_kept: boolean;
  model: string;
  speech_model: string;
  examples: ExampleView[];
}
/**
 * A file in a value. `path` is relative to the folder; "" if it lies outside.
 *
 * `type` is its media type if a page may show or play it, "" otherwise.
 */
export interface MediaView {
  name: string;
  path: string;
  kind: "audio" | "document" | "file" | "image";
  type: string;
  size: number | null;
}
/**
 * A value, or its beginning: `size` in characters of its text or JSON.
 *
 * `text` holds texts; `data` JSON, where that is small; `files` every file in it.
 */
export interface ValueView {
  kind: "file" | "json" | "none" | "text";
  size: number;
  is_whole: boolean;
  text: string;
  data: JsonValue;
  files: MediaView[];
}
/**
 * A stretch of a long value's text from `offset`; `next` is None at its end.
 */
export interface ValuePage {
  text: string;
  offset: number;
  next: number | null;
}
/**
 * What is known of one step of a run. `why` says why it failed or was skipped.
 */
export interface StepRunView {
  status: "done" | "failed" | "running" | "skipped" | "waiting";
  model: string;
  seconds: number;
  tokens_in: number | null;
  tokens_out: number | null;
  is_cached: boolean;
  attempts: number;
  retries: number;
  items: number | null;
  items_done: number;
  progress: [number, number, string] | null;
  code: string;
  why: string;
  mend: string;
  notes: string[];
  text: string;
  output: ValueView | null;
  worker: string;
}
/**
 * A run in a list. `name` is what people call it ("18").
 *
 * `paused_before` are the steps before which it stopped.
 */
export interface RunSummary {
  id: string;
  name: string;
  workflow: string;
  status: "cancelled" | "done" | "failed" | "interrupted" | "running";
  started: number;
  seconds: number | null;
  steps: number;
  done: number;
  paused_before: string[];
}
/**
 * A run with its steps. `sequence` is the number of the last fact in it.
 */
export interface RunView {
  summary: RunSummary;
  sequence: number;
  locality: string;
  level: string;
  layers: JsonObject;
  inputs: {
    [k: string]: ValueView;
  };
  given: JsonObject;
  steps: {
    [k: string]: StepRunView;
  };
  outputs: {
    [k: string]: ValueView;
  };
  violations: string[];
}
/**
 * Run a version of an open file. Inputs are text, JSON, or paths in the folder.
 *
 * `start` runs that step anew and what follows; `until` only that step and what it
 * needs. `pause_before` stops before steps; `continues` goes on from such a run,
 * where `edited` replaces the outputs of steps.
 */
export interface RunRequest {
  path: string;
  version: number;
  inputs?: JsonObject;
  start?: string | null;
  until?: string | null;
  refresh?: string[];
  no_cache?: boolean;
  pause_before?: string[];
  continues?: string | null;
  edited?: JsonObject;
}
/**
 * The run that began.
 */
export interface RunReply {
  run: string;
}
/**
 * Stop a run.
 */
export interface CancelRequest {
  run: string;
}
/**
 * What would become of a step, and why.
 */
export interface StepForecastView {
  status: "blocked" | "cached" | "pinned" | "skipped" | "will run";
  reason: string;
  changed: string[];
}
/**
 * What a run would do. `problems` say what stands in its way.
 */
export interface ForecastView {
  steps: {
    [k: string]: StepForecastView;
  };
  problems: ProblemView[];
}
/**
 * Use the output that a step had in a run until further notice; None to stop.
 */
export interface PinRequest {
  path: string;
  step: string;
  run?: string | null;
}
/**
 * The pins of a file: the run whose output each pinned step gives.
 */
export interface PinsView {
  pins: {
    [k: string]: string;
  };
}
/**
 * One difference: where, and both sides as people read them.
 */
export interface ChangeView {
  where: string;
  before: string;
  after: string;
}
/**
 * A step in two runs. `ingredients` names what went in and differs.
 */
export interface StepComparisonView {
  name: string;
  is_same: boolean;
  ingredients: string[];
  before: StepRunView | null;
  after: StepRunView | null;
}
/**
 * Two runs, side by side.
 */
export interface ComparisonView {
  before: RunSummary;
  after: RunSummary;
  is_same: boolean;
  workflow: ChangeView[];
  inputs: ChangeView[];
  outputs: ChangeView[];
  steps: StepComparisonView[];
}
/**
 * A fact of a run as `lao --events` tells it, its values as `ValueView`.
 *
 * Text that comes quickly is joined. `sequence` is where to go on after a break.
 */
export interface RunMessage {
  sequence: number;
  time: number;
  kind: string;
  fact: JsonObject;
  output: ValueView | null;
}
/**
 * Something that changed: a file's version, the folder, a run's beginning or end.
 */
export interface WorkspaceMessage {
  sequence: number;
  kind: "document" | "folder" | "run";
  path: string;
  version: number;
  run: string;
  status: string;
}

export type EditMessage = EditsRequest["edits"][number];
