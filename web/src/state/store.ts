// SPDX-License-Identifier: Apache-2.0
/** A value that components watch: the page's only kind of shared state. */

import { useCallback, useRef, useSyncExternalStore } from "react";

export interface Store<T> {
  get(): T;
  /** Replaces the value; nobody is told when `update` gives the same one back. */
  set(update: (old: T) => T): void;
  subscribe(listener: () => void): () => void;
}

export function createStore<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(update) {
      const next = update(value);
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** A part of a store; the component renders again only when `equal` says it differs. */
export function useStore<T, S>(
  store: Store<T>,
  selector: (value: T) => S,
  equal: (a: S, b: S) => boolean = Object.is,
): S {
  const last = useRef<{ value: S } | null>(null);
  const select = useCallback(() => {
    const next = selector(store.get());
    if (last.current && equal(last.current.value, next)) return last.current.value;
    last.current = { value: next };
    return next;
  }, [store, selector, equal]);
  return useSyncExternalStore(store.subscribe, select);
}

/** Equal if both have the same entries: for selectors that build objects or lists. */
export function shallowEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || !a || !b) return false;
  const left = Object.entries(a);
  if (left.length !== Object.keys(b).length) return false;
  return left.every(([key, value]) => key in b && Object.is(value, (b as Record<string, unknown>)[key]));
}
