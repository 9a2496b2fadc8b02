// SPDX-License-Identifier: Apache-2.0
/** What would happen if the connection being drawn were let go here, said at the pointer. */

import { type ConnectionState, useConnection } from "@xyflow/react";

import { Icon } from "../shell/Icon";
import { Words } from "../shell/Words";
import { useStore } from "../state/store";
import { dragged, verdictAt } from "./dragging";

const whereTo = (state: ConnectionState): { x: number; y: number; node: string; handle: string } | null =>
  state.inProgress && state.toHandle
    ? { x: state.pointer.x, y: state.pointer.y, node: state.toHandle.nodeId, handle: state.toHandle.id ?? "" }
    : null;

export function Hint() {
  const drag = useStore(dragged, (value) => value);
  const to = useConnection(whereTo);
  const verdict = drag && to && verdictAt(drag, to.node, to.handle);
  if (!verdict || !to || verdict.reason === "") return null;
  return (
    <div className="hint" style={{ left: to.x, top: to.y + 16 }}>
      <Icon name="error" size={14} />
      <span>
        <Words text={verdict.reason} />
        {verdict.converter ? <em>Let go to do that.</em> : null}
      </span>
    </div>
  );
}
