# SPDX-License-Identifier: Apache-2.0
"""The engine behind templates: set up without code, and given the stack it may need.

It recurses over chains such as `not not …` and `a.b.c…`, and over lists in lists, and
ends the process where its stack does. How deep it goes is bounded by the length of the
text and by fuel, so a stack that holds the deepest is one that it cannot overflow.
"""

import json
import threading
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Final, Literal, TypeVar

if TYPE_CHECKING:
    from minijinja import Environment

T = TypeVar("T")

LONGEST: Final = 64 << 10
"""The most characters of a text that has more in it than plain names."""

_FUEL = 500_000
_UNBOUNDED_FILTERS = ("format", "indent", "slice")
# Measured: half a KiB of stack for each character; 2 KiB for each step of a loop that
# puts a list into itself, of which fuel allows 80,000, and only with `namespace`.
_SHORT = 4096
_DEEP_STACK = 256 << 20  # of addresses: only what is used takes memory
_GROWS = "namespace"
_JSON: Final = json.JSONEncoder(ensure_ascii=False)


@cache
def engine(undefined: Literal["strict", "chainable"] = "strict") -> "Environment":
    """Return the engine; it keeps nothing between templates, and costs 30 µs to make."""
    from minijinja import Environment  # noqa: PLC0415  (25 ms that plain names save)

    environment = Environment(undefined_behavior=undefined, fuel=_FUEL)
    for name in _UNBOUNDED_FILTERS:
        environment.remove_filter(name)
    environment.remove_global("debug")
    environment.keep_trailing_newline = True
    environment.finalizer = _shown
    environment.add_filter("tojson", _to_json)
    return environment


def with_room(work: Callable[[], T], *, source: str, depth: int) -> T:
    """Return what `work` returns: it gives `source` to the engine.

    `depth` bounds the signs that can stand in one chain; at most `LONGEST`.
    """
    if depth <= _SHORT and _GROWS not in source:
        return work()
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  (rare: 8 ms)

    with ThreadPoolExecutor(max_workers=1) as room:
        before = threading.stack_size(_DEEP_STACK)
        try:
            done = room.submit(work)  # starts the thread
        finally:
            threading.stack_size(before)
        return done.result()


def _to_json(value: object, indent: int | None = None) -> str:
    """Write JSON for models and people: the engine's own filter escapes HTML."""
    return json.dumps(value, indent=indent, ensure_ascii=False)


def _shown(value: object) -> object:
    """Show all but texts and numbers as JSON, not as Python would."""
    if value is None or isinstance(value, bool | dict | list):
        return _JSON.encode(value)
    return value
