// SPDX-License-Identifier: Apache-2.0
/** Instead of the page: it was opened without a link that the server takes. */

import { Icon } from "./Icon";
import "./Workbench.css";

const REASONS = {
  "no-link": ["This page needs a link", "It was opened without the one-time link that shows that it is you who asks."],
  "used-link": ["This link was used already", "Each link opens one window, once, so that nobody else can open it after you."],
  restarted: ["The server was started anew", "It does not know this window any more. Your work is in the files and their journals."],
} as const;

export function NoLink({ reason }: { reason: keyof typeof REASONS }) {
  const [title, why] = REASONS[reason];
  return (
    <main className="connecting">
      <div className="card">
        <h2>
          <Icon name="link" /> {title}
        </h2>
        <p>{why}</p>
        <p>
          Press <kbd>Enter</kbd> in the terminal where <code>lao ui</code> runs: it prints another link. If it does not run
          any more, start it with <code>lao ui</code>.
        </p>
        <p className="muted">Nothing was sent anywhere: this page talks to your own machine alone.</p>
      </div>
    </main>
  );
}
