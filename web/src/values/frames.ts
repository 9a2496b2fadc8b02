// SPDX-License-Identifier: Apache-2.0
/** Work that is done once in the next frame, however often it is asked for. */

/** What it returns is done when all other work of the frame is. */
type Work = () => (() => void) | void;

const due = new Set<Work>();

/** Runs `work` in the next frame; asking again before then changes nothing. */
export function inNextFrame(work: Work): void {
  if (!due.size) requestAnimationFrame(run);
  due.add(work);
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
