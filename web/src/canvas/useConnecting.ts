// SPDX-License-Identifier: Apache-2.0
/** What React Flow is told about connections that are drawn with the pointer. */

import { type Connection, type FinalConnectionState, type OnConnectStartParams, useReactFlow } from "@xyflow/react";
import { useCallback, useMemo, useRef } from "react";

import { workspace } from "../state/workspace";
import { connect, documentAt, reconnect } from "./commands";
import { begin, bestPort, dragged, end, verdictAt } from "./dragging";
import type { FlowEdge } from "./flow";
import { OUTPUT_PORT, type Point } from "./geometry";
import { openEntriesFor, openRefusal } from "./menus";

export function useConnecting(path: string) {
  const { screenToFlowPosition } = useReactFlow();
  const edge = useRef<FlowEdge | null>(null);

  const isValidConnection = useCallback(({ source, target, sourceHandle, targetHandle }: Connection | FlowEdge) => {
    const drag = dragged.get();
    if (!drag) return false;
    const far = drag.side === "source" ? { node: target, handle: targetHandle } : { node: source, handle: sourceHandle };
    return verdictAt(drag, far.node, far.handle ?? OUTPUT_PORT)?.reason === "";
  }, []);

  const onConnectStart = useCallback(
    (_: unknown, { nodeId, handleId, handleType }: OnConnectStartParams) => {
      const document = documentAt(path);
      if (document && nodeId !== null && handleType) begin(document, workspace.get().palette, nodeId, handleId ?? OUTPUT_PORT, handleType);
    },
    [path],
  );

  /** Connects, says why not, or offers the steps that would go there. */
  const onConnectEnd = useCallback(
    (event: MouseEvent | TouchEvent, state: FinalConnectionState) => {
      const drag = dragged.get();
      const old = edge.current;
      end();
      if (!drag) return;
      const at = pointOf(event);
      const hit = state.toHandle ? { node: state.toHandle.nodeId, handle: state.toHandle.id ?? OUTPUT_PORT } : null;
      const over = hit?.node ?? nodeAt(at);
      const verdict = hit ? verdictAt(drag, hit.node, hit.handle) : over === null ? null : bestPort(drag, over);
      if (verdict?.reason) {
        if (over !== drag.node) openRefusal(path, verdict, at);
        return;
      }
      if (verdict) {
        void (old ? reconnect(path, old.id, verdict) : connect(path, verdict));
        return;
      }
      if (over === null && !old && isPane(at)) openEntriesFor(path, drag, at, screenToFlowPosition(at));
    },
    [path, screenToFlowPosition],
  );

  return useMemo(
    () => ({
      isValidConnection,
      onConnectStart,
      onConnectEnd,
      onReconnect: () => undefined, // done at the end, where refusals are known too
      onReconnectStart: (_: unknown, dragging: FlowEdge) => {
        edge.current = dragging;
      },
      onReconnectEnd: () => {
        edge.current = null;
      },
    }),
    [isValidConnection, onConnectStart, onConnectEnd],
  );
}

function pointOf(event: MouseEvent | TouchEvent): Point {
  const at = "changedTouches" in event ? event.changedTouches[0] : event;
  return { x: at?.clientX ?? 0, y: at?.clientY ?? 0 };
}

function nodeAt({ x, y }: Point): string | null {
  const element = document.elementFromPoint(x, y)?.closest<HTMLElement>(".react-flow__node-step, .react-flow__node-given");
  return element?.dataset["id"] ?? null;
}

const isPane = ({ x, y }: Point): boolean => document.elementFromPoint(x, y)?.closest(".react-flow__pane") != null;
