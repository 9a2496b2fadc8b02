// SPDX-License-Identifier: Apache-2.0
/** The graph as a list, in the order of its connections: all of it can be read and done here too. */

import { type FocusEvent, type KeyboardEvent, memo, useCallback, useLayoutEffect, useMemo, useRef } from "react";

import type { DocumentView, EdgeView } from "../api/types";
import { NodeBody } from "../runs/NodeBody";
import { Icon } from "../shell/Icon";
import { MenuButton } from "../shell/Menu";
import { Words } from "../shell/Words";
import { useDocument } from "../state/documents";
import { select, selection } from "../state/selection";
import { useStore } from "../state/store";
import { Announcer } from "./announce";
import { BoxText } from "./BoxNodes";
import "./list.css";
import "./nodes.css";
import { activeNode, disconnect } from "./commands";
import { type Point, around } from "./geometry";
import { INPUTS, inOrder, isInput, neighbours, spoken, stepById } from "./graph";
import { inputIcon } from "./InputNode";
import { commandFor } from "./keyboard";
import { actionsFor, openConnectFrom, openConnectTo } from "./menus";
import { PopupHost } from "./Picker";
import { allRects } from "./places";
import { editingBox, renaming } from "./renaming";
import { iconOf, inShort, NameField } from "./StepNode";
import { TypeChip } from "./TypeChip";
import { choose, focusInspector, useClipboard, useGraphKeys } from "./useGraphKeys";

export function ListView({ path }: { path: string }) {
  const document = useDocument(path);
  return (
    <div className="list-view scroll">
      {document ? <Steps document={document} /> : null}
      <Announcer />
      <PopupHost />
    </div>
  );
}

const rowId = (id: string): string => `row-${id}`;

function anchor(id: string): Point {
  const { left, bottom } = window.document.getElementById(rowId(id))?.getBoundingClientRect() ?? { left: 40, bottom: 80 };
  return { x: left, y: bottom };
}

function Steps({ document }: { document: DocumentView }) {
  const { path } = document;
  const list = useRef<HTMLOListElement>(null);
  const order = useMemo(() => [...inOrder(document), ...document.boxes.map((box) => box.id)], [document]);
  const active = useStore(selection, (chosen) => chosen.nodes.at(-1));
  const asked = useStore(selection, (chosen) => chosen.reveal);
  const middle = useCallback((): Point => {
    const all = around(allRects(document));
    return all ? { x: all.x, y: all.y + all.height + 40 } : { x: 0, y: 0 };
  }, [document]);
  useGraphKeys(path, { anchor, middle });
  useClipboard(path);

  useLayoutEffect(() => {
    const row = active === undefined ? null : window.document.getElementById(rowId(active));
    if (!row) return;
    row.scrollIntoView({ block: "nearest" });
    if (list.current?.contains(window.document.activeElement)) row.focus({ preventScroll: true });
  }, [active, asked, order]);

  const press = (event: KeyboardEvent): void => {
    if (!(event.target instanceof Element) || !event.target.matches(".row-name")) return;
    const command = commandFor(event);
    if (!command) return;
    const current = activeNode() ?? event.target.id.slice(rowId("").length);
    const index = order.indexOf(current);
    const near = neighbours(document).get(current);
    event.preventDefault();
    event.stopPropagation();
    if (command.act === "walk" || command.act === "extend") {
      const { up, down, left, right } = { up: order[index - 1], down: order[index + 1], left: near?.before[0], right: near?.after[0] };
      choose({ up, down, left, right }[command.direction] ?? null, command.act === "extend");
    } else if (command.act === "first") choose(order[0] ?? null);
    else if (command.act === "last") choose(order.at(-1) ?? null);
    else if (command.act === "clear") select([]);
    else if (command.act === "edit") {
      select([current]);
      focusInspector();
    } else if (command.act === "menu") event.target.closest("li")?.querySelector<HTMLElement>("[aria-haspopup=menu]")?.click();
  };
  const enter = (event: FocusEvent): void => {
    if (event.target !== list.current) return;
    list.current.querySelector<HTMLElement>(".row-name[tabindex='0']")?.focus();
  };
  const first = active !== undefined && order.includes(active) ? active : order[0];
  return (
    <ol ref={list} className="rows" role="list" aria-label={`Steps of ${document.name || path}`} data-graph="" tabIndex={-1} onKeyDown={press} onFocus={enter}>
      {order.length === 0 ? (
        <li className="muted">
          Nothing here yet. Press <kbd>/</kbd> to add a step.
        </li>
      ) : null}
      {order.map((id) => (
        <Row key={id} id={id} document={document} isChosen={id === active} isTabStop={id === first} />
      ))}
    </ol>
  );
}

interface RowProps {
  id: string;
  document: DocumentView;
  isChosen: boolean;
  isTabStop: boolean;
}

const Row = memo(function Row({ id, document, isChosen, isTabStop }: RowProps) {
  const { path } = document;
  const step = stepById(document, id);
  const input = isInput(id) ? document.inputs.find((each) => INPUTS + each.name === id) : undefined;
  const box = document.boxes.find((each) => each.id === id);
  const isNamed = useStore(renaming, (which) => which === id);
  const isWritten = useStore(editingBox, (which) => which === id);
  const about = step ? inShort(step) : (input?.description ?? (box?.kind === "group" ? "group" : "note"));
  const problems = document.problems.filter((problem) => problem.step === id && problem.severity === "problem");
  const name = input?.name ?? (box ? box.text || `Empty ${box.kind}` : id);
  const icon = step ? iconOf(step) : input ? inputIcon(input.type) : box?.kind === "group" ? "group" : "note";
  return (
    <li className={`row${isChosen ? " chosen" : ""}${problems.length > 0 ? " faulty" : ""}`}>
      <div className="row-head">
        <span className="node-icon">
          <Icon name={icon} />
        </span>
        {isNamed ? (
          <NameField path={path} id={id} />
        ) : isWritten && box ? (
          <BoxText path={path} id={id} text={box.text} isLong={box.kind === "note"} />
        ) : (
          <button
            type="button"
            id={rowId(id)}
            className="row-name"
            tabIndex={isTabStop ? 0 : -1}
            aria-current={isChosen ? "true" : undefined}
            onClick={() => select([id])}
            onDoubleClick={focusInspector}
          >
            <span className="node-name">{name}</span> <span className="node-about">{about}</span>
            {input ? <span className="unseen">, workflow input of type {input.type}</span> : null}
          </button>
        )}
        {step ? <TypeChip type={step.output} /> : input ? <TypeChip type={input.type} /> : null}
        <MenuButton label={`What to do with ${name}`} items={actionsFor(path, id, anchor)} align="end">
          <Icon name="more" />
        </MenuButton>
      </div>
      {problems.map((problem) => (
        <p key={problem.what} className="row-problem">
          <Icon name="alert" size={14} label="problem" /> <Words text={problem.what} />
        </p>
      ))}
      {box ? null : <Links document={document} id={id} canRead={step !== undefined} />}
      {step ? <NodeBody path={path} step={id} /> : null}
    </li>
  );
});

/** What a node reads and who reads it; each a way there. */
function Links({ document, id, canRead }: { document: DocumentView; id: string; canRead: boolean }) {
  const { path } = document;
  const before = document.edges.filter((edge) => edge.target === id);
  const after = document.edges.filter((edge) => edge.source === id);
  const words = (edge: EdgeView): string => {
    if (edge.port === "") return "waits for";
    const port = stepById(document, id)?.inputs.find((each) => each.name === edge.port);
    return `${port?.label ?? edge.port} from`;
  };
  return (
    <div className="links">
      {before.map((edge) => (
        <span className="link" key={`${edge.source}:${edge.port}`}>
          {words(edge)}{" "}
          <button type="button" className="link-to" tabIndex={-1} onClick={() => select([edge.source])}>
            {spoken(edge.source)}
          </button>
          <button
            type="button"
            className="link-cut"
            tabIndex={-1}
            aria-label={`Disconnect from ${spoken(edge.source)}`}
            title="Disconnect"
            onClick={() => void disconnect(path, edge)}
          >
            <Icon name="close" size={11} />
          </button>
        </span>
      ))}
      {after.length > 0 ? <span className="link">to</span> : null}
      {[...new Set(after.map((edge) => edge.target))].map((target) => (
        <button key={target} type="button" className="link-to" tabIndex={-1} onClick={() => select([target])}>
          {target}
        </button>
      ))}
      <button type="button" className="link-to add" tabIndex={-1} onClick={() => openConnectTo(path, id, anchor(id))}>
        Connect to…
      </button>
      {canRead ? (
        <button type="button" className="link-to add" tabIndex={-1} onClick={() => openConnectFrom(path, id, anchor(id))}>
          Connect from…
        </button>
      ) : null}
    </div>
  );
}
