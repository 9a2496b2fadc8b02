// SPDX-License-Identifier: Apache-2.0
/** A recording with its waveform; a click in it goes there. */

import { type KeyboardEvent, type PointerEvent, useMemo } from "react";
import type { MediaView } from "../api/types";
import { useStore } from "../state/store";
import { sizeInWords, timeInWords } from "./measures";
import { type Sound, type SoundState, useSound } from "./sound";
import "./values.css";

/** How far the arrow keys go, in seconds. */
const STEP = 5;
const RATES = [1, 1.25, 1.5, 2, 0.75];

export function AudioPlayer({ file, isSmall = false }: { file: MediaView; isSmall?: boolean }) {
  const sound = useSound(file);
  const state = useStore(sound.state, (all) => all);
  if (state.status === "failed") {
    return <p className="value-note is-bad">{`${file.name}: ${state.why}`}</p>;
  }
  return (
    <div className={isSmall ? "value-audio is-small nodrag" : "value-audio"} role="group" aria-label={`Recording ${file.name}`}>
      <PlayButton sound={sound} isPlaying={state.isPlaying} name={file.name} />
      <Track sound={sound} state={state} />
      <span className="value-time">{timesInWords(state, file)}</span>
      {!isSmall && <RateButton sound={sound} rate={state.rate} />}
    </div>
  );
}

function timesInWords(state: SoundState, file: MediaView): string {
  if (state.status === "loading") return "…";
  if (!state.duration) return file.size === null ? "" : sizeInWords(file.size);
  const all = timeInWords(state.duration);
  return state.time > 0 ? `${timeInWords(state.time)} / ${all}` : all;
}

function PlayButton({ sound, isPlaying, name }: { sound: Sound; isPlaying: boolean; name: string }) {
  return (
    <button type="button" className="value-play" aria-label={`${isPlaying ? "Pause" : "Play"} ${name}`} onClick={() => void sound.toggle()}>
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
        <path d={isPlaying ? "M4 3h3v10H4zM9 3h3v10H9z" : "M4 2.5v11l9-5.5z"} fill="currentColor" />
      </svg>
    </button>
  );
}

function RateButton({ sound, rate }: { sound: Sound; rate: number }) {
  const next = RATES[(RATES.indexOf(rate) + 1) % RATES.length] ?? 1;
  return (
    <button type="button" className="button value-button" aria-label={`Speed ${rate}; change to ${next}`} onClick={() => sound.setRate(next)}>
      {`${rate}×`}
    </button>
  );
}

function Track({ sound, state }: { sound: Sound; state: SoundState }) {
  const { time, duration, peaks } = state;
  const share = duration > 0 ? Math.min(1, time / duration) : 0;
  const outline = useMemo(() => (peaks ? outlineOf(peaks) : null), [peaks]);
  const go = (event: PointerEvent<HTMLDivElement>) => {
    if (event.type === "pointermove" && !event.currentTarget.hasPointerCapture(event.pointerId)) return;
    if (event.type === "pointerdown") event.currentTarget.setPointerCapture(event.pointerId);
    const box = event.currentTarget.getBoundingClientRect();
    void sound.seek(((event.clientX - box.left) / box.width) * duration);
  };
  return (
    <div
      className="value-track"
      role="slider"
      tabIndex={0}
      aria-label="Place in the recording"
      aria-valuemin={0}
      aria-valuemax={Math.round(duration)}
      aria-valuenow={Math.round(time)}
      aria-valuetext={`${timeInWords(time)} of ${timeInWords(duration)}`}
      onPointerDown={go}
      onPointerMove={go}
      onKeyDown={(event) => onKey(event, sound, state)}
    >
      {outline ? <Waveform outline={outline} share={share} /> : <div className="value-bar" style={{ transform: `scaleX(${share})` }} />}
    </div>
  );
}

function onKey(event: KeyboardEvent, sound: Sound, { time, duration }: SoundState): void {
  const places: Record<string, number> = {
    ArrowRight: time + STEP,
    ArrowLeft: time - STEP,
    PageDown: time + STEP * 6,
    PageUp: time - STEP * 6,
    Home: 0,
    End: duration,
  };
  const place = places[event.key];
  if (place === undefined && event.key !== " ") return;
  event.preventDefault();
  event.stopPropagation();
  void (place === undefined ? sound.toggle() : sound.seek(place));
}

/** Drawn as a shape, since a picture of pixels blurs when the canvas is zoomed. */
function Waveform({ outline, share }: { outline: Outline; share: number }) {
  return (
    <svg className="value-wave" viewBox={`0 0 ${outline.width} 100`} preserveAspectRatio="none" aria-hidden="true">
      <path d={outline.path} className="value-wave-rest" />
      <path d={outline.path} className="value-wave-played" style={{ clipPath: `inset(0 ${(1 - share) * 100}% 0 0)` }} />
      <path d={`M${share * outline.width} 0V100`} className="value-wave-here" vectorEffect="non-scaling-stroke" />
    </svg>
  );
}

interface Outline {
  path: string;
  width: number;
}

/** Bars around a middle line, three units apart and two wide. */
function outlineOf(peaks: Float32Array, most = 160): Outline {
  const per = Math.max(1, Math.ceil(peaks.length / most));
  const bars: string[] = [];
  for (let at = 0; at < peaks.length; at += per) {
    const half = Math.max(2, 48 * peaks.subarray(at, at + per).reduce((a, b) => Math.max(a, b), 0));
    bars.push(`M${bars.length * 3} ${(50 - half).toFixed(1)}h2v${(2 * half).toFixed(1)}h-2z`);
  }
  return { path: bars.join(""), width: Math.max(1, bars.length * 3 - 1) };
}
