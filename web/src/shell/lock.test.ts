// SPDX-License-Identifier: Apache-2.0
// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";

import type { LocalityView } from "../api/types";
import { attemptWords, isProved } from "./LockIndicator";

const sealed: LocalityView = { level: "L3", name: "sealed", words: "", is_enforced: true, layers: {}, endpoints: [], attempts: 0 };

describe("the lock", () => {
  it("counts what was stopped, and claims nothing where nothing is enforced", () => {
    expect(attemptWords(sealed)).toBe("0 outside connections");
    expect(attemptWords({ ...sealed, attempts: 3 })).toBe("3 attempts stopped");
    expect(attemptWords({ ...sealed, is_enforced: false })).toBe("outside connections possible");
  });

  it("calls a layer proved only if the self-check read it back", () => {
    expect([true, 7, ["CORE"], "x"].map(isProved)).toEqual([true, true, true, true]);
    expect([false, null, 0, []].map(isProved)).toEqual([false, false, false, false]);
  });
});
