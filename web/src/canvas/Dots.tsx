// SPDX-License-Identifier: Apache-2.0
/**
 * The dots behind the graph. A pan only shifts them, by less than the gap between two:
 * React Flow's own are painted anew over the whole canvas each time.
 */

import { useStoreApi } from "@xyflow/react";
import { useId, useLayoutEffect, useRef } from "react";

import { GRID } from "./geometry";

const GAP = GRID * 3;
const RADIUS = 0.6;

export function Dots() {
  const id = useId();
  const flow = useStoreApi();
  const drawing = useRef<SVGSVGElement>(null);
  useLayoutEffect(() => {
    const { style } = drawing.current!;
    const pattern = drawing.current!.querySelector("pattern")!;
    const dot = drawing.current!.querySelector("circle")!;
    let drawn = NaN;
    const draw = (): void => {
      const [x, y, zoom] = flow.getState().transform;
      const gap = GAP * zoom;
      if (zoom !== drawn) {
        drawn = zoom;
        for (const side of ["width", "height"]) pattern.setAttribute(side, `${gap}`);
        for (const part of ["cx", "cy", "r"]) dot.setAttribute(part, `${RADIUS * zoom}`);
      }
      style.transform = `translate(${shift(x, gap)}px, ${shift(y, gap)}px)`;
    };
    draw();
    return flow.subscribe(draw);
  }, [flow]);
  return (
    <svg ref={drawing} className="canvas-dots" aria-hidden="true">
      <pattern id={id} patternUnits="userSpaceOnUse">
        <circle />
      </pattern>
      <rect width="100%" height="100%" fill={`url(#${id})`} />
    </svg>
  );
}

/** Where the first dots are: less than a gap before the edge, and in whole pixels, which are copied and not blended. */
function shift(start: number, gap: number): number {
  const beyond = (start - gap / 2) % gap;
  return Math.round(beyond > 0 ? beyond - gap : beyond);
}
