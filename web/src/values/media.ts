// SPDX-License-Identifier: Apache-2.0
/**
 * Files of the folder as blob: addresses. They are fetched with the token, since an `<img>` cannot
 * send it; views of the same file share one address, which is revoked when the last one is gone.
 */

import { useEffect, useState } from "react";
import { ApiError, api } from "../api/client";

export interface Media {
  bytes: Blob;
  url: string;
}

interface Shared {
  views: number;
  media: Promise<Media>;
  stop: AbortController;
}

/** A view that comes back within this time, in milliseconds, finds the file still here. */
const GRACE = 2000;
const shared = new Map<string, Shared>();

/** Fetches a file, unless another view has it; each call is matched by one `release`. */
export function acquire(path: string): Promise<Media> {
  const known = shared.get(path);
  if (known) {
    known.views += 1;
    return known.media;
  }
  const stop = new AbortController();
  const media = api.bytes(path, stop.signal).then((bytes) => ({ bytes, url: URL.createObjectURL(bytes) }));
  const made = { views: 1, media, stop };
  shared.set(path, made);
  // A file that could not be had is asked for again by the next view.
  media.catch(() => shared.get(path) === made && shared.delete(path));
  return media;
}

export function release(path: string): void {
  const held = shared.get(path);
  if (!held) return;
  held.views -= 1;
  setTimeout(() => {
    if (held.views > 0 || shared.get(path) !== held) return;
    shared.delete(path);
    held.stop.abort();
    held.media.then(({ url }) => URL.revokeObjectURL(url)).catch(() => undefined);
  }, GRACE);
}

export type MediaState = { status: "loading" } | { status: "ready"; media: Media } | { status: "failed"; why: string };

/** A file for as long as the component is there; none is fetched for null. */
export function useMedia(path: string | null): MediaState {
  const [state, setState] = useState<MediaState>({ status: "loading" });
  useEffect(() => {
    if (path === null) return;
    let isHere = true;
    setState({ status: "loading" });
    acquire(path)
      .then((media) => isHere && setState({ status: "ready", media }))
      .catch((error: unknown) => isHere && setState({ status: "failed", why: reason(error) }));
    return () => {
      isHere = false;
      release(path);
    };
  }, [path]);
  return state;
}

export function reason(error: unknown): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : "it cannot be read";
  const mend = error.problems[0]?.mend;
  return mend ? `${error.message}; ${mend}` : error.message;
}

/** Gives the person a file to keep. */
export function saveAs(bytes: Blob, name: string): void {
  const url = URL.createObjectURL(bytes);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), GRACE);
}
