// SPDX-License-Identifier: Apache-2.0
/** What an input's node shows of the run on the graph: the value that was given. */

import { ValuePreview } from "../values/ValuePreview";
import { shownRun, useRuns } from "./store";
import "./runs.css";
import { own } from "../state/own";

export function InputBody({ path, input }: { path: string; input: string }) {
  const value = useRuns(path, (file) => own(shownRun(file)?.inputs, input));
  const run = useRuns(path, (file) => shownRun(file)?.summary.id);
  if (!value || value.kind === "none") return null;
  return (
    <div className={`run-given nodrag ${value.kind}`}>
      <ValuePreview value={value} name={`inputs.${input}`} run={run} isSmall />
    </div>
  );
}
