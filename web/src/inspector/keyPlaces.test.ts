// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { keysAt } from "./keyPlaces";

const TEXT = `lao: 1
steps:
  - id: first
    # a comment
    prompt_template: |
      retry: this is text
      {{ missing }}
    options:
      temperature: hot
      seed: 1
    retry: { attempts: 3, backoff: soon }
  - { id: second, with: { text: "{{ x: y }}", style: odd } }
  - id: third
    input_transforms:
      - strip
      - truncate: -1
`;

test("a key of its own line", () => {
  expect(keysAt(TEXT, 3, 9, 20)).toEqual(["options", "temperature"]);
  expect(keysAt(TEXT, 3, 3, 9)).toEqual(["id"]);
});

test("a line of a block text belongs to the block's key, whatever it looks like", () => {
  expect(keysAt(TEXT, 3, 6, 14)).toEqual(["prompt_template"]);
  expect(keysAt(TEXT, 3, 7, 8)).toEqual(["prompt_template"]);
});

test("a key inside braces is found by the column", () => {
  const line = '    retry: { attempts: 3, backoff: soon }';
  expect(keysAt(TEXT, 3, 11, line.indexOf("soon") + 1)).toEqual(["retry", "backoff"]);
  expect(keysAt(TEXT, 3, 11, line.indexOf("3,") + 1)).toEqual(["retry", "attempts"]);
});

test("a step on one line", () => {
  const line = '  - { id: second, with: { text: "{{ x: y }}", style: odd } }';
  expect(keysAt(TEXT, 12, 12, line.indexOf("odd") + 1)).toEqual(["with", "style"]);
  expect(keysAt(TEXT, 12, 12, line.indexOf("{{ x") + 3)).toEqual(["with", "text"]);
});

test("elements of lists belong to the list's key", () => {
  expect(keysAt(TEXT, 13, 16, 19)).toEqual(["input_transforms", "truncate"]);
  expect(keysAt(TEXT, 13, 15, 9)).toEqual(["input_transforms"]);
});

test("a place outside the step is in none of its keys", () => {
  expect(keysAt(TEXT, 13, 2, 1)).toEqual([]);
});
