# SPDX-License-Identifier: Apache-2.0
"""Changes the sample rate of a stream of audio. Runs inside workers.

A windowed sinc in polyphase form. Sample n of the output lies at n * down / up samples
of the input, where `up / down` is the ratio of the rates in lowest terms; a table has
the weights of its neighbours for each fraction that occurs. What later outputs still
need of a block is kept, so that the borders of blocks are inaudible, and positions
are whole numbers, so that nothing drifts in a recording of many hours.
"""

from math import ceil, gcd

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

_LOBES = 16  # of the sinc, on each side
_KAISER = 8.0  # side lobes at -80 dB
_PASSED = 0.92  # of the narrower band; the rest is the filter's slope
_MOST_PHASES = 2000  # odd rates take the nearest: off by 1/4000 of a sample
_AT_ONCE = 16_384  # outputs; bounds memory


class Resampler:
    """Takes blocks at `rate_in`, gives blocks at `rate_out` (both in Hz)."""

    def __init__(self, rate_in: int, rate_out: int) -> None:
        common = gcd(rate_in, rate_out)
        self._up, self._down = rate_out // common, rate_in // common
        cutoff = _PASSED * min(1.0, self._up / self._down)
        self._half = ceil(_LOBES / cutoff)
        self._table = _weights(min(self._up, _MOST_PHASES), cutoff, self._half)
        self._kept: Samples = np.zeros(self._half - 1, np.float32)
        self._dropped = 1 - self._half  # inputs that lie before `_kept`
        self._given = 0

    def feed(self, samples: Samples) -> Samples:
        """Return what can be said after these samples."""
        self._kept = np.concatenate([self._kept, samples])
        known = self._dropped + len(self._kept) - self._half
        return self._advance(-(-known * self._up // self._down))

    def finish(self) -> Samples:
        """Return the rest, so that as many seconds have come out as went in."""
        taken = self._dropped + len(self._kept)
        self._kept = np.pad(self._kept, (0, self._half + self._down))
        return self._advance(round(taken * self._up / self._down))

    def _advance(self, end: int) -> Samples:
        """Make the outputs up to `end`, and forget inputs that no later one needs."""
        parts = [np.zeros(0, np.float32)]
        while self._given < end:
            upto = min(end, self._given + _AT_ONCE)
            parts.append(self._outputs(np.arange(self._given, upto, dtype=np.int64)))
            self._given = upto
        needed = self._given * self._down // self._up - self._half + 1
        self._kept = self._kept[max(0, needed - self._dropped) :].copy()
        self._dropped = max(needed, self._dropped)
        return np.concatenate(parts)

    def _outputs(self, numbers: npt.NDArray[np.int64]) -> Samples:
        whole, part = np.divmod(numbers * self._down, self._up)
        windows = np.lib.stride_tricks.sliding_window_view(self._kept, 2 * self._half)
        chosen = windows[whole - self._half + 1 - self._dropped]
        phases = part * len(self._table) // self._up
        made: Samples = np.einsum("ij,ij->i", chosen, self._table[phases])
        return made


def _weights(phases: int, cutoff: float, half: int) -> Samples:
    """Return weights[p, i]: of input i, counted from `1 - half`, for fraction p."""
    inputs = np.arange(1 - half, half + 1)
    distance = inputs[None, :] - np.arange(phases)[:, None] / phases
    inside = np.clip(1 - (distance / half) ** 2, 0, None)
    weights = np.sinc(cutoff * distance) * np.i0(_KAISER * np.sqrt(inside))
    normal: Samples = weights / weights.sum(axis=1, keepdims=True)
    return normal.astype(np.float32)
