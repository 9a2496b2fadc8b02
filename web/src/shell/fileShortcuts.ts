// SPDX-License-Identifier: Apache-2.0
/** What the keyboard does to files and to the page as a whole. */

import { redo, save, undo } from "../state/documents";
import { prefer, preferences } from "../state/preferences";
import { workspace, stepTab } from "../state/workspace";
import { openDialog } from "./dialogs";
import { nextProblem } from "./problems";
import { nextRegion } from "./regions";
import { useShortcuts } from "./shortcuts";

const VIEWS = ["graph", "list", "text"] as const;

export function useFileShortcuts(): void {
  const withActive = (act: (path: string) => unknown) => (): void => {
    const { active } = workspace.get();
    if (active !== null) void act(active);
  };
  useShortcuts({
    open: () => openDialog("open"),
    save: withActive(save),
    "save-as": withActive(() => openDialog("save-as")),
    "next-tab": () => stepTab(1),
    "previous-tab": () => stepTab(-1),
    undo: withActive(undo),
    redo: withActive(redo),
    view: withActive(() => {
      const index = VIEWS.indexOf(preferences.get().view);
      prefer({ view: VIEWS[(index + 1) % VIEWS.length] ?? "graph" });
    }),
    problems: withActive(nextProblem),
    log: () => prefer({ logOpen: !preferences.get().logOpen }),
    "next-region": (event) => nextRegion(event.shiftKey),
    help: () => openDialog("help"),
  });
}
