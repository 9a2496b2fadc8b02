// SPDX-License-Identifier: Apache-2.0
import type { FileView } from "../api/types";
import { openFile } from "../state/documents";
import { Icon } from "./Icon";
import "./Welcome.css";

export function FileList({ files, onOpened }: { files: readonly FileView[]; onOpened?: () => void }) {
  return (
    <ul className="files">
      {files.map((file) => (
        <li key={file.path}>
          <button
            type="button"
            className="file"
            onClick={() => {
              void openFile(file.path);
              onOpened?.();
            }}
          >
            <Icon name="document" />
            <span className="file-path">{file.path}</span>
            {file.has_unsaved ? <span className="file-state">unsaved changes</span> : null}
            <span className="file-when">{whenWords(file.modified, Date.now())}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** "just now", "5 min ago", "3 h ago", then the date. */
export function whenWords(modified: number, now: number): string {
  const minutes = (now / 1000 - modified) / 60;
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${Math.floor(minutes)} min ago`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ago`;
  return new Date(modified * 1000).toLocaleDateString(undefined, { dateStyle: "medium" });
}
