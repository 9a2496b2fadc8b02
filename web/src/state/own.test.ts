// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";

import { own } from "./own";

it("finds what a record has, and nothing that every object inherits", () => {
  const record = JSON.parse('{"a": 1, "__proto__": 2}') as Record<string, number>;
  expect(own(record, "a")).toBe(1);
  expect(own(record, "__proto__")).toBe(2);
  for (const name of ["constructor", "toString", "valueOf", "hasOwnProperty"]) expect(own(record, name)).toBeUndefined();
  expect(own({}, "__proto__")).toBeUndefined();
  expect(own(null, "a")).toBeUndefined();
});
