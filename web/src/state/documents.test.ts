// SPDX-License-Identifier: Apache-2.0
// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from "vitest";

import type { DocumentView, EditsRequest } from "../api/types";
import { documents, edit, progress, resumeAll, tryEdit, undo } from "./documents";
import { toasts } from "../shell/toasts";
import { workspace } from "./workspace";

let PATH = "";
let count = 0;

function view(version: number, more: Partial<DocumentView> = {}): DocumentView {
  return {
    path: PATH, version, text: `text ${version}`, name: "a", description: "", is_saved: true, is_conflicting: false,
    read_only: "", undo: null, redo: null, inputs: [], steps: [], edges: [], boxes: [], outputs: [], models: {}, problems: [],
    ...more,
  };
}

type Answer = (body: EditsRequest) => Response;

/** A server that gives one answer after the other, and remembers what it was asked. */
function server(...answers: Answer[]): EditsRequest[] {
  const asked: EditsRequest[] = [];
  vi.stubGlobal("fetch", async (_target: string, init: RequestInit) => {
    const body = JSON.parse(String(init.body ?? "{}")) as EditsRequest;
    asked.push(body);
    const answer = answers.shift();
    if (!answer) throw new TypeError("no answer");
    return answer(body);
  });
  return asked;
}

const json = (body: object, status = 200): Response => new Response(JSON.stringify(body), { status });
const done = (version: number, created: string[] = []): Answer => () => json({ document: view(version), created });
const stale = (version: number): Answer => () => json({ problems: [{ what: "stale" }], document: view(version) }, 409);

beforeEach(() => {
  PATH = `${(count += 1)}.yaml`;
  documents.set(() => ({ [PATH]: view(1) }));
  progress.set(() => ({}));
  toasts.set(() => []);
  workspace.set((old) => ({ ...old, connection: "live" }));
});

/** Sends an edit to a server that is away. In an object, for a promise would be awaited. */
async function loseAnEdit(): Promise<{ settled: ReturnType<typeof tryEdit>; asked: EditsRequest[] }> {
  const asked = server();
  const settled = tryEdit(PATH, "Move step", [{ kind: "remove-step", id: "b" }]);
  await vi.waitFor(() => expect(progress.get()[PATH]?.unsent).toEqual(["Move step"]));
  return { settled, asked };
}

describe("edits of a file", () => {
  it("go one after the other, each for the version that the last one made", async () => {
    const asked = server(done(2, ["s1"]), done(3));
    const both = [edit(PATH, "Add", [{ kind: "insert", entry: "x" }]), edit(PATH, "Remove", [{ kind: "remove-step", id: "b" }])];
    expect(await Promise.all(both)).toEqual([["s1"], []]);
    expect(asked.map((each) => each.version)).toEqual([1, 2]);
    expect(documents.get()[PATH]?.version).toBe(3);
  });

  it("are sent again for the newer version when the file changed elsewhere", async () => {
    const asked = server(stale(7), done(8));
    expect(await tryEdit(PATH, "Remove", [{ kind: "remove-step", id: "b" }])).toEqual({ created: [], problems: [] });
    expect(asked.map((each) => each.version)).toEqual([1, 7]);
  });

  it("of the whole text are not: they would take back what was changed elsewhere", async () => {
    const asked = server(stale(7));
    const { problems } = await tryEdit(PATH, "Type", [{ kind: "set-text", text: "mine" }]);
    expect(problems).toHaveLength(1);
    expect(asked).toHaveLength(1);
    expect(documents.get()[PATH]?.version).toBe(7);
  });

  it("that are refused for another reason are told, and not repeated", async () => {
    const refusal: Answer = () => json({ problems: [{ what: "no such step", mend: "" }], document: null }, 422);
    const asked = server(refusal);
    expect(await edit(PATH, "Remove", [{ kind: "remove-step", id: "b" }])).toEqual([]);
    expect(asked).toHaveLength(1);
    expect(toasts.get()[0]?.text).toBe("no such step");
  });

  it("are not sent for a file that cannot be changed, or while no server answers", async () => {
    const asked = server();
    documents.set(() => ({ [PATH]: view(1, { read_only: "a newer format" }) }));
    expect((await tryEdit(PATH, "x", [])).problems[0]?.code).toBe("page.read-only");
    documents.set(() => ({ [PATH]: view(1) }));
    workspace.set((old) => ({ ...old, connection: "lost" }));
    expect((await tryEdit(PATH, "x", [])).problems[0]?.code).toBe("page.server-away");
    expect(asked).toHaveLength(0);
  });

  it("that got no answer are kept, shown, and sent when the server is back", async () => {
    const outcome = await loseAnEdit();
    expect(workspace.get().connection).toBe("lost");
    const asked = server(() => json(view(1)), done(2, ["s1"]));
    await resumeAll();
    expect(await outcome.settled).toEqual({ created: ["s1"], problems: [] });
    expect(asked).toHaveLength(2);
    expect(progress.get()[PATH]?.unsent).toEqual([]);
  });

  it("keep their key, by which a server knows those that it heard after all", async () => {
    const { settled, asked } = await loseAnEdit();
    const again = server(() => json(view(2, { undo: "Move step" })), done(2));
    await resumeAll();
    expect((await settled).problems).toEqual([]);
    expect(again[1]?.key).toBe(asked[0]?.key);
    expect(asked[0]?.key).not.toBe("");
  });
});

describe("an older answer", () => {
  it("does not replace a newer one", async () => {
    server(done(1));
    documents.set(() => ({ [PATH]: view(5) }));
    await tryEdit(PATH, "x", [{ kind: "remove-step", id: "b" }]);
    expect(documents.get()[PATH]?.version).toBe(5);
  });
});

describe("undo", () => {
  it("is not repeated for a version that nobody looked at", async () => {
    const asked = server(stale(7));
    expect(await undo(PATH)).toBe(false);
    expect(asked).toHaveLength(1);
  });
});

it("a file is loaded as soon as it is shown and there is a session, and again when it is shown again", async () => {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (target: string) => {
    asked.push(target);
    return json(view(asked.length));
  });
  documents.set(() => ({}));
  const show = (active: string | null, hasSession: boolean): void => workspace.set((old) => ({ ...old, active, hasSession }));
  show(PATH, false);
  expect(asked).toEqual([]);
  show(PATH, true);
  await vi.waitFor(() => expect(documents.get()[PATH]?.version).toBe(1));
  show(null, true);
  show(PATH, true);
  await vi.waitFor(() => expect(documents.get()[PATH]?.version).toBe(2));
  show(null, false);
  expect(asked).toHaveLength(2);
});
