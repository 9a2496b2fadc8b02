// SPDX-License-Identifier: Apache-2.0
/** Takes the link's token out of the address bar, before anything else; shows the page. */

import { link, takeLink } from "./api/link";
import { createRoot } from "react-dom/client";

import { App } from "./App";
import { begin } from "./state/workspace";
import "./theme.css";

void begin(link.token, link.file);

// A link that is pasted into the address bar of this tab changes the hash alone.
window.addEventListener("hashchange", () => {
  const next = takeLink();
  if (next.token !== null) void begin(next.token, next.file);
});

const root = document.getElementById("root");
if (root) createRoot(root).render(<App />);
