// SPDX-License-Identifier: Apache-2.0
/** The line between canvas and inspector: dragged, or moved by arrow keys. */

import { clamp, prefer } from "../state/preferences";

export function Resizer({ width, onDrag }: { width: number; onDrag: (width: number | null) => void }) {
  return (
    <div
      className="resizer"
      role="separator"
      aria-label="Width of the inspector"
      aria-orientation="vertical"
      aria-valuenow={width}
      aria-valuemin={260}
      aria-valuemax={720}
      tabIndex={0}
      onPointerDown={(event) => {
        const start = event.clientX + width;
        const element = event.currentTarget;
        element.setPointerCapture(event.pointerId);
        const move = (moved: PointerEvent): void => onDrag(clamp(start - moved.clientX));
        const stop = (ended: PointerEvent): void => {
          element.removeEventListener("pointermove", move);
          prefer({ inspectorWidth: clamp(start - ended.clientX) });
          onDrag(null);
        };
        element.addEventListener("pointermove", move);
        element.addEventListener("pointerup", stop, { once: true });
      }}
      onKeyDown={(event) => {
        const by = { ArrowLeft: 24, ArrowRight: -24 }[event.key];
        if (by === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        prefer({ inspectorWidth: clamp(width + by) });
      }}
    />
  );
}
