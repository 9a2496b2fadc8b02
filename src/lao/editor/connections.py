# SPDX-License-Identifier: Apache-2.0
"""Connecting a port with a step or an input, and taking that back.

Whether a connection may be is what the compiler says of the file that would result.
"""

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from lao.editor.connecting import APPENDED, Gone, connected, disconnected
from lao.editor.ports import key_of, ports_of, takes, used_port
from lao.editor.reading import Reading
from lao.editor.working_text import WorkingText
from lao.errors import InvalidWorkflow, Place, Problem, did_you_mean
from lao.workflow.edits import (
    AddConnection,
    Edit,
    EditPath,
    RemoveConnection,
    RemoveValue,
    SetValue,
    SpliceError,
)
from lao.workflow.step_shapes import RESERVED
from lao.workflow.steps import StepId
from lao.workflow.template import is_plain_name
from lao.workflow.values import JsonValue, ValueType

_MISFITS: Final = ("workflow.type-mismatch", "workflow.transform-mismatch")
_INPUT: Final = "inputs."


def connect(work: WorkingText, source: str, target: str, port: str) -> None:
    """Let a port read a source; with port "", let the step wait for it.

    Raises:
        SpliceError: one of them is not there, or cannot be connected.
        InvalidWorkflow: the value does not fit, or steps would wait for each other;
            in the compiler's words.
    """
    work.step(target)
    before = work.read()
    _require_source(work, before, source)
    if port:
        _require_readable(source)
    edits = list(_connecting(work, before, source, target, port))
    text = work.spliced(edits)
    _refuse_new_misfits(work, before, text, target)
    work.replace(text)


def first_fitting(reading: Reading, source: str, target: str) -> str | None:
    """Return the port of a new step that a source goes to, if one takes it."""
    outlined = reading.step(target)
    if outlined is None:
        return None
    given = _type_of(reading, source)
    for number, port in enumerate(ports_of(outlined, reading)):
        is_offered = not number or port.is_required or port.name in ("input", "prompt")
        if is_offered and (given is None or takes(port.type, given)):
            return port.name
    return None


def disconnect(work: WorkingText, source: str, target: str, port: str) -> None:
    """Take a connection away; a key that said nothing else goes too.

    Raises:
        SpliceError: there is none, or it cannot be told from other things.
    """
    if not port:
        work.edit(RemoveConnection(first=source, second=target))
        return
    path = _path(target, port)
    held = _value(work, path)
    left = disconnected(held, source)
    if left is held:
        what = f"the port {port!r} of {target!r} does not read {source!r}"
        raise SpliceError("splice.unknown-place", what, mend="read the file again")
    if not isinstance(left, Gone):
        work.edit(SetValue(path=path, value=left))
    else:
        work.edit(RemoveValue(path=without_emptied(work, path)))


def without_emptied(work: WorkingText, path: EditPath) -> EditPath:
    """Return what to remove so that a step keeps no empty mapping such as `with`."""
    if len(path) == 4 and path[0] == "steps":
        holder = _value(work, path[:3])
        if isinstance(holder, dict) and list(holder) == [path[3]]:
            return path[:3]
    return path


def _path(target: str, port: str) -> EditPath:
    key, _, name = key_of(port).partition(".")
    return ("steps", target, key, name) if name else ("steps", target, key)


def _value(work: WorkingText, path: EditPath) -> JsonValue:
    held: JsonValue = work.step(str(path[1]))
    for part in path[2:]:
        held = held.get(part) if isinstance(held, dict) else None  # type: ignore[arg-type]  # keys are texts
    return held


def _require_source(work: WorkingText, reading: Reading, source: str) -> None:
    if not source.startswith(_INPUT):
        work.step(source)
    elif "inputs" in reading.data and source[len(_INPUT) :] not in reading.inputs:
        known = [f"{_INPUT}{name}" for name in reading.inputs]
        what = f"there is no {source!r}"
        mend = did_you_mean(source, known)
        raise SpliceError("splice.unknown-place", what, mend=mend)


def _require_readable(source: str) -> None:
    name = source.removeprefix(_INPUT)
    is_reserved = name == source and name in RESERVED
    if not is_plain_name(name) or is_reserved:
        what = f"no template can read {source[:60]!r}"
        raise SpliceError("editor.unknown-step", what, mend="give it another name")


def _connecting(
    work: WorkingText, reading: Reading, source: str, target: str, port: str
) -> Iterator[Edit]:
    if not port:
        if source.startswith(_INPUT):
            what = f"no step waits for an input, and {source!r} is one"
            mend = "connect it to a port"
            raise SpliceError("editor.unknown-port", what, mend=mend)
        yield AddConnection(first=source, second=target)
        return
    _require_port(reading, target, port)
    path = _path(target, port)
    held = _value(work, path)
    value = connected(held, source, appends=port in APPENDED)
    if value != held:
        yield SetValue(path=path, value=value)


def _require_port(reading: Reading, target: str, port: str) -> None:
    outlined = reading.step(target)
    if outlined is None or outlined.step is None:
        what = f"LAO does not understand the step {target!r}, so it leaves it alone"
        mend = "change it in the text"
        raise SpliceError("editor.unknown-step", what, mend=mend)
    known = [each.name for each in ports_of(outlined, reading)]
    recipe = reading.recipe(outlined.step.uses)
    parameters = (
        [] if recipe is None else [f"with.{each}" for each in recipe.parameters]
    )
    is_asked = outlined.step.uses is None and "prompt" in known
    extra = ["system"] if is_asked else []
    if port in (*known, *parameters, *extra) or used_port(port) is not None:
        return
    if recipe is None and outlined.step.uses is not None and port.startswith("with."):
        return  # a plugin's: the compiler knows its parameters
    what = f"the step {target!r} has no port {port!r}"
    raise SpliceError("editor.unknown-port", what, mend=did_you_mean(port, known))


def _type_of(reading: Reading, source: str) -> ValueType | None:
    if source.startswith(_INPUT):
        given = reading.inputs.get(source[len(_INPUT) :])
        return None if given is None else given.type
    typed = reading.checked.types.get(StepId(source))
    return None if typed is None else typed.type


def _refuse_new_misfits(
    work: WorkingText, before: Reading, text: str, target: str
) -> None:
    after = work.read(text)
    known = {(each.code, each.what) for each in before.checked.problems}
    found = [
        replace(each, where=None)
        for each in after.checked.problems
        if (each.code, each.what) not in known
        and (each.code == "workflow.cycle" or _is_misfit(each, after, target))
    ]
    if found:
        raise InvalidWorkflow(found)


def _is_misfit(problem: Problem, reading: Reading, target: str) -> bool:
    where = problem.where
    is_there = isinstance(where, Place) and reading.step_at(where) == target
    return problem.code in _MISFITS and is_there
