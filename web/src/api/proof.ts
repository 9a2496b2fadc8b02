// SPDX-License-Identifier: Apache-2.0
/** By what a page knows its server again: the HMAC of a text that was never used before. */

/** Whether who answers `ask` holds the key. Throws what `ask` throws where nobody answers. */
export async function holds(key: string, ask: (nonce: string) => Promise<unknown>): Promise<boolean> {
  const nonce = hex(crypto.getRandomValues(new Uint8Array(32)));
  let reply: unknown;
  try {
    reply = await ask(nonce);
  } catch (error) {
    if ((error as { isUnanswered?: boolean }).isUnanswered) throw error;
    return false;
  }
  const proof = typeof reply === "object" && reply !== null && "proof" in reply ? reply.proof : null;
  return proof === (await hmac(key, nonce));
}

/** The HMAC-SHA256 of a text in UTF-8, with a key in hexadecimal. */
async function hmac(key: string, text: string): Promise<string | null> {
  if (!/^(?:[0-9a-f]{2})+$/.test(key)) return null;
  const bytes = Uint8Array.from(key.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  const how = { name: "HMAC", hash: "SHA-256" };
  const secret = await crypto.subtle.importKey("raw", bytes, how, false, ["sign"]);
  return hex(new Uint8Array(await crypto.subtle.sign("HMAC", secret, new TextEncoder().encode(text))));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (each) => each.toString(16).padStart(2, "0")).join("");
}
