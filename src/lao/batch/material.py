# SPDX-License-Identifier: Apache-2.0
"""From an item to the inputs of its run, and the digests of the files among them."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field

from lao.batch.job import Batch
from lao.batch.sources import Item
from lao.durable import file_digests
from lao.engine.inputs import bind_inputs
from lao.errors import LaoError, UsageError
from lao.runtime import Session
from lao.workflow.steps import Input
from lao.workflow.values import FileValue, Value

_TICK = 2.0  # seconds; no file system keeps times more coarsely


class Material(Struct, frozen=True, kw_only=True):
    """The inputs of a run; `own` and `files` are only what is the item's alone.

    With a `problem` there are none.
    """

    inputs: Mapping[str, Value] = field(default_factory=dict)
    own: Mapping[str, Value] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    problem: LaoError | None = None


async def read_material(item: Item, batch: Batch, session: Session) -> Material:
    """Read an item; what is wrong with it comes back with it."""
    if item.problem is not None:
        return Material(problem=item.problem)
    plan = batch.prepared.plan
    # Digests before contents: who changes a file between them makes it run again.
    paths = [path for path in item.given.values() if isinstance(path, Path)]
    files = await file_digests(session, {str(p): FileValue(str(p)) for p in paths})
    given = {
        name: [value] if _is_one_of_files(value, plan.inputs.get(name)) else value
        for name, value in {**batch.prepared.inputs, **item.given}.items()
    }
    try:
        inputs = bind_inputs(plan.inputs, given, Path(plan.base))
    except UsageError as error:
        return Material(files=files, problem=error)
    own = {name: inputs[name] for name in item.given}
    named = {name: own[name] for name in own if item.given[name] not in paths}
    files |= await file_digests(session, named)
    return Material(inputs=inputs, own=own, files=files)


def _is_one_of_files(value: object, declared: Input | None) -> bool:
    """Whether a path is for an input that is a list of files: one is a list, too."""
    element = None if declared is None else declared.type.item
    return isinstance(value, Path) and element is not None and element.is_file


async def is_unchanged(
    files: Mapping[str, str], since: float, session: Session
) -> bool:
    """Whether files are as they were when a run began; those that are gone count so.

    What was not touched `since` (seconds since 1970) is not read again.
    """
    for path, digest in files.items():
        try:
            is_old = _touched(path) < since - _TICK
            if not is_old and await session.file_digest(path) != digest:
                return False
        except (OSError, ValueError, LaoError):
            continue
    return True


def _touched(path: str) -> float:
    return Path(path).stat().st_ctime
