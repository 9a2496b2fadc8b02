// SPDX-License-Identifier: Apache-2.0
/** A step on the canvas: its name, its ports, what is wrong with it, what it gave. */

import type { NodeProps } from "@xyflow/react";
import { type KeyboardEvent, memo, useState } from "react";

import type { StepView } from "../api/types";
import { NodeBody } from "../runs/NodeBody";
import { shortModel } from "../runs/words";
import { Icon, type IconName } from "../shell/Icon";
import { Words } from "../shell/Words";
import { useStepRun } from "../state/runs";
import { useStore } from "../state/store";
import { beginRename, rename } from "./commands";
import { useFar } from "./far";
import type { StepFlowNode } from "./flow";
import { OUTPUT_PORT, WAIT_PORT } from "./geometry";
import { Port } from "./Port";
import { renaming, takeFocus } from "./renaming";
import { typeWord } from "./types";

export const StepNode = memo(function StepNode({ id, data }: NodeProps<StepFlowNode>) {
  const { path, step, problems, connected, hasReaders } = data;
  const isFar = useFar();
  const about = aboutStep(step);
  const label = `${id}, ${about}${problems.length > 0 ? `, problem: ${problems.join("; ")}` : ""}`;
  return (
    <div
      id={nodeElementId(id)}
      className={`node step ${step.sort}${problems.length > 0 ? " faulty" : ""}`}
      role="group"
      aria-roledescription="step"
      aria-label={label}
    >
      <div className="node-head" onDoubleClick={() => beginRename(path, id)}>
        <span className="node-icon">
          <Icon name={iconOf(step)} />
        </span>
        <span className="node-words">
          <StepName path={path} id={id} />
          <span className="node-about" title={step.model || about}>
            {inShort(step)}
          </span>
        </span>
        {problems.length > 0 ? (
          <span className="node-mark" title={problems.join("\n")}>
            <Icon name="alert" size={15} label="problem" />
          </span>
        ) : null}
      </div>
      {isFar ? (
        <FarState path={path} id={id} />
      ) : (
        <>
          <Port node={id} name={WAIT_PORT} type={null} label="wait for another step" isConnected={connected.includes("")} />
          <Ports step={step} connected={connected} hasReaders={hasReaders} />
          {problems[0] === undefined ? null : <p className="node-problem">
              <Words text={problems[0]} />
            </p>}
          <div className="node-body nodrag">
            <NodeBody path={path} step={id} />
          </div>
        </>
      )}
    </div>
  );
});

/** From afar a step's state is a colour. */
function FarState({ path, id }: { path: string; id: string }) {
  const status = useStepRun(path, id)?.status ?? "";
  return <div className={`node-far ${status}`} />;
}

interface PortsProps {
  step: StepView;
  connected: readonly string[];
  hasReaders: boolean;
}

function Ports({ step, connected, hasReaders }: PortsProps) {
  return (
    <div className="ports">
      <div className="ports-in">
        {step.inputs.map((port) => {
          const isConnected = connected.includes(port.name);
          return (
            <div className="port-row" key={port.name}>
              <Port
                node={step.id}
                name={port.name}
                type={port.type}
                label={`${port.label}: takes ${typeWord(port.type)}`}
                isConnected={isConnected}
                isRequired={port.is_required}
              />
              <span className="port-label">{port.label}</span>
              {port.is_required && !isConnected && !isGiven(step, port.name) ? <span className="port-star">*</span> : null}
            </div>
          );
        })}
      </div>
      <div className="port-row out">
        <span className="port-label">{typeWord(step.output)}</span>
        <Port node={step.id} name={OUTPUT_PORT} type={step.output} label={`gives ${typeWord(step.output)}`} isConnected={hasReaders} />
      </div>
    </div>
  );
}

export function StepName({ path, id }: { path: string; id: string }) {
  const isWritten = useStore(renaming, (which) => which === id);
  return isWritten ? <NameField path={path} id={id} /> : <span className="node-name">{id}</span>;
}

/** The name, to be written anew: Enter keeps it, Escape does not. */
export function NameField({ path, id }: { path: string; id: string }) {
  const [name, setName] = useState(id);
  const press = (event: KeyboardEvent): void => {
    event.stopPropagation();
    if (event.key === "Escape") renaming.set(() => null);
    else if (event.key === "Enter") void rename(path, id, name);
    else return;
    event.preventDefault();
    focusGraph();
  };
  return (
    <input
      className="node-name-field nodrag nopan"
      aria-label={`New name of ${id}`}
      ref={takeFocus}
      spellCheck={false}
      value={name}
      onFocus={(event) => event.target.select()}
      onChange={(event) => setName(event.target.value)}
      onBlur={() => {
        if (renaming.get() === id) void rename(path, id, name);
      }}
      onKeyDown={press}
    />
  );
}

/** The element that the canvas points a screen reader at. */
export const nodeElementId = (id: string): string => `node-${id}`;

export function focusGraph(): void {
  document.querySelector<HTMLElement>("[data-graph]")?.focus({ preventScroll: true });
}

/** What answers: the recipe or plugin, and the model behind it. */
export function aboutStep({ title, model }: StepView): string {
  const [what, asked] = [withoutFolder(title), withoutFolder(model)];
  return !asked || asked.endsWith(what) || what.endsWith(asked) ? what || asked : `${what} · ${asked}`;
}

/** A model that is a file goes by the file's name: its folders would fill the node. */
export function withoutFolder(model: string): string {
  return model.includes("/") ? shortModel(model) : model;
}

/** The same, where there is little room: which of the embedded models it is follows from the recipe. */
export function inShort(step: StepView): string {
  return aboutStep({ ...step, model: step.model.replace(/^(embedded):.*/, step.sort === "recipe" ? "$1" : "$&") });
}

/** Whether the file itself gives what a port asks for. */
function isGiven({ data }: StepView, port: string): boolean {
  const [outer = "", inner] = port.split(".");
  const given = data[outer];
  if (inner === undefined) return given !== undefined;
  return typeof given === "object" && given !== null && inner in given;
}

export function iconOf({ sort, inputs, output }: StepView): IconName {
  switch (sort) {
    case "model":
      return "model";
    case "plugin":
      return "plugin";
    case "reshape":
      return "shape";
    case "unknown":
      return "help";
    case "recipe":
      return inputs.some((port) => port.type === "audio") ? "speech" : output === "json" ? "json" : "recipe";
  }
}
