// SPDX-License-Identifier: Apache-2.0
/** Brings what is chosen into view: when it is asked for, and when the keyboard walks there. */

import { useReactFlow } from "@xyflow/react";
import { type RefObject, useLayoutEffect, useRef } from "react";

import type { DocumentView } from "../api/types";
import { selection } from "../state/selection";
import { useStore } from "../state/store";
import { type Rect, boxRect } from "./geometry";
import { rectsOf } from "./places";
import { prefersStill, showing } from "./viewport";

const QUICK = 160;

export function useReveal(document: DocumentView, frame: RefObject<HTMLElement | null>): void {
  const flow = useReactFlow();
  const active = useStore(selection, (chosen) => chosen.nodes.at(-1));
  const asked = useStore(selection, (chosen) => chosen.reveal);
  const done = useRef({ asked, active });

  useLayoutEffect(() => {
    const { asked: before, active: last } = done.current;
    const isAsked = asked !== before;
    if (active === undefined || !frame.current || (!isAsked && active === last)) return;
    const rect = rectOf(document, active);
    if (!rect) return; // it will be there with the next version of the document
    done.current = { asked, active };
    if (!isAsked && frame.current.matches(":active")) return; // pressed with the pointer: it is where it is
    const room = { width: frame.current.clientWidth, height: frame.current.clientHeight };
    const view = flow.getViewport();
    const readable = isAsked && view.zoom < 0.5 ? { ...view, ...centred(rect, room, 0.8) } : view;
    const next = showing(readable, rect, room);
    if (next !== view) void flow.setViewport(next, { duration: prefersStill() ? 0 : QUICK });
  }, [active, asked, document, flow, frame]);
}

function rectOf(document: DocumentView, id: string): Rect | undefined {
  const box = document.boxes.find((candidate) => candidate.id === id);
  return box ? boxRect(box) : rectsOf(document).get(id);
}

function centred(rect: Rect, { width, height }: { width: number; height: number }, zoom: number) {
  return { x: width / 2 - (rect.x + rect.width / 2) * zoom, y: height / 2 - (rect.y + rect.height / 2) * zoom, zoom };
}
