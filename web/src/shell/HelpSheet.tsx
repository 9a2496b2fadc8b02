// SPDX-License-Identifier: Apache-2.0
/** All keyboard shortcuts, from their one table. */

import { Fragment } from "react";

import { Dialog } from "./Dialog";
import { closeDialog } from "./dialogs";
import { keysOf, SHORTCUTS, type ShortcutId } from "./shortcuts";
import "./HelpSheet.css";

const GROUPS = ["Canvas", "Edit", "Run", "File", "Page"] as const;

export function HelpSheet() {
  const ids = Object.keys(SHORTCUTS) as ShortcutId[];
  return (
    <Dialog title="Keyboard" size="large" onClose={closeDialog}>
      <div className="help" role="group" aria-label="All keys" tabIndex={0}>
        {GROUPS.map((group) => (
          <section key={group} aria-label={group}>
            <h3>{group}</h3>
            <dl>
              {ids
                .filter((id) => SHORTCUTS[id].group === group)
                .map((id) => (
                  <Fragment key={id}>
                    <dt>
                      {keysOf(id).map((keys) => (
                        <kbd key={keys}>{keys}</kbd>
                      ))}
                    </dt>
                    <dd>{SHORTCUTS[id].what}</dd>
                  </Fragment>
                ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
