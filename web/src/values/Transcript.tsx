// SPDX-License-Identifier: Apache-2.0
/** Timed lines of a recording: a click plays from there, and the line being said is marked. */

import { memo, useEffect, useRef, useState } from "react";
import type { MediaView } from "../api/types";
import { useStore } from "../state/store";
import { AudioPlayer } from "./AudioPlayer";
import { timeInWords } from "./measures";
import { type Segment, segmentAt } from "./segments";
import { visible } from "./signs";
import { type Sound, useSound } from "./sound";
import "./values.css";

const SHOWN = 400;
const SHOWN_SMALL = 6;

export interface TranscriptProps {
  segments: Segment[];
  /** What was transcribed, if it can be heard here. */
  recording: MediaView | null;
  isSmall?: boolean;
}

export function Transcript({ segments, recording, isSmall = false }: TranscriptProps) {
  if (!recording) return <Lines segments={segments} sound={null} now={-1} isSmall={isSmall} />;
  return <Heard segments={segments} recording={recording} isSmall={isSmall} />;
}

function Heard({ segments, recording, isSmall }: { segments: Segment[]; recording: MediaView; isSmall: boolean }) {
  const sound = useSound(recording);
  const now = useStore(sound.state, ({ time, isPlaying }) => (time > 0 || isPlaying ? segmentAt(segments, time) : -1));
  return (
    <div className="value-heard">
      {!isSmall && <AudioPlayer file={recording} />}
      <Lines segments={segments} sound={sound} now={now} isSmall={isSmall} />
    </div>
  );
}

interface LinesProps {
  segments: Segment[];
  sound: Sound | null;
  /** The line that is being said, or -1. */
  now: number;
  isSmall: boolean;
}

function Lines({ segments, sound, now, isSmall }: LinesProps) {
  const [most, setMost] = useState(SHOWN);
  const list = useRef<HTMLOListElement>(null);
  const from = isSmall ? Math.max(0, Math.min(now - 1, segments.length - SHOWN_SMALL)) : 0;
  const shown = segments.slice(from, from + (isSmall ? SHOWN_SMALL : Math.max(most, now + 20)));
  useEffect(() => {
    if (!isSmall && now >= 0) keepInSight(list.current, now);
  }, [isSmall, now]);
  const rest = segments.length - from - shown.length;
  return (
    <>
      <ol ref={list} className={isSmall ? "value-lines is-small" : "value-lines"}>
        {shown.map((segment, index) => (
          <Line key={from + index} segment={segment} sound={sound} isNow={from + index === now} />
        ))}
      </ol>
      {rest > 0 && !isSmall && (
        <button type="button" className="button value-button" onClick={() => setMost(most + SHOWN * 4)}>{`Show more lines (${rest})`}</button>
      )}
    </>
  );
}

const Line = memo(function Line({ segment, sound, isNow }: { segment: Segment; sound: Sound | null; isNow: boolean }) {
  const time = timeInWords(segment.start);
  const words = <bdi>{visible(segment.text.trim())}</bdi>;
  return (
    <li className={isNow ? "is-now" : undefined} aria-current={isNow || undefined}>
      {sound ? (
        <button type="button" className="nodrag" onClick={() => void sound.seek(segment.start, true)}>
          <span className="value-time">{time}</span>
          {words}
        </button>
      ) : (
        <p>
          <span className="value-time">{time}</span>
          {words}
        </p>
      )}
    </li>
  );
});

/** Scrolls the list alone: the page around it stays where the reader put it. */
function keepInSight(list: HTMLElement | null, index: number): void {
  const line = list?.children[index];
  if (!list || !(line instanceof HTMLElement) || list.matches(":hover")) return;
  const top = line.offsetTop - list.offsetTop;
  if (top < list.scrollTop || top + line.offsetHeight > list.scrollTop + list.clientHeight) {
    list.scrollTop = top - list.clientHeight / 3;
  }
}
