// SPDX-License-Identifier: Apache-2.0
/** Looking names up that a file chose: a step may be called "constructor". */

/** The entry of that name, never what every object inherits. */
export function own<T>(record: Readonly<Record<string, T>> | null | undefined, name: string): T | undefined {
  return record && Object.hasOwn(record, name) ? record[name] : undefined;
}
