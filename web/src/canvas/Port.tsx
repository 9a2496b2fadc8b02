// SPDX-License-Identifier: Apache-2.0
/** A place on a node where connections begin or end. */

import { Handle, Position } from "@xyflow/react";

import { useStore } from "../state/store";
import { answer, dragged } from "./dragging";
import { OUTPUT_PORT } from "./geometry";
import "./types.css";
import { typeClass } from "./types";

interface Props {
  node: string;
  name: string;
  type: string | null;
  label: string;
  isConnected: boolean;
  isRequired?: boolean;
}

/** While a connection is drawn it says whether it takes the value. */
export function Port({ node, name, type, label, isConnected, isRequired = false }: Props) {
  const said = useStore(dragged, (drag) => answer(drag, node, name));
  const isOutput = name === OUTPUT_PORT;
  const look = [
    "port",
    typeClass(type),
    isConnected ? "connected" : "",
    isRequired && !isConnected ? "required" : "",
    said,
  ];
  return (
    <Handle
      id={name}
      type={isOutput ? "source" : "target"}
      position={isOutput ? Position.Right : Position.Left}
      className={look.filter(Boolean).join(" ")}
      title={label}
    />
  );
}
