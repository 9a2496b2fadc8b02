// SPDX-License-Identifier: Apache-2.0
/** An input of the workflow on the canvas. */

import type { NodeProps } from "@xyflow/react";
import { memo } from "react";

import { InputBody } from "../runs/InputBody";
import { Icon, type IconName } from "../shell/Icon";
import { useFar } from "./far";
import type { InputFlowNode } from "./flow";
import { OUTPUT_PORT } from "./geometry";
import { Port } from "./Port";
import { nodeElementId } from "./StepNode";
import { typeClass } from "./types";

export const InputNode = memo(function InputNode({ id, data: { path, input, hasReaders } }: NodeProps<InputFlowNode>) {
  const isFar = useFar();
  const about = input.description || (input.is_required ? "to be given" : "optional");
  return (
    <div
      id={nodeElementId(id)}
      className="node input"
      role="group"
      aria-roledescription="workflow input"
      aria-label={`input ${input.name}, ${input.type}, ${about}`}
    >
      <div className="node-head">
        <span className={`node-icon ${typeClass(input.type)}`}>
          <Icon name={inputIcon(input.type)} />
        </span>
        <span className="node-words">
          <span className="node-name">{input.name}</span>
          <span className="node-about" title={about}>
            {about}
          </span>
        </span>
        {isFar ? null : (
          <>
            <span className="port-label">{input.type}</span>
            <Port node={id} name={OUTPUT_PORT} type={input.type} label={`gives ${input.type}`} isConnected={hasReaders} />
          </>
        )}
      </div>
      {isFar ? null : <InputBody path={path} input={input.name} />}
    </div>
  );
});

export function inputIcon(type: string): IconName {
  const kind = type.startsWith("list[") ? "list" : type;
  const icons: Record<string, IconName> = {
    audio: "audio",
    image: "image",
    document: "document",
    file: "file",
    json: "json",
    list: "list",
  };
  return icons[kind] ?? "text";
}
