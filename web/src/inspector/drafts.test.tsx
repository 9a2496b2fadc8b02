// SPDX-License-Identifier: Apache-2.0
// @vitest-environment happy-dom
import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Draft, flushDrafts, type Send, useDraft } from "./drafts";

let root: Root;
let draft: Draft;

function Probe({ shown, send }: { shown: string; send: Send }) {
  draft = useDraft(shown, send);
  return null;
}

function render(shown: string, send: Send): void {
  act(() => root.render(<Probe shown={shown} send={send} />));
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  root = createRoot(document.createElement("div"));
});

afterEach(() => {
  act(() => root.unmount());
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const accepted = () => vi.fn<Send>(() => Promise.resolve([]));

test("keys are sent together, a moment after the last one", () => {
  const send = accepted();
  render("", send);
  for (const text of ["a", "ab", "abc"]) {
    act(() => draft.change(text));
    act(() => void vi.advanceTimersByTime(300));
  }
  expect(send).not.toHaveBeenCalled();
  act(() => void vi.advanceTimersByTime(300));
  expect(send.mock.calls).toEqual([["abc"]]);
});

test("what is typed and not yet sent goes out when the field goes away", () => {
  const send = accepted();
  render("", send);
  act(() => draft.change("typed"));
  act(() => root.render(null));
  expect(send.mock.calls).toEqual([["typed"]]);
});

test("what is typed goes out before a shortcut", () => {
  const send = accepted();
  render("", send);
  act(() => draft.change("typed"));
  act(() => flushDrafts());
  expect(send.mock.calls).toEqual([["typed"]]);
  act(() => flushDrafts());
  expect(send).toHaveBeenCalledTimes(1);
});

test("a text that is no value is kept, said, and not sent", () => {
  const send = vi.fn<Send>((text) => `"${text}" is not a number`);
  render("1", send);
  act(() => draft.choose("x"));
  expect([draft.text, draft.why]).toEqual(["x", '"x" is not a number']);
});

test("a refused text stays in the field and is tried again", async () => {
  const problem = { code: "c", what: "no", mend: "wait", line: 0, column: 0, step: "", severity: "problem" as const };
  const send = vi.fn<Send>(() => Promise.resolve([problem]));
  render("1", send);
  await act(async () => draft.choose("2"));
  expect([draft.text, draft.why]).toEqual(["2", "no; wait"]);
  await act(async () => flushDrafts());
  expect(send).toHaveBeenCalledTimes(2);
});

test("keys typed while the last ones are on their way are not lost", async () => {
  let answer = (_: never[]) => {};
  const send = vi.fn<Send>(() => new Promise((done) => (answer = done)));
  render("", send);
  act(() => draft.choose("a"));
  act(() => draft.change("ab"));
  await act(async () => answer([]));
  render("a", send);
  expect(draft.text).toBe("ab");
});

test("a change from elsewhere is shown in a field that nobody types in", () => {
  const send = accepted();
  render("old", send);
  render("new", send);
  expect(draft.text).toBe("new");
});

test("going back forgets what was typed", () => {
  const send = accepted();
  render("old", send);
  act(() => draft.change("typed"));
  act(() => draft.reset());
  act(() => void vi.advanceTimersByTime(1000));
  expect([draft.text, send.mock.calls.length]).toEqual(["old", 0]);
});
