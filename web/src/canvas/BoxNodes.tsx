// SPDX-License-Identifier: Apache-2.0
/** Notes, and the frames of groups, that a person drew. */

import { type NodeProps, NodeResizer } from "@xyflow/react";
import { type FocusEvent, type KeyboardEvent, memo, useState } from "react";

import { useStore } from "../state/store";
import { changeBox } from "./commands";
import type { BoxFlowNode } from "./flow";
import { GRID } from "./geometry";
import { editingBox, takeFocus } from "./renaming";
import { focusGraph, nodeElementId } from "./StepNode";

export const NoteNode = memo(function NoteNode({ id, data: { path, box }, selected }: NodeProps<BoxFlowNode>) {
  const isWritten = useStore(editingBox, (which) => which === id);
  return (
    <div id={nodeElementId(id)} className="note" role="group" aria-roledescription="note" aria-label={`note: ${box.text}`}>
      <Resizer path={path} id={id} isVisible={selected ?? false} />
      {isWritten ? (
        <BoxText path={path} id={id} text={box.text} isLong />
      ) : (
        <div className="note-text" onDoubleClick={() => editingBox.set(() => id)}>
          {box.text || <span className="muted">Empty note</span>}
        </div>
      )}
    </div>
  );
});

export const GroupNode = memo(function GroupNode({ id, data: { path, box }, selected }: NodeProps<BoxFlowNode>) {
  const isWritten = useStore(editingBox, (which) => which === id);
  return (
    <div id={nodeElementId(id)} className="group-frame" role="group" aria-roledescription="group" aria-label={`group ${box.text}`}>
      <Resizer path={path} id={id} isVisible={selected ?? false} />
      <div className="group-title" onDoubleClick={() => editingBox.set(() => id)}>
        {isWritten ? <BoxText path={path} id={id} text={box.text} isLong={false} /> : box.text || "Group"}
      </div>
    </div>
  );
});

function Resizer({ path, id, isVisible }: { path: string; id: string; isVisible: boolean }) {
  return (
    <NodeResizer
      isVisible={isVisible}
      minWidth={GRID * 12}
      minHeight={GRID * 6}
      onResizeEnd={(_, { x, y, width, height }) => void changeBox(path, id, { x, y, width, height })}
    />
  );
}

interface TextProps {
  path: string;
  id: string;
  text: string;
  isLong: boolean;
}

/** The text, to be written: leaving it keeps it, and so does Enter in a title; Escape keeps a note, but not a title. */
export function BoxText({ path, id, text, isLong }: TextProps) {
  const [draft, setDraft] = useState(text);
  const close = (): void => editingBox.set((which) => (which === id ? null : which));
  const keep = (): void => {
    close();
    void changeBox(path, id, { text: draft.trim() });
  };
  const press = (event: KeyboardEvent): void => {
    event.stopPropagation();
    const isDone = event.key === "Enter" && (!isLong || event.ctrlKey || event.metaKey);
    if (event.key === "Escape" && !isLong) close();
    else if (isDone || event.key === "Escape") keep();
    else return;
    event.preventDefault();
    focusGraph();
  };
  const shared = {
    className: "box-field nodrag nopan nowheel",
    "aria-label": isLong ? "Text of the note" : "Title of the group",
    ref: takeFocus,
    value: draft,
    onFocus: (event: FocusEvent<HTMLInputElement | HTMLTextAreaElement>) => event.target.select(),
    onBlur: () => {
      if (editingBox.get() === id) keep();
    },
    onKeyDown: press,
  };
  return isLong ? (
    <textarea {...shared} onChange={(event) => setDraft(event.target.value)} />
  ) : (
    <input {...shared} onChange={(event) => setDraft(event.target.value)} />
  );
}
