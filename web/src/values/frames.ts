// SPDX-License-Identifier: Apache-2.0
/** Work that is done once in the next frame, however often it is asked for. */

/** What it returns is done when all other work of the frame is. */
type Work = () => (() => void) | void;

const due = new Set<Work>();
/** Frames that pass before work is done, so that what moves has more of them. */
const WHILE_BUSY = 3;
let isBusy = false;

/** Runs `work` in the next frame; asking again before then changes nothing. */
export function inNextFrame(work: Work): void {
  if (!due.size) wait(isBusy ? WHILE_BUSY : 1);
  due.add(work);
}

/** While the canvas moves, what comes from elsewhere is shown in every third frame. */
export function keepFramesFree(isKept: boolean): void {
  isBusy = isKept;
}

function wait(frames: number): void {
  requestAnimationFrame(frames > 1 ? () => wait(frames - 1) : run);
}

export function notInNextFrame(work: Work): void {
  due.delete(work);
}

function run(): void {
  const now = [...due];
  due.clear();
  const after = now.map((work) => work());
  for (const work of after) work?.();
}
