// SPDX-License-Identifier: Apache-2.0
/** A connection: coloured by the type of what flows, dashed if a step only waits. */

import { BaseEdge, EdgeLabelRenderer, type EdgeProps, getBezierPath } from "@xyflow/react";
import { memo } from "react";

import { Icon } from "../shell/Icon";
import { disconnect } from "./commands";
import type { FlowEdge } from "./flow";
import { spoken } from "./graph";
import { typeClass } from "./types";

export const Wire = memo(function Wire(props: EdgeProps<FlowEdge>) {
  const { sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition, data, selected } = props;
  const [line, x, y] = getBezierPath({ sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition, curvature: 0.3 });
  if (!data) return null;
  const { edge, type, path } = data;
  const look = ["wire", typeClass(type), edge.kind, selected ? "chosen" : ""];
  return (
    <>
      <BaseEdge path={line} interactionWidth={16} className={look.filter(Boolean).join(" ")} />
      {selected ? (
        <EdgeLabelRenderer>
          <button
            type="button"
            className="wire-cut nodrag nopan"
            style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
            aria-label={`Disconnect ${edge.target} from ${spoken(edge.source)}`}
            title="Disconnect"
            onClick={() => void disconnect(path, edge)}
          >
            <Icon name="close" size={12} />
          </button>
        </EdgeLabelRenderer>
      ) : null}
    </>
  );
});
