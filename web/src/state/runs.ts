// SPDX-License-Identifier: Apache-2.0
/** The runs of the open files, for the rest of the page. The parts are in runs/. */

export { applyMessage, fold, type Run, type StepRun } from "../runs/fold";
export { findRuns, leaveRuns, runChanged } from "../runs/following";
export { askInputs, cancelRun, startRun, toggleBreakpoint, togglePin } from "../runs/starting";
export {
  isRunning,
  runs,
  runsOf,
  shownRun,
  useIsRunning,
  useRuns,
  useStepForecast,
  useStepRun,
  type FileRuns,
  type RunChoice,
} from "../runs/store";
