// SPDX-License-Identifier: Apache-2.0
import "./types.css";
import { typeClass, typeWord } from "./types";

/** A type's name in its colour. */
export function TypeChip({ type }: { type: string | null | undefined }) {
  return <span className={`type-chip ${typeClass(type)}`}>{typeWord(type)}</span>;
}
