// SPDX-License-Identifier: Apache-2.0
/** The one list of choices that can be open over the canvas or the list. */

import { createStore } from "../state/store";
import type { Searchable } from "./search";

export interface Choice extends Searchable {
  id: string;
  label: string;
  detail?: string;
  /** A type's chip behind the words. */
  type?: string | null;
  keys?: string;
  isChecked?: boolean;
  isDanger?: boolean;
  /** Why it cannot be chosen. */
  refusal?: string;
  run: () => void;
}

export interface Popup {
  /** In pixels of the window. */
  x: number;
  y: number;
  title: string;
  /** Said above the choices, such as why a connection was refused. */
  note?: string;
  tone?: "bad";
  hasFilter: boolean;
  /** What to say when there is nothing to choose. */
  empty?: string;
  choices: Choice[];
}

export const popup = createStore<Popup | null>(null);

let opener: Element | null = null;

export function openPopup(next: Popup): void {
  if (!popup.get()) opener = document.activeElement;
  popup.set(() => next);
}

/** Closes it; the focus goes back to where it was. */
export function closePopup(): void {
  if (!popup.get()) return;
  popup.set(() => null);
  if (opener instanceof HTMLElement && opener.isConnected) opener.focus({ preventScroll: true });
  opener = null;
}
