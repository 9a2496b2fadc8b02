// SPDX-License-Identifier: Apache-2.0
/** The graph of a file: seen, and changed by pointer and keyboard. */

import {
  MiniMap,
  ReactFlow,
  ReactFlowProvider,
  SelectionMode,
  useReactFlow,
  useStore as useFlowStore,
} from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import { type DragEvent, type KeyboardEvent, type MouseEvent, useCallback, useId, useLayoutEffect, useRef, useState } from "react";

import type { DocumentView } from "../api/types";
import { useDocument } from "../state/documents";
import { prefer } from "../state/preferences";
import { select, selection } from "../state/selection";
import { useStore } from "../state/store";
import { workspace } from "../state/workspace";
import { Announcer } from "./announce";
import { GroupNode, NoteNode } from "./BoxNodes";
import "./canvas.css";
import "./nodes.css";
import { activeNode, beginRename, documentAt, insertEntry, insertInput, nudge } from "./commands";
import { type Context, ContextMenu } from "./ContextMenu";
import { Dots } from "./Dots";
import { ENTRY_DATA, INPUT_DATA } from "./dragData";
import { FAR_ZOOM, FarContext } from "./far";
import type { FlowEdge, FlowNode } from "./flow";
import { GRID, type Point, snapped } from "./geometry";
import { isBox } from "./graph";
import { Hint } from "./Hint";
import { InputNode } from "./InputNode";
import { commandFor, ownsKeys } from "./keyboard";
import { actionsFor, openEntries } from "./menus";
import { PopupHost } from "./Picker";
import { allRects, placesOf } from "./places";
import { nodeElementId, StepNode } from "./StepNode";
import { Tools } from "./Tools";
import { useConnecting } from "./useConnecting";
import { useFlow } from "./useFlow";
import { choose, focusInspector, useClipboard, useGraphKeys } from "./useGraphKeys";
import { useMoving } from "./useMoving";
import { useReveal } from "./useReveal";
import { SMALLEST, firstView, prefersStill, views, wholeView } from "./viewport";
import { first, walk } from "./walk";
import { Wire } from "./Wire";

const NODE_TYPES = { step: StepNode, given: InputNode, note: NoteNode, frame: GroupNode };
const EDGE_TYPES = { wire: Wire };
const SNAP: [number, number] = [GRID, GRID];
const MORE_KEYS = ["Shift", "Control", "Meta"];
const PRO = { hideAttribution: true };
const SMALL = 12;

export function Canvas({ path }: { path: string }) {
  const document = useDocument(path);
  const frame = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState<{ width: number; height: number } | null>(null);
  useLayoutEffect(() => {
    const { clientWidth, clientHeight } = frame.current!;
    setSize({ width: clientWidth || 1000, height: clientHeight || 640 });
  }, []);
  return (
    <div className="canvas" ref={frame}>
      {document && size ? (
        <ReactFlowProvider key={path} initialWidth={size.width} initialHeight={size.height}>
          <Surface document={document} size={size} />
        </ReactFlowProvider>
      ) : null}
      <Announcer />
      <PopupHost />
    </div>
  );
}

function Surface({ document, size }: { document: DocumentView; size: { width: number; height: number } }) {
  const { path } = document;
  const frame = useRef<HTMLDivElement>(null);
  const hintId = useId();
  const flow = useReactFlow<FlowNode, FlowEdge>();
  const { onDragStart, onDrag, onDragStop, ...drawn } = useFlow(document);
  const connecting = useConnecting(path);
  const { onMoveEnd, ...moving } = useMoving(frame);
  const [context, setContext] = useState<Context | null>(null);
  const [view] = useState(() => views.get(path) ?? firstView(allRects(document), size));
  const active = useStore(selection, (chosen) => chosen.nodes.at(-1));
  const isFar = useFlowStore((state) => state.transform[2] < FAR_ZOOM);

  const anchor = useCallback((id: string): Point => {
    const element = window.document.getElementById(nodeElementId(id)) ?? frame.current;
    const { right, top } = element?.getBoundingClientRect() ?? { right: 0, top: 0 };
    return { x: right + GRID, y: top };
  }, []);
  const middle = useCallback((): Point => {
    const { left, top, width, height } = frame.current!.getBoundingClientRect();
    return snapped(flow.screenToFlowPosition({ x: left + width / 2 - 100, y: top + height / 2 - 48 }));
  }, [flow]);
  const fit = useCallback(() => {
    const room = { width: frame.current!.clientWidth, height: frame.current!.clientHeight };
    void flow.setViewport(wholeView(allRects(documentAt(path)!), room), { duration: prefersStill() ? 0 : 200 });
  }, [flow, path]);

  useGraphKeys(path, { anchor, middle, fit });
  useClipboard(path);
  useReveal(document, frame);

  const press = (event: KeyboardEvent): void => {
    if (ownsKeys(event.target)) return;
    const command = commandFor(event);
    if (!command) return;
    event.preventDefault();
    event.stopPropagation();
    const places = placesOf(document);
    const current = activeNode();
    switch (command.act) {
      case "walk":
      case "extend":
        return choose(walk(document, places, current, command.direction), command.act === "extend");
      case "nudge":
        return void nudge(path, nudged(command.direction, command.far));
      case "first":
        return choose(first(document, places));
      case "last":
        return choose([...places].sort(([, a], [, b]) => b.x - a.x || b.y - a.y)[0]?.[0] ?? null);
      case "edit":
        if (current === undefined) return;
        return isBox(current) ? beginRename(path) : focusInspector();
      case "clear":
        return select([]);
      case "menu":
        if (current !== undefined) setContext({ at: anchor(current), items: actionsFor(path, current, anchor) });
        return;
      case "zoom-in":
        return void flow.zoomIn();
      case "zoom-out":
        return void flow.zoomOut();
    }
  };

  const openContext = (event: MouseEvent | globalThis.MouseEvent, id: string): void => {
    event.preventDefault();
    if (!selection.get().nodes.includes(id)) select([id]);
    setContext({ at: { x: event.clientX, y: event.clientY }, items: actionsFor(path, id, anchor) });
  };

  const drop = (event: DragEvent): void => {
    const entry = workspace.get().palette?.entries.find((each) => each.id === event.dataTransfer.getData(ENTRY_DATA));
    const input = event.dataTransfer.getData(INPUT_DATA);
    if (!entry && !input) return;
    event.preventDefault();
    const at = snapped(flow.screenToFlowPosition({ x: event.clientX - 40, y: event.clientY - 20 }));
    if (entry) void insertEntry(path, entry, at, null);
    else void insertInput(path, input, at);
    frame.current?.focus({ preventScroll: true });
  };

  return (
    <div
      ref={frame}
      className={`surface${isFar ? " far" : ""}`}
      data-graph=""
      role="application"
      aria-roledescription="workflow graph"
      aria-label={`Graph of ${document.name || path}: ${document.steps.length} steps`}
      aria-describedby={hintId}
      aria-activedescendant={active === undefined ? undefined : nodeElementId(active)}
      tabIndex={0}
      onKeyDown={press}
      onPointerDownCapture={(event) => {
        if (!ownsKeys(event.target)) frame.current?.focus({ preventScroll: true });
      }}
      onDoubleClick={(event) => {
        const at = { x: event.clientX, y: event.clientY };
        if ((event.target as Element).classList.contains("react-flow__pane")) openEntries(path, at, flow.screenToFlowPosition(at));
      }}
      onDragOver={(event) => {
        if (event.dataTransfer.types.some((type) => type === ENTRY_DATA || type === INPUT_DATA)) event.preventDefault();
      }}
      onDrop={drop}
    >
      <p id={hintId} className="unseen">
        Arrow keys walk along the connections, C connects, Enter edits, slash adds a step, question mark lists all keys.
      </p>
      <FarContext value={isFar}>
        <ReactFlow<FlowNode, FlowEdge>
          {...drawn}
          {...connecting}
          nodeTypes={NODE_TYPES}
          edgeTypes={EDGE_TYPES}
          defaultViewport={view}
          {...moving}
          onMoveEnd={(event, moved) => {
            views.set(path, moved);
            onMoveEnd(event, moved);
          }}
          onNodeDragStart={(_, __, dragged) => onDragStart(dragged)}
          onNodeDrag={(_, __, dragged) => onDrag(dragged)}
          onNodeDragStop={(_, __, dragged) => onDragStop(dragged)}
          onSelectionDragStart={(_, dragged) => onDragStart(dragged)}
          onSelectionDrag={(_, dragged) => onDrag(dragged)}
          onSelectionDragStop={(_, dragged) => onDragStop(dragged)}
          onNodeContextMenu={(event, node) => openContext(event, node.id)}
          onSelectionContextMenu={(event, nodes) => {
            if (nodes[0]) openContext(event, nodes[0].id);
          }}
          nodesDraggable={!document.read_only}
          nodesConnectable={!document.read_only}
          edgesReconnectable={!document.read_only}
          nodesFocusable={false}
          edgesFocusable={false}
          disableKeyboardA11y
          deleteKeyCode={null}
          multiSelectionKeyCode={MORE_KEYS}
          selectionMode={SelectionMode.Partial}
          elevateNodesOnSelect={false}
          onlyRenderVisibleElements
          snapToGrid
          snapGrid={SNAP}
          minZoom={SMALLEST}
          maxZoom={2}
          zoomOnDoubleClick={false}
          connectionRadius={28}
          proOptions={PRO}
        >
          <Dots />
          {document.steps.length > SMALL ? <MiniMap<FlowNode> pannable zoomable ariaLabel="Overview" nodeClassName={miniClass} /> : null}
        </ReactFlow>
        <Hint />
      </FarContext>
      <Tools path={path} fit={fit} />
      {document.steps.length + document.inputs.length === 0 ? <Empty isBroken={document.problems.some(({ code }) => code.startsWith("yaml."))} /> : null}
      {context ? <ContextMenu context={context} onClose={() => setContext(null)} /> : null}
    </div>
  );
}

function Empty({ isBroken }: { isBroken: boolean }) {
  if (isBroken) {
    return (
      <div className="canvas-empty">
        <p>This text cannot be read, so there is nothing to draw.</p>
        <p className="muted">
          <button type="button" className="button" onClick={() => prefer({ view: "text" })}>
            Mend it in the text
          </button>
        </p>
      </div>
    );
  }
  return (
    <div className="canvas-empty">
      <p>Nothing here yet.</p>
      <p className="muted">
        Press <kbd>/</kbd> and type what the first step should do, or drag one from the left.
      </p>
    </div>
  );
}

const miniClass = (node: FlowNode): string => `mini-${node.type}${node.selected ? " chosen" : ""}`;

function nudged(direction: "left" | "right" | "up" | "down", isFar: boolean): Point {
  const by = GRID * (isFar ? 8 : 1);
  return { left: { x: -by, y: 0 }, right: { x: by, y: 0 }, up: { x: 0, y: -by }, down: { x: 0, y: by } }[direction];
}
