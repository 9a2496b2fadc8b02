// SPDX-License-Identifier: Apache-2.0
/** What the kernel enforces: one line in the header, the proof behind it. */

import { useLayoutEffect, useRef, useState } from "react";

import type { JsonValue, LocalityView } from "../api/types";
import { useStore } from "../state/store";
import { refreshServer, workspace } from "../state/workspace";
import { Icon } from "./Icon";
import "./LockIndicator.css";

/** What each layer of lao/isolation keeps a process from. */
const LAYERS: Readonly<Record<string, string>> = {
  seccomp: "System calls: only those of a list; no socket to the outside",
  landlock: "Files and ports: only those that are named",
  namespaces: "Worker's network: none, not even loopback",
  no_new_privs: "No program gains rights",
  no_capabilities: "No rights of an administrator",
  undumpable: "No other process reads its memory",
  pdeathsig: "Workers die with their parent",
  rlimits: "Limits: processes, files, memory dumps",
  gpu: "A graphics card is in reach",
};

export function LockIndicator() {
  const locality = useStore(workspace, (each) => each.server?.locality ?? null);
  const isLive = useStore(workspace, (each) => each.connection === "live" || each.connection === "connecting");
  const [isOpen, setOpen] = useState(false);
  const anchor = useRef<HTMLSpanElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    if (!isOpen) return;
    void refreshServer();
    const press = (event: PointerEvent): void => {
      if (!anchor.current?.contains(event.target as Node)) setOpen(false);
    };
    window.addEventListener("pointerdown", press, true);
    return () => window.removeEventListener("pointerdown", press, true);
  }, [isOpen]);
  if (!locality) return null;
  const tone = !isLive ? "stale" : !locality.is_enforced ? "bad" : locality.attempts ? "warn" : "good";
  return (
    <span
      ref={anchor}
      className="lock-anchor"
      onKeyDown={(event) => {
        if (!isOpen || event.key !== "Escape") return;
        event.stopPropagation();
        setOpen(false);
        button.current?.focus();
      }}
    >
      <button
        ref={button}
        type="button"
        className={`lock ${tone}`}
        aria-expanded={isOpen}
        title={isLive ? "What is enforced, and how" : "What was enforced when the server last answered"}
        onClick={() => setOpen((old) => !old)}
      >
        <Icon name={locality.is_enforced ? "lock" : "unlock"} size={14} />
        <span className="lock-attempts">{attemptWords(locality)}</span>
        <span className="lock-enforced">{enforcementWords(locality)}</span>
      </button>
      {isOpen ? <Details locality={locality} /> : null}
    </span>
  );
}

export function attemptWords({ attempts, is_enforced }: LocalityView): string {
  if (!is_enforced) return "outside connections possible";
  if (attempts === 0) return "0 outside connections";
  return attempts === 1 ? "1 attempt stopped" : `${attempts} attempts stopped`;
}

function enforcementWords({ is_enforced }: LocalityView): string {
  return is_enforced ? "kernel-enforced" : "not enforced";
}

function reportedWords({ attempts, is_enforced }: LocalityView): string {
  if (!is_enforced) return "Unknown: without a lock nobody would notice them.";
  return attempts === 0 ? "None was reported since the start." : `${attempts} stopped since the start; the run log names them.`;
}

function Details({ locality }: { locality: LocalityView }) {
  const layers = Object.entries(locality.layers);
  return (
    <div className="lock-details scroll" role="group" aria-label="What is enforced">
      <h2 className={locality.is_enforced ? "good" : "bad"}>
        <Icon name={locality.is_enforced ? "lock" : "unlock"} /> {locality.level} {locality.name}
      </h2>
      <p>{locality.words}</p>
      <h3>Outside connections attempted</h3>
      <p className={locality.attempts || !locality.is_enforced ? "bad" : ""}>{reportedWords(locality)}</p>
      <h3>Proved by this server's own self-check</h3>
      {layers.length === 0 ? <p className="muted">Nothing.</p> : null}
      <ul className="lock-layers">
        {layers.map(([name, value]) => (
          <li key={name}>
            <Icon name={isProved(value) ? "check" : "close"} size={13} label={isProved(value) ? "proved" : "not proved"} />
            <span>
              {LAYERS[name] ?? name}
              <span className="muted mono"> {proofWords(name, value)}</span>
            </span>
          </li>
        ))}
      </ul>
      <h3>Model servers in reach</h3>
      {locality.endpoints.length === 0 ? (
        <p className="muted">{locality.is_enforced ? "None: models run in locked workers." : "None is named; nothing keeps others out of reach."}</p>
      ) : (
        <ul className="mono">
          {locality.endpoints.map((each) => (
            <li key={each}>{each}</li>
          ))}
        </ul>
      )}
    </div>
  );
}

export function isProved(value: JsonValue): boolean {
  return value !== false && value !== null && value !== 0 && !(Array.isArray(value) && value.length === 0);
}

function proofWords(name: string, value: JsonValue): string {
  if (typeof value === "boolean" || value === null) return name;
  return `${name} ${Array.isArray(value) ? value.join(", ") : typeof value === "object" ? Object.keys(value).join(", ") : value}`;
}
