// SPDX-License-Identifier: Apache-2.0
/** The nodes and edges that React Flow draws: of the document, and of what a drag makes of it meanwhile. */

import { type EdgeChange, type NodeChange, applyNodeChanges } from "@xyflow/react";
import { useCallback, useLayoutEffect, useRef, useState } from "react";

import type { DocumentView } from "../api/types";
import { selection } from "../state/selection";
import { move } from "./commands";
import { type FlowEdge, type FlowNode, marked, toEdges, toNodes } from "./flow";
import { type Point, type Rect, contains } from "./geometry";
import { noteSize, placesOf } from "./places";

export interface Flow {
  nodes: FlowNode[];
  edges: FlowEdge[];
  onNodesChange: (changes: NodeChange<FlowNode>[]) => void;
  onEdgesChange: (changes: EdgeChange<FlowEdge>[]) => void;
  onDragStart: (dragged: readonly FlowNode[]) => void;
  onDrag: (dragged: readonly FlowNode[]) => void;
  onDragStop: (dragged: readonly FlowNode[]) => void;
}

export function useFlow(document: DocumentView): Flow {
  const [nodes, setNodes] = useState(() => toNodes(document, placesOf(document), { chosen: selection.get().nodes }));
  const [edges, setEdges] = useState(() => toEdges(document, [], selection.get().edges));
  const latest = useRef(document);
  const drawn = useRef(document);
  const moving = useRef(new Map<string, Point>());

  const redraw = useCallback(() => {
    const { nodes: chosen, edges: chosenEdges } = selection.get();
    const now = latest.current;
    drawn.current = now;
    setNodes((old) => toNodes(now, placesOf(now), { old, moving: moving.current, chosen }));
    setEdges((old) => toEdges(now, old, chosenEdges));
  }, []);
  useLayoutEffect(() => {
    latest.current = document;
    if (drawn.current !== document) redraw();
  }, [document, redraw]);
  useLayoutEffect(
    () =>
      selection.subscribe(() => {
        const { nodes: chosen, edges: chosenEdges } = selection.get();
        setNodes((old) => marked(old, chosen));
        setEdges((old) => marked(old, chosenEdges));
      }),
    [],
  );

  const onNodesChange = useCallback((changes: NodeChange<FlowNode>[]) => {
    const picks = changes.filter((change) => change.type === "select");
    const others = changes.filter((change) => change.type !== "select" && change.type !== "remove");
    for (const change of others) {
      if (change.type === "dimensions" && change.dimensions) noteSize(latest.current.path, change.id, change.dimensions);
    }
    if (picks.length > 0) selection.set((old) => picked(old, "nodes", picks));
    if (others.length > 0) setNodes((old) => applyNodeChanges(others, old));
  }, []);
  const onEdgesChange = useCallback((changes: EdgeChange<FlowEdge>[]) => {
    const picks = changes.filter((change) => change.type === "select");
    if (picks.length > 0) selection.set((old) => picked(old, "edges", picks));
  }, []);

  const keepPlaces = useCallback(
    async (places: ReadonlyMap<string, Point>) => {
      for (const [id, place] of places) moving.current.set(id, place);
      await move(latest.current.path, places);
      for (const [id, place] of places) if (moving.current.get(id) === place) moving.current.delete(id);
      redraw();
    },
    [redraw],
  );
  const drags = useDrags(nodes, setNodes, keepPlaces);
  return { nodes, edges, onNodesChange, onEdgesChange, ...drags };
}

interface Chosen {
  nodes: string[];
  edges: string[];
  reveal: number;
}

/** What is chosen after React Flow's changes; what is chosen last comes last. */
function picked(old: Chosen, key: "nodes" | "edges", picks: readonly { id: string; selected: boolean }[]): Chosen {
  const off = new Set(picks.filter((pick) => !pick.selected).map((pick) => pick.id));
  const on = picks.filter((pick) => pick.selected).map((pick) => pick.id);
  const next = [...old[key].filter((id) => !off.has(id) && !on.includes(id)), ...on];
  const isSame = next.length === old[key].length && next.every((id, index) => id === old[key][index]);
  return isSame ? old : { ...old, [key]: next };
}

interface Dragging {
  from: Map<string, Point>;
  /** What lies in the dragged groups, and where it was; it goes along. */
  along: Map<string, Point>;
}

type SetNodes = (update: (old: FlowNode[]) => FlowNode[]) => void;

function useDrags(
  nodes: readonly FlowNode[],
  setNodes: SetNodes,
  keep: (places: ReadonlyMap<string, Point>) => Promise<void>,
): Pick<Flow, "onDragStart" | "onDrag" | "onDragStop"> {
  const drag = useRef<Dragging | null>(null);
  const current = useRef(nodes);
  useLayoutEffect(() => {
    current.current = nodes;
  });
  const onDragStart = useCallback((dragged: readonly FlowNode[]) => {
    const from = new Map(dragged.map((node) => [node.id, node.position]));
    drag.current = { from, along: inside(current.current, dragged) };
  }, []);
  const onDrag = useCallback(
    (dragged: readonly FlowNode[]) => {
      const along = placesAlong(drag.current, dragged);
      if (along.size === 0) return;
      setNodes((old) => old.map((node) => moved(node, along.get(node.id))));
    },
    [setNodes],
  );
  const onDragStop = useCallback(
    (dragged: readonly FlowNode[]) => {
      const { from } = drag.current ?? { from: new Map<string, Point>() };
      const places = new Map(placesAlong(drag.current, dragged));
      for (const node of dragged) places.set(node.id, node.position);
      drag.current = null;
      const [first] = dragged;
      const start = first && from.get(first.id);
      if (!first || !start || (start.x === first.position.x && start.y === first.position.y)) return;
      void keep(places);
    },
    [keep],
  );
  return { onDragStart, onDrag, onDragStop };
}

const moved = (node: FlowNode, place: Point | undefined): FlowNode => (place ? ({ ...node, position: place } as FlowNode) : node);

function inside(nodes: readonly FlowNode[], dragged: readonly FlowNode[]): Map<string, Point> {
  const ids = new Set(dragged.map((node) => node.id));
  const frames = dragged.filter((node) => node.type === "frame").map(rectOf);
  const within = nodes.filter((node) => !ids.has(node.id) && frames.some((frame) => contains(frame, rectOf(node))));
  return new Map(within.map((node) => [node.id, node.position]));
}

function rectOf(node: FlowNode): Rect {
  const width = node.measured?.width ?? node.width ?? 0;
  const height = node.measured?.height ?? node.height ?? node.initialHeight ?? 0;
  return { ...node.position, width, height };
}

function placesAlong(drag: Dragging | null, dragged: readonly FlowNode[]): Map<string, Point> {
  const first = dragged[0];
  const start = first && drag?.from.get(first.id);
  if (!first || !start || !drag) return new Map();
  const dx = first.position.x - start.x;
  const dy = first.position.y - start.y;
  return new Map([...drag.along].map(([id, { x, y }]) => [id, { x: x + dx, y: y + dy }]));
}
