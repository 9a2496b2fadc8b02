// SPDX-License-Identifier: Apache-2.0
/** Files in a value: recordings to hear, pictures to see, anything else to save. */

import { useState } from "react";
import { api } from "../api/client";
import type { MediaView } from "../api/types";
import { AudioPlayer } from "./AudioPlayer";
import { sizeInWords } from "./measures";
import { reason, saveAs, useMedia } from "./media";
import { visible } from "./signs";
import "./values.css";

/** Files shown at first: a list of ten thousand recordings is fetched by nobody. */
const SHOWN = 12;
const SHOWN_SMALL = 2;
/** Pictures beyond this size are shown when asked for. */
const LARGEST_SHOWN = 24 * 1024 * 1024;

export function FileValues({ files, isSmall = false }: { files: MediaView[]; isSmall?: boolean }) {
  const [most, setMost] = useState(isSmall ? SHOWN_SMALL : SHOWN);
  const hidden = files.length - most;
  return (
    <div className="value-files">
      {files.slice(0, most).map((file, index) => (
        // A list can hold a file twice.
        <FileValue key={`${index} ${file.path}`} file={file} isSmall={isSmall} />
      ))}
      {hidden > 0 && isSmall && <p className="value-note">{`and ${hidden} more`}</p>}
      {hidden > 0 && !isSmall && (
        <button type="button" className="button value-button" onClick={() => setMost(most + SHOWN * 4)}>
          {`Show more (${hidden})`}
        </button>
      )}
    </div>
  );
}

/** A file as it is best shown; one outside the folder is only named. */
export function FileValue({ file, isSmall = false }: { file: MediaView; isSmall?: boolean }) {
  const isShown = file.path !== "" && file.type !== "";
  if (isShown && file.type.startsWith("audio/")) {
    return (
      <div className="value-file">
        <AudioPlayer file={file} isSmall={isSmall} />
        {!isSmall && <FileLine file={file} />}
      </div>
    );
  }
  if (isShown && file.type.startsWith("image/")) return <ImageValue file={file} isSmall={isSmall} />;
  return <FileLine file={file} />;
}

function FileLine({ file }: { file: MediaView }) {
  const [why, setWhy] = useState("");
  const save = () => {
    setWhy("");
    api.bytes(file.path).then((bytes) => saveAs(bytes, file.name)).catch((error: unknown) => setWhy(reason(error)));
  };
  return (
    <div className="value-file-line nodrag">
      <bdi className="value-file-name" title={visible(file.path || file.name)}>{visible(file.name)}</bdi>
      <span className="value-muted">{file.size === null ? file.kind : `${file.kind}, ${sizeInWords(file.size)}`}</span>
      {file.path ? (
        <button type="button" className="button value-button" onClick={save} aria-label={`Save a copy of ${file.name}`}>Save a copy</button>
      ) : (
        <span className="value-muted">outside the opened folder</span>
      )}
      {why && <p className="value-note is-bad">{why}</p>}
    </div>
  );
}

/** A picture; a click shows it in its own size, and back. */
export function ImageValue({ file, isSmall = false }: { file: MediaView; isSmall?: boolean }) {
  const [isAsked, setIsAsked] = useState((file.size ?? 0) <= LARGEST_SHOWN);
  const [isLarge, setIsLarge] = useState(false);
  const [isBroken, setIsBroken] = useState(false);
  const state = useMedia(isAsked ? file.path : null);
  if (!isAsked) {
    return (
      <button type="button" className="button value-button nodrag" onClick={() => setIsAsked(true)}>
        {`Show ${file.name} (${sizeInWords(file.size ?? 0)})`}
      </button>
    );
  }
  if (state.status === "failed") return <p className="value-note is-bad">{`${file.name}: ${state.why}`}</p>;
  if (isBroken) return <p className="value-note is-bad">{`${file.name} is no picture that this browser can show`}</p>;
  const picture = state.status === "ready" && (
    <img src={state.media.url} alt={file.name} draggable={false} decoding="async" onError={() => setIsBroken(true)} />
  );
  if (isSmall) return <div className="value-image is-small">{picture}</div>;
  return (
    <figure className={isLarge ? "value-image is-large" : "value-image"}>
      <button type="button" aria-pressed={isLarge} aria-label={`${file.name}: ${isLarge ? "fit it in" : "show it in its own size"}`} onClick={() => setIsLarge(!isLarge)}>
        {picture}
      </button>
      <figcaption><FileLine file={file} /></figcaption>
    </figure>
  );
}
