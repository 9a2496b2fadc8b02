// SPDX-License-Identifier: Apache-2.0
/** A field's frame: its label, what it is, and what is wrong with it. */

import { type ReactNode, useId } from "react";
import type { ProblemView } from "../api/types";
import { Words } from "../shell/Words";

/** What ties an input to its label and to the words below it. */
export interface FieldIds {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": true | undefined;
}

export interface FieldProps {
  label: string;
  about?: string | undefined;
  /** Why what was typed is no value. */
  why?: string;
  problems?: readonly ProblemView[];
  isHalf?: boolean;
  isRequired?: boolean;
  /** Beside the label, at its end. */
  aside?: ReactNode;
  children: (ids: FieldIds) => ReactNode;
}

export function Field({ label, about, why = "", problems = [], isHalf = false, isRequired = false, aside, children }: FieldProps) {
  const id = useId();
  const isBad = why !== "" || problems.some((problem) => problem.severity === "problem");
  const hasWords = Boolean(about) || why !== "" || problems.length > 0;
  return (
    <div className={isHalf ? "inspector-field is-half" : "inspector-field"}>
      <div className="inspector-label">
        <label htmlFor={id}>
          {label}
          {isRequired && <span className="inspector-required" title="required"> *</span>}
        </label>
        {aside}
      </div>
      {children({ id, "aria-describedby": hasWords ? `${id}-words` : undefined, "aria-invalid": isBad || undefined })}
      <div id={`${id}-words`}>
        {why && <p className="inspector-problem" role="status">{why}</p>}
        {problems.map((problem, index) => (
          <ProblemWords key={`${problem.code} ${index}`} problem={problem} />
        ))}
        {about && !isBad && <p className="inspector-about">{about}</p>}
      </div>
    </div>
  );
}

export function ProblemWords({ problem }: { problem: ProblemView }) {
  return (
    <p className={problem.severity === "note" ? "inspector-problem is-note" : "inspector-problem"}>
      <Words text={problem.what} />
      {problem.mend && <span className="inspector-mend"><Words text={problem.mend} /></span>}
    </p>
  );
}
