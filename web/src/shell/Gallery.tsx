// SPDX-License-Identifier: Apache-2.0
/** The examples that come with LAO: one click makes a file of one. */

import type { ExampleView, FileView } from "../api/types";
import { createFile } from "../state/documents";
import { freeName } from "./fileNames";
import { Icon } from "./Icon";
import "./Welcome.css";

interface Props {
  examples: readonly ExampleView[];
  files: readonly FileView[];
  onCreated?: () => void;
}

export function Gallery({ examples, files, onCreated }: Props) {
  return (
    <div className="gallery">
      {examples.map(({ name, description }) => (
        <button
          key={name}
          type="button"
          className="example"
          onClick={() => void create(name, files).then((isMade) => isMade && onCreated?.())}
        >
          <span className="example-name">
            <Icon name="gallery" size={14} /> {name}
          </span>
          <span className="muted">{description}</span>
        </button>
      ))}
    </div>
  );
}

async function create(example: string, files: readonly FileView[]): Promise<boolean> {
  const problems = await createFile({ path: freeName(example, files), example });
  return problems.length === 0;
}
