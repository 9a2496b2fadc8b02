// SPDX-License-Identifier: Apache-2.0
/**
 * Takes the link's token out of the address bar, before anything else, and asks the server
 * for what is shown first. The page itself is read meanwhile: most of the script is its.
 */

import { link, takeLink } from "./api/link";
import "./state/documents";
import { begin } from "./state/workspace";
import "./theme.css";

void begin(link.token, link.file);

// A link that is pasted into the address bar of this tab changes the hash alone.
window.addEventListener("hashchange", () => {
  const next = takeLink();
  if (next.token !== null) void begin(next.token, next.file);
});

void import("./page").then(({ show }) => show());
