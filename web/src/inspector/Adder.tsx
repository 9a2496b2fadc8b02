// SPDX-License-Identifier: Apache-2.0
/** Adds a thing by its name. */

import { type FormEvent, useId, useState } from "react";
import type { ProblemView } from "../api/types";
import { Icon } from "../shell/Icon";
import { nameProblem } from "./renaming";

export interface AdderProps {
  label: string;
  placeholder: string;
  taken: readonly string[];
  /** Dashes and dots may be in the name, since no template reads it. */
  isLabel?: boolean;
  onAdd: (name: string) => Promise<ProblemView[]>;
}

export function Adder({ label, placeholder, taken, isLabel = false, onAdd }: AdderProps) {
  const id = useId();
  const [name, setName] = useState("");
  const [why, setWhy] = useState("");
  const add = (event: FormEvent) => {
    event.preventDefault();
    const asked = name.trim();
    if (!asked) return;
    const problem = nameProblem(isLabel ? asked.replace(/[.-]/g, "_") : asked, taken) || (taken.includes(asked) ? `there is already a ${asked}` : "");
    if (problem) return setWhy(problem);
    void onAdd(asked).then((problems) => {
      setWhy(problems[0]?.what ?? "");
      if (!problems.length) setName("");
    });
  };
  return (
    <form className="inspector-adder" onSubmit={add}>
      <label htmlFor={id} className="unseen">{`${label}: its name`}</label>
      <input id={id} className="field mono" placeholder={placeholder} value={name} spellCheck={false} autoComplete="off" aria-invalid={why !== "" || undefined} aria-describedby={`${id}-why`} onChange={(event) => {
        setName(event.target.value);
        setWhy("");
      }} />
      <button type="submit" className="button"><Icon name="add" size={14} />{label}</button>
      <p id={`${id}-why`} className="inspector-problem" role="status">{why}</p>
    </form>
  );
}
