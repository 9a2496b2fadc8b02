// SPDX-License-Identifier: Apache-2.0
/** Which name or text is being written on the canvas or in the list. */

import { createStore } from "../state/store";

/** The step whose name is. */
export const renaming = createStore<string | null>(null);

/** The note or group whose text is. */
export const editingBox = createStore<string | null>(null);

/** The `ref` of a field that has the focus from the first: `autoFocus` is React's alone. */
export const takeFocus = (field: HTMLElement | null): void => field?.focus();
