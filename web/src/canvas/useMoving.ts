// SPDX-License-Identifier: Apache-2.0
/**
 * Marks the canvas while it is panned: `canvas.css` then gives the view a layer of its own,
 * which the browser moves without painting it anew. Not while it is zoomed, which would blur it.
 */

import type { OnMove, OnMoveEnd, OnMoveStart, Viewport } from "@xyflow/react";
import { type RefObject, useEffect, useMemo, useRef } from "react";

import { keepFramesFree } from "../values/frames";

/** Milliseconds that the layer outlives a pan: another often follows, and making it costs a frame. */
const LINGERS = 400;
/** Pixels within which a hand trembles as it clicks. */
const TREMBLE = 4;

export interface Moving {
  onMoveStart: OnMoveStart;
  onMove: OnMove;
  onMoveEnd: OnMoveEnd;
}

export function useMoving(surface: RefObject<HTMLElement | null>): Moving {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      keepFramesFree(false);
    },
    [],
  );
  return useMemo(() => {
    let start: Viewport | null = null;
    const mark = (isMoving: boolean): void => {
      clearTimeout(timer.current);
      surface.current?.toggleAttribute("data-moving", isMoving);
      keepFramesFree(isMoving);
    };
    return {
      onMoveStart: (_, view) => {
        start = view;
      },
      onMove: (_, view) => {
        if (view.zoom !== start?.zoom) {
          start = view;
          mark(false);
        } else if (Math.hypot(view.x - start.x, view.y - start.y) > TREMBLE) mark(true);
      },
      onMoveEnd: () => {
        clearTimeout(timer.current);
        timer.current = setTimeout(() => mark(false), LINGERS);
      },
    };
  }, [surface]);
}
