// SPDX-License-Identifier: Apache-2.0
import type { ProblemView } from "../api/types";
import { Icon } from "../shell/Icon";
import { Words } from "../shell/Words";
import { reveal } from "../state/selection";
import { visible } from "../values/signs";

/** A problem in words: what, where, how to mend it, and its code to look up. */
export function Problem({ problem }: { problem: ProblemView }) {
  const { step } = problem;
  return (
    <div className="run-problem">
      <Icon name="alert" size={14} />
      <div>
        <p>
          <Words text={visible(problem.what)} />
        </p>
        {problem.mend ? <p className="run-mend"><Words text={visible(problem.mend)} /></p> : null}
        <p className="run-code">
          {problem.code}
          {problem.line ? ` · line ${problem.line}` : ""}
          {step ? (
            <button type="button" className="run-link" onClick={() => reveal([step])}>
              show {step}
            </button>
          ) : null}
        </p>
      </div>
    </div>
  );
}
