// SPDX-License-Identifier: Apache-2.0
/** What can be done with a node, at the pointer. */

import { Menu, type MenuItem } from "../shell/Menu";
import type { Point } from "./geometry";
import { focusGraph } from "./StepNode";

export interface Context {
  at: Point;
  items: MenuItem[];
}

export function ContextMenu({ context, onClose }: { context: Context; onClose: () => void }) {
  const close = (): void => {
    onClose();
    focusGraph();
  };
  return (
    <div onKeyDown={(event) => event.stopPropagation()}>
      <Menu key={`${context.at.x},${context.at.y}`} label="What to do with it" items={context.items} at={context.at} onClose={close} />
    </div>
  );
}
