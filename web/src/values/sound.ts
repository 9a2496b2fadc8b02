// SPDX-License-Identifier: Apache-2.0
/**
 * Recordings that can be heard: one player per file, however many views it has, so that a line of a
 * transcript in one place moves the waveform in another. One plays at a time.
 */

import { useEffect, useMemo } from "react";
import type { MediaView } from "../api/types";
import { createStore, type Store } from "../state/store";
import { acquire, reason, release } from "./media";
import { decodePeaks, LARGEST_DRAWN } from "./peaks";

export interface SoundState {
  status: "empty" | "loading" | "ready" | "failed";
  why: string;
  isPlaying: boolean;
  time: number;
  duration: number;
  rate: number;
  peaks: Float32Array | null;
}

const EMPTY: SoundState = { status: "empty", why: "", isPlaying: false, time: 0, duration: 0, rate: 1, peaks: null };

export class Sound {
  readonly state: Store<SoundState> = createStore(EMPTY);
  views = 0;
  private audio: HTMLAudioElement | null = null;
  private loading: Promise<void> | null = null;

  constructor(readonly path: string) {}

  load(): Promise<void> {
    this.loading ??= this.fetch();
    return this.loading;
  }

  async toggle(): Promise<void> {
    if (this.state.get().isPlaying) this.audio?.pause();
    else await this.play();
  }

  /** Goes to a place, and plays from there if it is asked to. */
  async seek(seconds: number, isToPlay = false): Promise<void> {
    await this.load();
    if (!this.audio) return;
    this.audio.currentTime = Math.max(0, Math.min(seconds, this.audio.duration || seconds));
    this.change({ time: this.audio.currentTime });
    if (isToPlay) await this.play();
  }

  setRate(rate: number): void {
    if (this.audio) this.audio.playbackRate = rate;
    this.change({ rate });
  }

  close(): void {
    this.audio?.pause();
    this.audio?.removeAttribute("src");
    if (this.loading) release(this.path);
    this.audio = null;
    this.loading = null;
  }

  private async play(): Promise<void> {
    await this.load();
    for (const other of sounds.values()) if (other !== this) other.audio?.pause();
    try {
      await this.audio?.play();
    } catch (error) {
      // "AbortError" is a pause that came before the first sound.
      if (!(error instanceof DOMException && error.name === "AbortError")) this.fail("this browser cannot play it");
    }
  }

  private async fetch(): Promise<void> {
    this.change({ status: "loading" });
    try {
      const { bytes, url } = await acquire(this.path);
      await this.open(url);
      this.change({ status: "ready", peaks: await decodePeaks(bytes) });
    } catch (error) {
      this.fail(reason(error));
    }
  }

  private open(url: string): Promise<void> {
    const audio = new Audio();
    this.audio = audio;
    audio.preload = "metadata";
    audio.playbackRate = this.state.get().rate;
    for (const kind of ["play", "pause", "ended", "timeupdate", "seeked"]) audio.addEventListener(kind, this.look);
    return new Promise((done, fail) => {
      audio.addEventListener("loadedmetadata", () => {
        this.change({ duration: Number.isFinite(audio.duration) ? audio.duration : 0 });
        done();
      });
      audio.addEventListener("durationchange", () => Number.isFinite(audio.duration) && this.change({ duration: audio.duration }));
      audio.addEventListener("error", () => fail(new Error("this browser cannot play it")));
      audio.src = url;
    });
  }

  private readonly look = (): void => {
    if (!this.audio) return;
    const isPlaying = !this.audio.paused && !this.audio.ended;
    this.change({ isPlaying, time: this.audio.currentTime });
    if (isPlaying) requestAnimationFrame(this.look);
  };

  private fail(why: string): void {
    this.change({ status: "failed", why, isPlaying: false });
  }

  private change(news: Partial<SoundState>): void {
    this.state.set((old) => ({ ...old, ...news }));
  }
}

const sounds = new Map<string, Sound>();

function soundOf(path: string): Sound {
  const known = sounds.get(path);
  if (known) return known;
  const made = new Sound(path);
  sounds.set(path, made);
  return made;
}

/** The recording of a file; large ones are fetched when they are first played. */
export function useSound(file: MediaView): Sound {
  const { path, size } = file;
  const sound = useMemo(() => soundOf(path), [path]);
  useEffect(() => {
    sounds.set(path, sound);
    sound.views += 1;
    if ((size ?? 0) <= LARGEST_DRAWN) void sound.load();
    return () => {
      sound.views -= 1;
      // A moment later, since a view that moves goes and comes.
      setTimeout(() => {
        if (sound.views > 0) return;
        sound.close();
        if (sounds.get(path) === sound) sounds.delete(path);
      }, 0);
    };
  }, [sound, path, size]);
  return sound;
}
