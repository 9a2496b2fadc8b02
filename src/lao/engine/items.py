# SPDX-License-Identifier: Apache-2.0
"""The elements of a `for_each`: each worked on once, a bounded number side by side."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from hashlib import blake2b
from typing import TypeVar

from msgspec.structs import replace

from lao.engine.attempt import Result
from lao.engine.naming import ResultName
from lao.workflow.inference import ModelReply
from lao.workflow.template import plain
from lao.workflow.values import Value

Perform = Callable[[int, Value], Awaitable[Result]]
Number = TypeVar("Number", int, float)
_NOTES = 20


async def perform_each(
    items: Sequence[Value], perform: Perform, *, at_once: int
) -> Result:
    """Return the list of what `perform(index, item)` gives, in the order of `items`.

    The first failure stops the others and is raised as it is.
    """
    values: list[Value] = [None] * len(items)
    total = Result(value=None, cached=bool(items))
    todo = iter(enumerate(items))

    async def work_through() -> None:
        nonlocal total
        for index, item in todo:
            result = await perform(index, item)
            values[index] = result.value
            total = _together(total, result)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(at_once, len(items))):
                group.create_task(work_through())
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return replace(total, value=values)


def _together(total: Result, result: Result) -> Result:
    """Add one element's result to what is known of all."""
    notes = dict.fromkeys((*total.notes, *result.notes))
    return Result(
        value=None,
        reply=_replies(total.reply, result.reply),
        name=total.name or result.name,
        attempts=max(total.attempts, result.attempts),
        cached=total.cached and result.cached,
        notes=tuple(notes)[:_NOTES],
    )


def _replies(total: ModelReply | None, reply: ModelReply | None) -> ModelReply | None:
    if total is None or reply is None:
        return replace(reply, value=None) if reply is not None else total
    return ModelReply(
        value=None,
        made_by=reply.made_by,
        tokens_in=_sum(total.tokens_in, reply.tokens_in),
        tokens_out=_sum(total.tokens_out, reply.tokens_out),
        seconds=_sum(total.seconds, reply.seconds),
    )


def _sum(one: Number | None, other: Number | None) -> Number | None:
    return None if one is None or other is None else one + other


def name_of_list(name: ResultName, items: Sequence[Value]) -> ResultName:
    """Return what a list of results is made of, from the name of one of them.

    The list has no key of its own: each element has one.
    """
    digest = blake2b(digest_size=6)
    for start in range(0, len(items), 1000):
        part = json.dumps(plain(list(items[start : start + 1000])))
        digest.update(part.encode())
    apart = ("input", "files", "options")  # may differ from element to element
    shared = {key: each for key, each in name.ingredients.items() if key not in apart}
    return replace(name, key="", ingredients={**shared, "input": digest.hexdigest()})
