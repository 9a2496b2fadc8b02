// SPDX-License-Identifier: Apache-2.0
/** The page, in the document that was loaded. */

import { createRoot } from "react-dom/client";

import { App } from "./App";

export function show(): void {
  const root = document.getElementById("root");
  if (root) createRoot(root).render(<App />);
}
