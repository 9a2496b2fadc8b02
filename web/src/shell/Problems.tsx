// SPDX-License-Identifier: Apache-2.0
/** The problems of a file, each a way to its place. */

import { useLayoutEffect, useRef } from "react";

import type { DocumentView, ProblemView } from "../api/types";
import { Icon } from "./Icon";
import { goTo } from "./problems";
import { Words } from "./Words";

export function Problems({ document, onClose }: { document: DocumentView; onClose: () => void }) {
  const list = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    list.current?.querySelector("button")?.focus();
  }, []);
  return (
    <div
      ref={list}
      className="problems scroll"
      role="group"
      aria-label="Problems"
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        onClose();
      }}
    >
      {document.problems.map((each, index) => (
        <button key={index} type="button" className="problem" onClick={() => goTo(document, each)}>
          <span className={each.severity === "problem" ? "bad" : "warn"}>
            <Icon name={each.severity === "problem" ? "error" : "info"} size={14} label={each.severity} />
          </span>
          <span className="problem-what">
            <Words text={each.what} />
          </span>
          <span className="problem-place">{placeOf(each)}</span>
          {each.mend ? <span className="problem-mend"><Words text={each.mend} /></span> : null}
        </button>
      ))}
    </div>
  );
}

function placeOf({ step, line }: ProblemView): string {
  return [step, line ? `line ${line}` : ""].filter(Boolean).join(" · ");
}
