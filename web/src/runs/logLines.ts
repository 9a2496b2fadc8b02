// SPDX-License-Identifier: Apache-2.0
/** The facts of a run in words, one line each, as the log shows and copies them. */

import type { RunMessage } from "../api/types";
import { number, record, text, texts } from "./fold";
import { count, clockWords, secondsWords, shortModel } from "./words";

export interface LogLine {
  key: string;
  /** Seconds since the run began. */
  at: number;
  step: string;
  tone: "plain" | "good" | "warn" | "bad";
  words: string;
}

/** What the facts say, a failure's way to mend it on a line of its own. */
export function logLines(messages: readonly RunMessage[]): LogLine[] {
  const began = messages[0]?.time ?? 0;
  const lines: LogLine[] = [];
  for (const message of messages) {
    const step = text(message.fact, "step");
    inWords(message).forEach(([tone, words], place) => {
      const key = `${message.sequence}.${place}`;
      lines.push({ key, at: Math.max(0, message.time - began), step, tone, words: words.replace(/\s+/g, " ") });
    });
  }
  return lines;
}

/** What a person copies. */
export function asText(lines: readonly LogLine[]): string {
  return lines.map((line) => `${stamp(line.at)}  ${line.step ? `${line.step}  ` : ""}${line.words}\n`).join("");
}

/** `00:31.4` */
export function stamp(seconds: number): string {
  return `${clockWords(seconds)}.${Math.floor((seconds * 10) % 10)}`;
}

type Said = [tone: LogLine["tone"], words: string][];

function inWords({ kind, fact }: RunMessage): Said {
  switch (kind) {
    case "run-started": {
      const where = text(fact, "locality");
      const steps = count(texts(fact, "steps").length, "step");
      return [["plain", `run started: ${steps}`], ...(where ? ([["plain", `locality: ${where}`]] as Said) : [])];
    }
    case "run-resumed":
      return [["plain", `run goes on; ${count(texts(fact, "recalled").length, "step")} taken over`]];
    case "step-started":
      return [["plain", startedWords(fact)]];
    case "worker-locked":
      return [["plain", `worker ${shortModel(text(fact, "worker"))} locked at ${text(fact, "level")}`]];
    case "step-retried": {
      const delay = (number(fact, "delay") ?? 0).toFixed(1);
      const words = `attempt ${number(fact, "attempt")} failed${ofItem(fact)}: ${text(fact, "what")}`;
      return [["warn", `${words}; again in ${delay} s [${text(fact, "code")}]`]];
    }
    case "fallback-chosen":
      return [["warn", `${text(fact, "what")}; now ${shortModel(text(fact, "model"))}${ofItem(fact)} [${text(fact, "code")}]`]];
    case "item-finished":
      return [["plain", `element ${(number(fact, "item") ?? 0) + 1} done${fact["cached"] === true ? ", from the cache" : ""}`]];
    case "step-finished":
      return [["good", doneWords(fact)], ...texts(fact, "notes").map((note): Said[number] => ["plain", `note: ${note}`])];
    case "step-failed": {
      const mend = text(fact, "mend");
      return [["bad", `failed: ${text(fact, "what")} [${text(fact, "code")}]`], ...(mend ? ([["bad", `mend: ${mend}`]] as Said) : [])];
    }
    case "step-skipped":
      return [["plain", `skipped: ${text(fact, "reason")}${fact["has_default"] === true ? "; its default is used" : ""}`]];
    case "policy-violated":
      return [["bad", `stopped by the lock: ${text(fact, "what")} [${text(fact, "code")}]`]];
    case "run-finished":
      return [endWords(fact)];
    default:
      return [];
  }
}

function startedWords(fact: RunMessage["fact"]): string {
  const model = text(fact, "model");
  const items = number(fact, "items");
  const parts = ["started", model && `with ${shortModel(model)}`, items === null ? "" : `on ${count(items, "element")}`];
  return parts.filter(Boolean).join(" ");
}

function doneWords(fact: RunMessage["fact"]): string {
  if (fact["cached"] === true) return "done, from the cache";
  const [into, out] = [number(fact, "tokens_in"), number(fact, "tokens_out")];
  const seconds = number(fact, "model_seconds");
  const attempts = number(fact, "attempts") ?? 1;
  const parts = [`done in ${secondsWords(number(fact, "seconds") ?? 0)}`];
  if (into !== null) parts.push(`${into.toLocaleString("en")} tokens in`);
  if (out !== null) parts.push(`${out.toLocaleString("en")} tokens out`);
  if (out && seconds) parts.push(`${Math.round(out / seconds)} tok/s`);
  if (attempts > 1) parts.push(`${attempts} attempts`);
  return parts.join(" · ");
}

function endWords(fact: RunMessage["fact"]): Said[number] {
  const status = text(fact, "status");
  const took = secondsWords(number(fact, "seconds") ?? 0);
  const outputs = Object.keys(record(fact, "outputs"));
  if (status === "done") return ["good", `run done in ${took}${outputs.length ? `: ${outputs.join(", ")}` : ""}`];
  if (status === "cancelled") return ["warn", `run stopped after ${took}`];
  const why = text(fact, "what");
  return ["bad", `run ${status} after ${took}${why ? `: ${why} [${text(fact, "code")}]` : ""}`];
}

function ofItem(fact: RunMessage["fact"]): string {
  const item = number(fact, "item");
  return item === null ? "" : ` (element ${item + 1})`;
}
