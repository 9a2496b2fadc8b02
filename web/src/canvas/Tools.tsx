// SPDX-License-Identifier: Apache-2.0
/** Zoom, fit and arrange, in the canvas's corner. */

import { useReactFlow, useStore as useFlowStore } from "@xyflow/react";

import { Icon, type IconName } from "../shell/Icon";
import { arrange } from "./commands";

export function Tools({ path, fit }: { path: string; fit: () => void }) {
  const flow = useReactFlow();
  const percent = useFlowStore((state) => Math.round(state.transform[2] * 100));
  return (
    <div className="canvas-tools" role="toolbar" aria-label="View of the graph" data-graph-keys="">
      <Tool icon="minus" label="Zoom out (-)" onPress={() => void flow.zoomOut()} />
      <button type="button" className="button quiet zoom" title="Zoom to 100%" onClick={() => void flow.zoomTo(1)}>
        {percent}%
      </button>
      <Tool icon="add" label="Zoom in (+)" onPress={() => void flow.zoomIn()} />
      <Tool icon="fit" label="Show everything (F)" onPress={fit} />
      <Tool icon="layout" label="Arrange (L)" onPress={() => void arrange(path).then(fit)} />
    </div>
  );
}

function Tool({ icon, label, onPress }: { icon: IconName; label: string; onPress: () => void }) {
  return (
    <button type="button" className="button quiet icon" title={label} aria-label={label} onClick={onPress}>
      <Icon name={icon} />
    </button>
  );
}
