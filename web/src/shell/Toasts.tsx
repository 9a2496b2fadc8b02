// SPDX-License-Identifier: Apache-2.0
import { useStore } from "../state/store";
import { Icon } from "./Icon";
import { dismiss, toasts } from "./toasts";
import { Words } from "./Words";
import "./Toasts.css";

const ICONS = { note: "info", good: "check", bad: "alert" } as const;

export function Toasts() {
  const all = useStore(toasts, (each) => each);
  return (
    <div className="toasts" role="log" aria-live="polite" aria-label="Messages">
      {all.map(({ id, tone, text, mend, action }) => (
        <div key={id} className={`toast ${tone}`}>
          <Icon name={ICONS[tone]} />
          <div className="toast-words">
            <div>
              <Words text={text} />
            </div>
            {mend ? (
              <div className="muted">
                <Words text={mend} />
              </div>
            ) : null}
          </div>
          {action ? (
            <button
              type="button"
              className="button quiet"
              onClick={() => {
                dismiss(id);
                action.run();
              }}
            >
              {action.label}
            </button>
          ) : null}
          <button type="button" className="button quiet icon" aria-label="Dismiss" onClick={() => dismiss(id)}>
            <Icon name="close" size={12} />
          </button>
        </div>
      ))}
    </div>
  );
}
