// SPDX-License-Identifier: Apache-2.0
/** Puts the wished theme, or the system's, on the page's root. */

import { useSyncExternalStore, useLayoutEffect } from "react";

import { preferences } from "../state/preferences";
import { useStore } from "../state/store";

const query = window.matchMedia("(prefers-color-scheme: dark)");

function subscribe(listener: () => void): () => void {
  query.addEventListener("change", listener);
  return () => query.removeEventListener("change", listener);
}

/** The theme that is to be seen: "light" or "dark". */
export function useTheme(): "light" | "dark" {
  const wish = useStore(preferences, (each) => each.theme);
  const isDark = useSyncExternalStore(subscribe, () => query.matches);
  return wish === "system" ? (isDark ? "dark" : "light") : wish;
}

export function useShownTheme(): void {
  const theme = useTheme();
  useLayoutEffect(() => {
    document.documentElement.dataset["theme"] = theme;
  }, [theme]);
}
