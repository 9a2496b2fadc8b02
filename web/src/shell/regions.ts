// SPDX-License-Identifier: Apache-2.0
/** F6 walks the parts of the page: header, steps, canvas, inspector, log, status line. */

const REGION = "[data-region]";

export function nextRegion(isBackwards: boolean): void {
  const all = [...document.querySelectorAll<HTMLElement>(REGION)].filter((each) => each.offsetParent !== null);
  const here = document.activeElement?.closest<HTMLElement>(REGION) ?? null;
  const index = here ? all.indexOf(here) : isBackwards ? 0 : -1;
  const next = all[(index + (isBackwards ? -1 : 1) + all.length) % all.length];
  if (!next) return;
  const inside = next.querySelector<HTMLElement>(
    '[aria-selected="true"], [tabindex="0"], button:not(:disabled), input, textarea, select',
  );
  (inside ?? next).focus();
}
