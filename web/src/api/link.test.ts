// SPDX-License-Identifier: Apache-2.0
// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";

import { takeLink } from "./link";

describe("a one-time link", () => {
  it("gives its token and file, and leaves neither in the address bar", () => {
    history.replaceState(null, "", "/#token=abc-_1&file=notes%2Fa%20b.yaml");
    expect(takeLink()).toEqual({ token: "abc-_1", file: "notes/a b.yaml" });
    expect(location.href.endsWith("/")).toBe(true);
    expect(takeLink()).toEqual({ token: null, file: null });
  });
});
