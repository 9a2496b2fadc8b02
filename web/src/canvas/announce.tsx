// SPDX-License-Identifier: Apache-2.0
/** Says what happened, for those who do not see it. */

import { createStore, useStore } from "../state/store";

const said = createStore({ text: "", count: 0 });

export function announce(text: string): void {
  said.set((old) => ({ text, count: old.count + 1 }));
}

/** Where screen readers listen. The same words twice are said twice: they alternate between two places. */
export function Announcer() {
  const { text, count } = useStore(said, (value) => value);
  return (
    <>
      <div className="unseen" role="status" aria-live="polite">
        {count % 2 === 0 ? text : ""}
      </div>
      <div className="unseen" role="status" aria-live="polite">
        {count % 2 === 1 ? text : ""}
      </div>
    </>
  );
}
