// SPDX-License-Identifier: Apache-2.0
/** Which of the shell's dialogs is open. */

import { createStore } from "../state/store";

export type DialogName = "open" | "new" | "save-as" | "help" | "merge" | "revert";

export const dialogs = createStore<{ open: DialogName | null }>({ open: null });

export function openDialog(name: DialogName): void {
  dialogs.set(() => ({ open: name }));
}

export function closeDialog(): void {
  dialogs.set((old) => (old.open === null ? old : { open: null }));
}
