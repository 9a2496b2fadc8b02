// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";

import { createStore, shallowEqual } from "./store";

describe("a store", () => {
  it("tells its listeners of a new value, and of nothing else", () => {
    const store = createStore({ n: 1 });
    let told = 0;
    const stop = store.subscribe(() => (told += 1));
    store.set((old) => old);
    store.set((old) => ({ n: old.n + 1 }));
    stop();
    store.set(() => ({ n: 9 }));
    expect([told, store.get().n]).toEqual([1, 9]);
  });

  it("compares one level deep", () => {
    expect(shallowEqual([1, 2], [1, 2])).toBe(true);
    expect(shallowEqual({ a: 1 }, { a: 1, b: 2 })).toBe(false);
    expect(shallowEqual({ a: undefined }, { b: undefined })).toBe(false);
  });
});
