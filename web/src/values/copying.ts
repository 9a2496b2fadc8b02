// SPDX-License-Identifier: Apache-2.0
/** Putting texts into the clipboard. */

import { toast } from "../shell/toasts";

/** Copies, and says so; says why not where the browser refuses. */
export async function copy(text: string, done = "Copied"): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(done, "good");
  } catch {
    toast("The browser does not let this page copy", "bad", { mend: "select the text and press Ctrl+C" });
  }
}
