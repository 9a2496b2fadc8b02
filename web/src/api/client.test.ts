// SPDX-License-Identifier: Apache-2.0
// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { api, ApiError, session } from "./client";

const KEY = "0123456789abcdef".repeat(4);
const SECRET = "what a person wrote";

interface Asked {
  target: string;
  body: string;
  token: string | null;
}

/** A server that answers everything, with the proof that `prove` makes of a nonce. */
function serve(prove: (nonce: string) => string | null | Promise<string>): Asked[] {
  const asked: Asked[] = [];
  vi.stubGlobal("fetch", async (target: string, init: RequestInit) => {
    const body = String(init.body ?? "");
    asked.push({ target, body, token: new Headers(init.headers).get("Authorization") });
    if (target === "/api/session") return Response.json({ token: "t", key: KEY });
    if (target !== "/api/proof") return Response.json({});
    const { nonce } = JSON.parse(body) as { nonce: string };
    return Response.json({ proof: await prove(nonce) });
  });
  return asked;
}

function cut(): void {
  vi.stubGlobal("fetch", async () => {
    throw new TypeError("refused");
  });
}

/** What `lao.server.tokens.Tokens.prove` makes. */
async function own(nonce: string): Promise<string> {
  const bytes = Uint8Array.from({ length: KEY.length / 2 }, (_, at) => parseInt(KEY.slice(2 * at, 2 * at + 2), 16));
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const made = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(nonce));
  return [...new Uint8Array(made)].map((each) => each.toString(16).padStart(2, "0")).join("");
}

beforeEach(async () => {
  serve(own);
  await session.begin("link");
});

afterEach(() => vi.unstubAllGlobals());

it("tells nothing to a stranger who took the port of a server that is gone", async () => {
  cut();
  await expect(api.post("/api/document/edits", { text: SECRET })).rejects.toMatchObject({ status: 0 });
  for (const proof of [() => null, () => "0".repeat(64), (nonce: string) => nonce]) {
    const asked = serve(proof);
    const failure = await api.post("/api/document/edits", { text: SECRET }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ApiError);
    expect(failure).toMatchObject({ status: 401, problems: [{ code: "page.another-server" }] });
    expect(asked.map((each) => each.target)).toEqual(["/api/proof"]);
    expect(asked.map((each) => each.token)).toEqual([null]);
    expect(JSON.stringify(asked)).not.toContain(SECRET);
  }
});

it("goes on with its own server after a break, which proves itself once", async () => {
  cut();
  await expect(api.get("/api/folder")).rejects.toMatchObject({ status: 0 });
  const asked = serve(own);
  await Promise.all([api.get("/api/folder"), api.get("/api/server")]);
  await api.post("/api/document/edits", { text: SECRET });
  const targets = asked.map((each) => each.target);
  expect(targets).toEqual(["/api/proof", "/api/folder", "/api/server", "/api/document/edits"]);
});

it("asks for no proof while nothing broke", async () => {
  const asked = serve(own);
  await api.get("/api/folder");
  expect(asked.map((each) => each.target)).toEqual(["/api/folder"]);
});
