// SPDX-License-Identifier: Apache-2.0
// @vitest-environment happy-dom
import { afterEach, describe, expect, it, vi } from "vitest";

import { session } from "./client";
import { events, follow } from "./stream";

function bytes(...parts: string[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(encoder.encode(part));
      controller.close();
    },
  });
}

async function all(stream: ReadableStream<Uint8Array>): Promise<string[]> {
  const found: string[] = [];
  for await (const each of events(stream)) found.push(each);
  return found;
}

describe("a stream of events", () => {
  it("is read whole however the network cuts it", async () => {
    const parts = [...'id: 1\ndata: {"a":\ndata: 1}\n\n: still here\n\ndata:x\r\n\r\n'];
    expect(await all(bytes(...parts))).toEqual(['{"a":\n1}', "x"]);
  });

  it("keeps a letter of several bytes in one piece", async () => {
    const [first, second] = [new Uint8Array([100, 97, 116, 97, 58, 0xc3]), new Uint8Array([0xa9, 10, 10])];
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(first);
        controller.enqueue(second);
        controller.close();
      },
    });
    expect(await all(stream)).toEqual(["é"]);
  });

  it("drops an event that was cut off", async () => {
    expect(await all(bytes("data: 1\n\ndata: 2\n"))).toEqual(["1"]);
  });
});

describe("following", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  it("goes on after the last message when the stream breaks, and gives none twice", async () => {
    vi.useFakeTimers();
    const asked: string[] = [];
    const answers = ['data: {"sequence":1}\n\ndata: {"sequence":2}\n\n', 'data: {"sequence":2}\n\ndata: {"sequence":3}\n\n'];
    const abort = new AbortController();
    vi.stubGlobal("fetch", async (target: string) => {
      asked.push(target);
      const answer = answers.shift();
      if (answer === undefined) throw new TypeError("refused");
      return new Response(bytes(answer));
    });
    const heard: number[] = [];
    const states: string[] = [];
    const end = follow<{ sequence: number }>("/api/events", {}, ({ sequence }) => heard.push(sequence), abort.signal, {
      onState: (state) => states.push(state),
    });
    await vi.advanceTimersByTimeAsync(900);
    abort.abort();
    await vi.advanceTimersByTimeAsync(10);
    await end;
    expect(heard).toEqual([1, 2, 3]);
    expect(asked.slice(0, 3)).toEqual(["/api/events?after=0", "/api/events?after=2", "/api/events?after=3"]);
    expect(states.slice(0, 4)).toEqual(["live", "lost", "live", "lost"]);
  });

  it("holds no stream in a tab that nobody sees, and goes on where it was once it is seen", async () => {
    const asked: string[] = [];
    const stopped: boolean[] = [];
    vi.stubGlobal("fetch", async (target: string, { signal }: RequestInit) => {
      asked.push(target);
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(`data: {"sequence":${asked.length}}\n\n`));
          signal?.addEventListener("abort", () => {
            stopped.push(true);
            controller.error(signal.reason);
          });
        },
      });
      return new Response(body);
    });
    const abort = new AbortController();
    const heard: number[] = [];
    const states: string[] = [];
    const onState = (state: string): number => states.push(state);
    const end = follow<{ sequence: number }>("/api/events", {}, ({ sequence }) => heard.push(sequence), abort.signal, { onState });
    await vi.waitFor(() => expect(heard).toEqual([1]));
    show(false);
    await vi.waitFor(() => expect(stopped).toEqual([true]));
    expect(asked).toHaveLength(1);
    show(true);
    await vi.waitFor(() => expect(heard).toEqual([1, 2]));
    abort.abort();
    await end;
    expect(asked).toEqual(["/api/events?after=0", "/api/events?after=1"]);
    expect(states).toEqual(["live", "live"]);
  });

  it("has whoever answers after a break prove to be the same server", async () => {
    const doubt = vi.spyOn(session, "doubt");
    vi.stubGlobal("fetch", async () => new Response(bytes("")));
    const onState = (state: string): void => {
      if (state === "lost") stop.abort();
    };
    const stop = new AbortController();
    await follow("/api/events", {}, () => undefined, stop.signal, { onState });
    expect(doubt).toHaveBeenCalled();
  });

  it("stops where the server refuses the token", async () => {
    vi.stubGlobal("fetch", async () => new Response('{"problems":[]}', { status: 401 }));
    const states: string[] = [];
    const onState = (state: string): number => states.push(state);
    await follow("/api/events", {}, () => undefined, new AbortController().signal, { onState });
    expect(states).toEqual(["refused"]);
  });
});

function show(isShown: boolean): void {
  Object.defineProperty(document, "hidden", { value: !isShown, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}
