// SPDX-License-Identifier: Apache-2.0
/** A button with a menu below it, walked by arrow keys and by first letters. */

import { useId, useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";

import { Icon, type IconName } from "./Icon";
import "./Menu.css";

export interface MenuItem {
  label: string;
  onSelect: () => void;
  icon?: IconName;
  /** Shown at the right: keys, or a state. */
  hint?: string;
  isDisabled?: boolean;
  isChecked?: boolean;
  /** A line above it. */
  startsGroup?: boolean;
  tone?: "bad";
}

interface ButtonProps {
  label: string;
  items: readonly MenuItem[];
  children: ReactNode;
  className?: string;
  align?: "start" | "end";
}

export function MenuButton({ label, items, children, className = "button quiet icon", align = "start" }: ButtonProps) {
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  const close = (): void => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <span className="menu-anchor">
      <button
        ref={button}
        type="button"
        className={className}
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        onClick={() => setOpen((old) => !old)}
        onKeyDown={(event) => {
          if (event.key !== "ArrowDown") return;
          event.preventDefault();
          setOpen(true);
        }}
      >
        {children}
      </button>
      {isOpen ? <Menu id={id} label={label} items={items} onClose={close} className={`below ${align}`} /> : null}
    </span>
  );
}

interface MenuProps {
  label: string;
  items: readonly MenuItem[];
  onClose: () => void;
  id?: string;
  className?: string;
  /** In the window's coordinates, for a menu at the pointer. */
  at?: { x: number; y: number };
}

export function Menu({ label, items, onClose, id, className = "", at }: MenuProps) {
  const list = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    buttons(list.current)[0]?.focus();
    if (at && list.current) {
      const { width, height } = list.current.getBoundingClientRect();
      list.current.style.left = `${Math.max(4, Math.min(at.x, window.innerWidth - width - 4))}px`;
      list.current.style.top = `${Math.max(4, Math.min(at.y, window.innerHeight - height - 4))}px`;
    }
    const press = (event: PointerEvent): void => {
      const target = event.target as Node;
      if (!list.current?.parentElement?.contains(target)) onClose();
      else if (at && !list.current.contains(target)) onClose();
    };
    window.addEventListener("pointerdown", press, true);
    return () => window.removeEventListener("pointerdown", press, true);
    // A menu is built anew for each opening: what it was opened with stays true.
  }, []);
  return (
    <div
      ref={list}
      id={id}
      role="menu"
      aria-label={label}
      tabIndex={-1}
      className={`menu scroll ${at ? "free" : ""} ${className}`}
      onKeyDown={(event) => walk(event, list.current, onClose)}
    >
      {items.map((item) => (
        <button
          key={item.label}
          type="button"
          role={item.isChecked === undefined ? "menuitem" : "menuitemradio"}
          aria-checked={item.isChecked}
          aria-disabled={item.isDisabled}
          tabIndex={-1}
          className={`menu-item ${item.startsGroup ? "starts" : ""} ${item.tone ?? ""}`}
          onClick={() => {
            if (item.isDisabled) return;
            onClose();
            item.onSelect();
          }}
        >
          <span className="menu-mark">
            {item.isChecked ? <Icon name="check" size={14} /> : item.icon ? <Icon name={item.icon} size={14} /> : null}
          </span>
          <span className="menu-label">{item.label}</span>
          {item.hint ? <span className="menu-hint">{item.hint}</span> : null}
        </button>
      ))}
    </div>
  );
}

function buttons(list: HTMLElement | null): HTMLButtonElement[] {
  return list ? [...list.querySelectorAll<HTMLButtonElement>(".menu-item")] : [];
}

function walk(event: KeyboardEvent, list: HTMLElement | null, onClose: () => void): void {
  event.stopPropagation();
  const all = buttons(list);
  const index = all.indexOf(document.activeElement as HTMLButtonElement);
  const next = {
    ArrowDown: all[(index + 1) % all.length],
    ArrowUp: all[(index - 1 + all.length) % all.length],
    Home: all[0],
    End: all.at(-1),
  }[event.key];
  if (next) {
    event.preventDefault();
    next.focus();
  } else if (event.key === "Escape" || event.key === "Tab") {
    event.preventDefault();
    onClose();
  } else if (event.key.length === 1 && event.key !== " ") {
    const letter = event.key.toLowerCase();
    const after = [...all.slice(index + 1), ...all.slice(0, index + 1)];
    after.find((each) => each.querySelector(".menu-label")?.textContent?.toLowerCase().startsWith(letter))?.focus();
  }
}
