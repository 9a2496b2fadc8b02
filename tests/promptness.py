# SPDX-License-Identifier: Apache-2.0
"""Promises in seconds, judged on a machine that may be busy: kept once in three tries."""

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec

_TRIES = 3
_Given = ParamSpec("_Given")


class TooLate(AssertionError):
    """Something took longer than was promised."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Look that the block took no longer."""
    begun = time.monotonic()
    yield
    taken = time.monotonic() - begun
    if taken > seconds:
        raise TooLate(f"it took {taken:.2f} s instead of {seconds} s at most")


def promised(
    test: Callable[_Given, Awaitable[None]],
) -> Callable[_Given, Awaitable[None]]:
    """Carry a test out again where it was only too late: a slow part is so each time."""

    @wraps(test)
    async def tried(*args: _Given.args, **kwargs: _Given.kwargs) -> None:
        for _ in range(_TRIES - 1):
            try:
                return await test(*args, **kwargs)
            except TooLate:
                continue
        return await test(*args, **kwargs)

    return tried
