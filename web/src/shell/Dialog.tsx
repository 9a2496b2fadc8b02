// SPDX-License-Identifier: Apache-2.0
/** A modal dialog: the browser's own, which keeps the focus in and gives it back. */

import { useId, useLayoutEffect, useRef, type ReactNode } from "react";

import { Icon } from "./Icon";
import "./Dialog.css";

const FOCUSABLE = "input:not(:disabled), textarea, select, button:not(:disabled), [tabindex='0']";

interface Props {
  title: string;
  onClose: () => void;
  children: ReactNode;
  /** Buttons below, the main one last. */
  actions?: ReactNode;
  size?: "small" | "medium" | "large";
}

export function Dialog({ title, onClose, children, actions, size = "medium" }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    const dialog = element.current;
    const before = document.activeElement;
    if (dialog && !dialog.open) {
      dialog.showModal();
      dialog.querySelector<HTMLElement>(`.dialog-body :is(${FOCUSABLE})`)?.focus();
    }
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={element}
      className={`dialog ${size}`}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => {
        if (event.target === element.current) onClose();
      }}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <div className="dialog-box">
        <header className="dialog-head">
          <h2 id={id}>{title}</h2>
          <button type="button" className="button quiet icon" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        <div className="dialog-body scroll">{children}</div>
        {actions ? <footer className="dialog-actions">{actions}</footer> : null}
      </div>
    </dialog>
  );
}
