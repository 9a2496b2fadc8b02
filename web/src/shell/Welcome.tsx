// SPDX-License-Identifier: Apache-2.0
/** No file is open: those of the folder, and examples to begin with. */

import { useStore } from "../state/store";
import { workspace } from "../state/workspace";
import { Icon } from "./Icon";
import { FileList } from "./FileList";
import { Gallery } from "./Gallery";
import { openDialog } from "./dialogs";
import "./Welcome.css";

export function Welcome() {
  const { server, folder } = useStore(workspace, (each) => each);
  if (!server || !folder) return <main className="connecting" aria-busy />;
  return (
    <main className="welcome scroll" id="work" tabIndex={-1} data-region="work">
      <div className="welcome-inner">
        <section aria-label="Files">
          <header>
            <h2>Workflows in {lastPart(server.folder)}</h2>
            <button type="button" className="button" onClick={() => openDialog("new")}>
              <Icon name="new" size={14} /> New
            </button>
          </header>
          {folder.files.length ? (
            <FileList files={folder.files} />
          ) : (
            <p className="muted">There is none yet. Begin with an example, or with an empty one.</p>
          )}
          {folder.is_whole ? null : <p className="muted">The folder is large: not everything is listed.</p>}
        </section>
        {server.examples.length ? (
          <section aria-label="Examples">
            <header>
              <h2>Examples</h2>
            </header>
            <Gallery examples={server.examples} files={folder.files} />
          </section>
        ) : null}
      </div>
    </main>
  );
}

function lastPart(folder: string): string {
  return folder.split("/").filter(Boolean).at(-1) ?? folder;
}
