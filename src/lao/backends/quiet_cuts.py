# SPDX-License-Identifier: Apache-2.0
"""Cuts a stream of sound into pieces at quiet moments, so that words stay whole."""

from collections.abc import Iterable, Iterator

import numpy as np

from lao.backends.audio import RATE, Block, Samples

_HOP = RATE // 50  # 20 ms
_PAUSE = 10  # hops: a cut lies in the middle of the quietest 0.2 s
SILENCE = 1e-3  # root mean square below -60 dB of full scale


def pieces(
    blocks: Iterable[Block], *, shortest: float, longest: float
) -> Iterator[Block]:
    """Yield pieces of `shortest` to `longest` seconds; only the last may be shorter."""
    low, high = round(shortest * RATE), round(longest * RATE)
    kept = np.zeros(0, np.float32)
    given = 0
    for block in blocks:
        kept = np.concatenate([kept, block.samples])
        while len(kept) > high:
            cut = low + _quietest(kept[low:high])
            yield Block(start=given / RATE, samples=kept[:cut])
            given, kept = given + cut, kept[cut:]
    if len(kept):
        yield Block(start=given / RATE, samples=kept)


def is_silent(samples: Samples) -> bool:
    """Whether no 0.1 s of it is loud enough to be speech."""
    return bool(np.all(_energies(samples, RATE // 10) < SILENCE**2))


def _quietest(samples: Samples) -> int:
    """Return the index in the middle of the quietest pause, the last one of equals."""
    energies = _energies(samples, _HOP)
    pauses = np.convolve(energies, np.ones(_PAUSE), "valid")
    hop = len(pauses) - 1 - int(np.argmin(pauses[::-1]))
    return (hop + _PAUSE // 2) * _HOP


def _energies(samples: Samples, hop: int) -> Samples:
    """Return the mean square of every `hop` samples, the rest counted as full."""
    padded = np.pad(samples, (0, -len(samples) % hop)).reshape(-1, hop)
    means: Samples = np.square(padded).mean(axis=1)
    return means
