// SPDX-License-Identifier: Apache-2.0
/**
 * A document as React Flow draws it. What did not change stays the same object, so
 * that an edit of one step renders one step.
 */

import { type Edge, type Node, type NodeHandle, Position } from "@xyflow/react";

import type { BoxView, DocumentView, EdgeView, InputView, StepView } from "../api/types";
import {
  HEADER_HEIGHT,
  INPUT_HEIGHT,
  NODE_WIDTH,
  OUTPUT_PORT,
  type Point,
  WAIT_PORT,
  portOffset,
  stepHeight,
} from "./geometry";
import { INPUTS, edgeId, outputType, spoken } from "./graph";

export interface StepData extends Record<string, unknown> {
  path: string;
  step: StepView;
  /** What is wrong with it, in words. */
  problems: string[];
  /** The names of the ports that something is connected to; "" if it waits. */
  connected: string[];
  hasReaders: boolean;
  /** Equal for equal data. */
  key: string;
}

export interface InputData extends Record<string, unknown> {
  path: string;
  input: InputView;
  hasReaders: boolean;
  key: string;
}

export interface BoxData extends Record<string, unknown> {
  path: string;
  box: BoxView;
  key: string;
}

export type StepFlowNode = Node<StepData, "step">;
export type InputFlowNode = Node<InputData, "given">;
export type BoxFlowNode = Node<BoxData, "note" | "frame">;
export type FlowNode = StepFlowNode | InputFlowNode | BoxFlowNode;

export interface WireData extends Record<string, unknown> {
  path: string;
  edge: EdgeView;
  type: string | null;
}
export type FlowEdge = Edge<WireData, "wire">;

const PORT_SIZE = 12;

function handle(type: "source" | "target", id: string, y: number): NodeHandle {
  const isLeft = type === "target";
  return {
    id,
    type,
    position: isLeft ? Position.Left : Position.Right,
    x: (isLeft ? 0 : NODE_WIDTH) - PORT_SIZE / 2,
    y: y - PORT_SIZE / 2,
    width: PORT_SIZE,
    height: PORT_SIZE,
  };
}

function stepHandles(step: StepView): NodeHandle[] {
  return [
    handle("target", WAIT_PORT, HEADER_HEIGHT / 2),
    ...step.inputs.map((port, row) => handle("target", port.name, portOffset(row))),
    handle("source", OUTPUT_PORT, portOffset(0)),
  ];
}

/** `old` are the nodes as they are drawn; `moving` the places a person has just given. */
export function toNodes(
  document: DocumentView,
  places: ReadonlyMap<string, Point>,
  { old = [], moving, chosen = [] }: { old?: readonly FlowNode[]; moving?: ReadonlyMap<string, Point>; chosen?: readonly string[] } = {},
): FlowNode[] {
  const before = new Map(old.map((node) => [node.id, node]));
  const selected = new Set(chosen);
  const problems = problemsByStep(document);
  const connected = portsByStep(document);
  const readers = new Set(document.edges.map((edge) => edge.source));
  const { path } = document;
  const made: FlowNode[] = [];
  const add = (node: FlowNode): void => {
    const last = before.get(node.id);
    const place = moving?.get(node.id);
    if (place) node.position = place;
    node.selected = selected.has(node.id);
    made.push(last ? shared(last, node) : node);
  };
  for (const box of document.boxes) add(boxNode(path, box));
  for (const input of document.inputs) {
    const id = INPUTS + input.name;
    const hasReaders = readers.has(id);
    const { position: _, ...rest } = input;
    const key = JSON.stringify([rest, hasReaders]);
    add({
      id,
      type: "given",
      position: places.get(id) ?? ORIGIN,
      data: { path, input, hasReaders, key },
      handles: [handle("source", OUTPUT_PORT, INPUT_HEIGHT / 2)],
      initialHeight: INPUT_HEIGHT,
      ...LOOK,
    });
  }
  for (const step of document.steps) {
    const mine = problems.get(step.id) ?? [];
    const ports = connected.get(step.id) ?? [];
    const hasReaders = readers.has(step.id);
    const { position: _, line: __, ...rest } = step;
    add({
      id: step.id,
      type: "step",
      position: places.get(step.id) ?? ORIGIN,
      data: { path, step, problems: mine, connected: ports, hasReaders, key: JSON.stringify([rest, mine, ports, hasReaders]) },
      handles: stepHandles(step),
      initialHeight: stepHeight(step),
      ...LOOK,
    });
  }
  return made;
}

const ORIGIN: Point = { x: 0, y: 0 };
// The element inside carries the role and the name: the canvas points at it.
const LOOK = { width: NODE_WIDTH, ariaRole: "none", domAttributes: { "aria-roledescription": undefined } } as const;

function boxNode(path: string, box: BoxView): BoxFlowNode {
  const { id, kind, x, y, width, height } = box;
  return {
    id,
    type: kind === "group" ? "frame" : "note",
    position: { x, y },
    width,
    height,
    data: { path, box, key: JSON.stringify(box) },
    handles: [],
    ariaRole: "none",
    domAttributes: LOOK.domAttributes,
    ...(kind === "group" ? { zIndex: -1, dragHandle: ".group-title", className: "behind" } : {}),
  };
}

/** The old node where nothing changed; its data where only its place did. */
function shared(last: FlowNode, node: FlowNode): FlowNode {
  const isSame = last.type === node.type && last.data.key === node.data.key;
  const isDragged = last.dragging === true;
  const position = isDragged ? last.position : node.position;
  const stays = last.position.x === position.x && last.position.y === position.y;
  if (isSame && stays && last.selected === node.selected) return last;
  if (isSame) return { ...last, position, selected: node.selected ?? false } as FlowNode;
  return { ...node, position, measured: last.measured, dragging: last.dragging } as FlowNode;
}

function problemsByStep(document: DocumentView): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const problem of document.problems) {
    if (!problem.step || problem.severity !== "problem") continue;
    found.set(problem.step, [...(found.get(problem.step) ?? []), problem.what]);
  }
  return found;
}

function portsByStep(document: DocumentView): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { target, port } of document.edges) found.set(target, [...(found.get(target) ?? []), port]);
  return found;
}

/** The nodes with `chosen` selected; the same array if they were already. */
export function marked<T extends { id: string; selected?: boolean | undefined }>(all: T[], chosen: readonly string[]): T[] {
  const wanted = new Set(chosen);
  let isChanged = false;
  const next = all.map((each) => {
    const isSelected = wanted.has(each.id);
    if ((each.selected ?? false) === isSelected) return each;
    isChanged = true;
    return { ...each, selected: isSelected };
  });
  return isChanged ? next : all;
}

/** Connections whose ends are drawn. */
export function toEdges(document: DocumentView, old: readonly FlowEdge[] = [], chosen: readonly string[] = []): FlowEdge[] {
  const before = new Map(old.map((edge) => [edge.id, edge]));
  const seen = new Set<string>();
  const made: FlowEdge[] = [];
  for (const edge of document.edges) {
    const id = edgeId(edge);
    const type = outputType(document, edge.source);
    if (seen.has(id) || type === undefined || !hasPort(document, edge)) continue;
    seen.add(id);
    const last = before.get(id);
    const selected = chosen.includes(id);
    if (last && last.data?.type === type && last.data.edge.kind === edge.kind && last.selected === selected) {
      made.push(last);
      continue;
    }
    made.push({
      id,
      type: "wire",
      source: edge.source,
      target: edge.target,
      sourceHandle: OUTPUT_PORT,
      targetHandle: edge.port || WAIT_PORT,
      data: { path: document.path, edge, type },
      selected,
      ariaLabel:
        edge.port === ""
          ? `${edge.target} waits for ${spoken(edge.source)}`
          : `${spoken(edge.source)} to ${edge.target}`,
    });
  }
  return made;
}

function hasPort(document: DocumentView, edge: EdgeView): boolean {
  const target = document.steps.find((step) => step.id === edge.target);
  return target !== undefined && (edge.port === "" || target.inputs.some((port) => port.name === edge.port));
}
