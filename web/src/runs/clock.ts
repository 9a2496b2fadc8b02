// SPDX-License-Identifier: Apache-2.0
/** The time, for components that show how long something takes. */

import { useEffect, useState } from "react";

/** Seconds since 1970, anew every `every` milliseconds while `isActive`. */
export function useNow(isActive: boolean, every = 500): number {
  const [now, setNow] = useState(() => Date.now() / 1000);
  useEffect(() => {
    if (!isActive) return;
    const tick = (): void => setNow(Date.now() / 1000);
    tick();
    const timer = setInterval(tick, every);
    return () => clearInterval(timer);
  }, [isActive, every]);
  return now;
}
