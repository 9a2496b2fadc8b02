// SPDX-License-Identifier: Apache-2.0
/** The outline of a recording: how loud it is in each of a number of stretches. */

/** Recordings beyond this size get a player without a waveform: decoding takes memory. */
export const LARGEST_DRAWN = 30 * 1024 * 1024;
const STRETCHES = 480;
/** The lowest rate that every browser decodes to; outlines need no better one. */
const RATE = 8000;

/** The largest amplitude of each stretch, scaled so that the loudest is 1. */
export function peaksOf(channels: readonly Float32Array[], stretches = STRETCHES): Float32Array {
  const length = channels[0]?.length ?? 0;
  const peaks = new Float32Array(Math.min(stretches, length));
  for (const samples of channels) {
    for (let stretch = 0; stretch < peaks.length; stretch += 1) {
      const from = Math.floor((stretch * length) / peaks.length);
      const to = Math.floor(((stretch + 1) * length) / peaks.length);
      peaks[stretch] = Math.max(peaks[stretch] ?? 0, loudest(samples, from, to));
    }
  }
  const most = peaks.reduce((a, b) => Math.max(a, b), 0);
  return most > 0 ? peaks.map((peak) => peak / most) : peaks;
}

function loudest(samples: Float32Array, from: number, to: number): number {
  let most = 0;
  for (let at = from; at < to; at += 1) {
    const sample = samples[at] ?? 0;
    if (sample > most) most = sample;
    else if (-sample > most) most = -sample;
  }
  return most;
}

/** Decodes a recording and returns its outline; null where the browser cannot. */
export async function decodePeaks(bytes: Blob): Promise<Float32Array | null> {
  if (bytes.size > LARGEST_DRAWN || typeof OfflineAudioContext === "undefined") return null;
  try {
    const context = new OfflineAudioContext(1, 1, RATE);
    const sound = await context.decodeAudioData(await bytes.arrayBuffer());
    const channels = Math.min(2, sound.numberOfChannels);
    return peaksOf(Array.from({ length: channels }, (_, channel) => sound.getChannelData(channel)));
  } catch {
    return null;
  }
}
