// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { fieldNames, parseSchema } from "./schema";

const why = (text: string) => {
  const read = parseSchema(text);
  return "why" in read ? read.why : "";
};

test("the short form is kept as it was typed", () => {
  const text = "name, age int, tags [str]: what it is about";
  expect(parseSchema(text)).toEqual({ value: text });
  expect(parseSchema("a str: one, two\nb date\n")).toEqual({ value: "a str: one, two\nb date\n" });
});

test("the short form's mistakes are said", () => {
  expect(why("name, age integer")).toContain('no type "integer"');
  expect(why("name, name")).toContain("twice");
  expect(why("first name last")).toContain("is not a field");
});

test("a JSON schema becomes a value, and its mistakes are said with their place", () => {
  expect(parseSchema('{"type": "object"}')).toEqual({ value: { type: "object" } });
  expect(why('{"type": ')).toContain("not JSON");
  expect(why('{"type": "str"}')).toContain('no type "str"');
  expect(why('{"properties": {"a": {"items": {"type": "text"}}}}')).toContain("/a/items");
  expect(why('{"required": "a"}')).toContain("list of names");
});

test("nothing takes the schema away", () => {
  expect(parseSchema("  ")).toEqual({ value: undefined });
});

test("templates can read the fields of both forms", () => {
  expect(fieldNames("name, tags [str]")).toEqual(["name", "tags"]);
  expect(fieldNames({ type: "object", properties: { a: {}, b: {} } })).toEqual(["a", "b"]);
  expect(fieldNames(undefined)).toEqual([]);
});
