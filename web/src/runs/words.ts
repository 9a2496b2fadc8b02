// SPDX-License-Identifier: Apache-2.0
/** How runs are put into words: the same words as the command line's. */

import type { RunSummary, StepForecastView, StepRunView } from "../api/types";

/** A duration as people read it: `0.25 s`, `12.4 s`, `2 min 5 s`, `1 h 3 min`. */
export function secondsWords(seconds: number): string {
  if (seconds < 1) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const all = Math.floor(Math.round(seconds) / 60);
  const hours = Math.floor(all / 60);
  return hours ? `${hours} h ${all % 60} min` : `${all} min ${Math.round(seconds) % 60} s`;
}

/** A position in time: `00:31`, `1:02:03`. */
export function clockWords(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  const tail = two(whole % 60);
  if (minutes < 60) return `${two(minutes)}:${tail}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${tail}`;
}

/** A model's label with its path cut: `whisper.cpp base.en`. */
export function shortModel(label: string): string {
  const colon = label.indexOf(":");
  if (colon < 0) return label;
  const kind = label.slice(0, colon);
  let name = label.slice(colon + 1);
  if (["llama.cpp", "whisper.cpp", "custom"].includes(kind)) {
    name = name.slice(name.lastIndexOf("/") + 1);
    name = name.replace(/^ggml-/, "").replace(/\.(gguf|bin)$/, "");
  }
  return `${kind} ${name}`;
}

/** How far a step is: `00:31 / 02:04` for recordings, else `42 %`. */
export function progressWords(done: number, total: number, unit: string): string {
  if (unit === "s") return `${clockWords(done)} / ${clockWords(total)}`;
  const share = total > 0 ? done / total : 0;
  return `${Math.round(100 * Math.min(1, Math.max(0, share)))} %`;
}

/** Whether a number of things is one: `1 step`, `3 steps`. */
export function count(number: number, singular: string, plural = `${singular}s`): string {
  return `${number.toLocaleString("en")} ${number === 1 ? singular : plural}`;
}

/** When something was, from the view of `now`; both in seconds since 1970. */
export function momentWords(time: number, now: number): string {
  const ago = now - time;
  if (ago < 45) return "just now";
  if (ago < 90 * 60) return `${Math.max(1, Math.round(ago / 60))} min ago`;
  const when = new Date(time * 1000);
  const clock = when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const today = new Date(now * 1000).toDateString();
  if (when.toDateString() === today) return `today ${clock}`;
  if (new Date((now - 86400) * 1000).toDateString() === when.toDateString()) return `yesterday ${clock}`;
  return `${when.toLocaleDateString([], { day: "numeric", month: "short", year: "numeric" })} ${clock}`;
}

/** What the run button foretells: `3 will run, 2 cached`; "" if nothing is known. */
export function forecastWords(steps: readonly StepForecastView[]): string {
  const number = (status: StepForecastView["status"]) => steps.filter((each) => each.status === status).length;
  const parts: string[] = [];
  for (const status of ["will run", "cached", "pinned", "skipped", "blocked"] as const) {
    const many = number(status);
    if (many > 0) parts.push(`${many} ${status}`);
  }
  return parts.join(", ");
}

/** Why a step would run or not: the reason, and which things changed. */
export function whyWords(forecast: StepForecastView): string {
  const reason = forecast.reason;
  const changed = forecast.changed.filter((each) => !reason.includes(each));
  if (changed.length === 0) return reason;
  const words = `changed: ${changed.join(", ")}`;
  return reason ? `${reason} (${words})` : words;
}

const STATUS_WORDS: Record<RunSummary["status"], string> = {
  running: "running",
  done: "done",
  failed: "failed",
  cancelled: "stopped",
  interrupted: "interrupted",
};

/** How a run ended, in words. */
export function statusWords(summary: RunSummary): string {
  if (summary.paused_before.length > 0) return `paused before ${summary.paused_before.join(", ")}`;
  return STATUS_WORDS[summary.status];
}

/** How long a step took, and how fast its model wrote if that is known. */
export function paceWords(step: StepRunView & { pace?: number }): string {
  if (step.is_cached) return "cached";
  const parts = [secondsWords(step.seconds)];
  if (step.pace) parts.push(`${Math.round(step.pace)} tok/s`);
  if (step.attempts > 1) parts.push(`attempt ${step.attempts}`);
  return parts.join(" · ");
}
