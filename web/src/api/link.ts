// SPDX-License-Identifier: Apache-2.0
/** What a one-time link says after its "#"; the address bar forgets it at once. */

export interface Link {
  token: string | null;
  file: string | null;
}

export function takeLink(): Link {
  const words = new URLSearchParams(location.hash.slice(1));
  if (location.hash || location.search) history.replaceState(null, "", location.pathname);
  return { token: words.get("token"), file: words.get("file") };
}

/** Of this page's own address. Taken as this module is loaded: the first of them all. */
export const link: Link = takeLink();
