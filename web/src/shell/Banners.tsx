// SPDX-License-Identifier: Apache-2.0
/** What stands in the way of all work: no server, a conflict, a file that cannot be changed. */

import { useEffect, useState, type ReactNode } from "react";

import { useActiveDocument, useProgress } from "../state/documents";
import { useStore } from "../state/store";
import { workspace } from "../state/workspace";
import { openDialog } from "./dialogs";
import { Icon, type IconName } from "./Icon";
import "./Banners.css";

export function Banners() {
  return (
    <div className="banners" aria-live="polite">
      <ConnectionBanner />
      <DocumentBanner />
    </div>
  );
}

function ConnectionBanner() {
  const { connection, refusal, active } = useStore(workspace, (each) => each);
  const { unsent } = useProgress(active);
  const isLate = useLasts(connection === "lost", 700);
  const kept = unsent.length ? ` Kept until it does: ${unsent.join(", ")}.` : "";
  if (connection === "refused" && refusal === "restarted") {
    const lost = unsent.length ? ` This window alone has, and will send: ${unsent.join(", ")}.` : "";
    return (
      <Banner tone="bad" icon="link">
        <b>The server was started anew.</b> What you see can still be read and copied. To go on, paste the link that{" "}
        <code>lao ui</code> printed into the address bar of this window; your changes are in the files' journals.{lost}
      </Banner>
    );
  }
  if (!isLate) return null;
  return (
    <Banner tone="warn" icon="alert">
      <b>The server does not answer.</b> The page can be read; changes are refused until it is back. It is asked again
      and again.{kept}
    </Banner>
  );
}

function DocumentBanner() {
  const document = useActiveDocument();
  if (!document) return null;
  if (document.is_conflicting) {
    return (
      <Banner tone="warn" icon="compare">
        <b>{document.path} was changed or removed elsewhere.</b> Nothing is written before you have chosen.
        <button type="button" className="button" onClick={() => openDialog("merge")}>
          Merge…
        </button>
      </Banner>
    );
  }
  if (document.read_only) {
    return (
      <Banner tone="note" icon="lock">
        <b>Read only:</b> {document.read_only}
      </Banner>
    );
  }
  return null;
}

function Banner({ tone, icon, children }: { tone: "bad" | "warn" | "note"; icon: IconName; children: ReactNode }) {
  return (
    <div className={`banner ${tone}`}>
      <Icon name={icon} />
      <div className="banner-words">{children}</div>
    </div>
  );
}

/** True once `isSo` has been true for a while: a blink of the connection is no news. */
function useLasts(isSo: boolean, milliseconds: number): boolean {
  const [lasts, setLasts] = useState(false);
  useEffect(() => {
    if (!isSo) return setLasts(false);
    const timer = setTimeout(() => setLasts(true), milliseconds);
    return () => clearTimeout(timer);
  }, [isSo, milliseconds]);
  return isSo && lasts;
}
