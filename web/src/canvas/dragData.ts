// SPDX-License-Identifier: Apache-2.0
/** What the palette's entries carry while they are dragged: an entry's id, or an input's type. */

export const ENTRY_DATA = "application/x-lao-entry";
export const INPUT_DATA = "application/x-lao-input";
