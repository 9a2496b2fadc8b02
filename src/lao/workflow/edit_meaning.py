# SPDX-License-Identifier: Apache-2.0
"""What an edit does to the plain data of a workflow file, whatever its text is like."""

from collections.abc import Mapping
from typing import TypeAlias, assert_never

from lao.errors import did_you_mean
from lao.workflow.edits import (
    AddConnection,
    AddStep,
    Edit,
    EditPath,
    MoveStep,
    RemoveConnection,
    RemoveStep,
    RemoveValue,
    RenameStep,
    SetPosition,
    SetValue,
    SpliceError,
    refuse_unwritable,
)
from lao.workflow.nodes import Node, Problems
from lao.workflow.renaming import rename_in_step, rename_in_texts
from lao.workflow.scalar_shapes import FAILED
from lao.workflow.step_shapes import STEP_ID
from lao.workflow.values import JsonValue

Data: TypeAlias = dict[str, JsonValue]


def after_edit(data: Data, edit: Edit) -> Data:
    """Return the file's data after an edit; what was given may share parts with it.

    Raises:
        SpliceError: the edit names what is not there, or what it makes cannot be.
    """
    match edit:
        case SetValue():
            return _set(data, edit.path, edit.value)
        case RemoveValue():
            return _remove(data, edit.path)
        case AddStep():
            return _add_step(data, edit)
        case RemoveStep():
            return _remove_step(data, edit.id)
        case MoveStep():
            order = new_order(data, edit)
            steps = _steps(data)
            return {**data, "steps": [steps[index] for index in order]}
        case RenameStep():
            return _rename_step(data, edit)
        case SetPosition():
            return _set_position(data, edit)
        case AddConnection():
            for name in (edit.first, edit.second):
                place_of_step(data, name)
            pair: JsonValue = [edit.first, edit.second]
            if pair in _connections(data):
                return data
            return {**data, "connections": [*_connections(data), pair]}
        case RemoveConnection():
            return _remove_connection(data, edit)
        case _:
            assert_never(edit)


def place_of_step(data: Data, name: str) -> int:
    """Return which step has an id.

    Raises:
        SpliceError: none has, or several have.
    """
    ids = _ids(data)
    if ids.count(name) > 1:
        what, mend = f"several steps are called {name!r}", "rename one in the file"
        raise SpliceError("splice.unknown-place", what, mend=mend)
    if name not in ids:
        mend = did_you_mean(name, [known for known in ids if isinstance(known, str)])
        what = f"there is no step {name!r}"
        raise SpliceError("splice.unknown-place", what, mend=mend)
    return ids.index(name)


def new_order(data: Data, edit: MoveStep) -> list[int]:
    """Return the places that the steps have now, in the order they are to have."""
    moved = place_of_step(data, edit.id)
    order = [index for index in range(len(_steps(data))) if index != moved]
    if edit.after is None:
        return [moved, *order]
    before = place_of_step(data, edit.after)
    if before == moved:
        return [*range(len(_steps(data)))]
    behind = order.index(before) + 1
    return [*order[:behind], moved, *order[behind:]]


def _steps(data: Data) -> list[JsonValue]:
    steps = data.get("steps")
    return steps if isinstance(steps, list) else []


def _ids(data: Data) -> list[JsonValue]:
    return [step.get("id") if isinstance(step, dict) else None for step in _steps(data)]


def _connections(data: Data) -> list[JsonValue]:
    pairs = data.get("connections")
    return pairs if isinstance(pairs, list) else []


def _positions(data: Data) -> Data:
    ui = data.get("ui")
    return ui if isinstance(ui, dict) else {}


def _by_number(data: Data, path: EditPath) -> EditPath:
    """Return a path in which a step goes by its place in the list."""
    if len(path) > 1 and path[0] == "steps" and isinstance(path[1], str):
        return ("steps", place_of_step(data, path[1]), *path[2:])
    return path


def _unknown(path: EditPath) -> SpliceError:
    shown = ".".join(map(str, path)) or "the whole file"
    mend = "read the file again: it may have changed"
    what = f"there is no place {shown!r} that can be edited"
    return SpliceError("splice.unknown-place", what, mend=mend)


def _set(data: Data, path: EditPath, value: JsonValue) -> Data:
    if not path:
        raise _unknown(path)
    refuse_unwritable(value)
    changed = _put(data, _by_number(data, path), value)
    assert isinstance(changed, dict)  # noqa: S101  (a path leaves the top a mapping)
    return changed


def _put(held: JsonValue, path: EditPath, value: JsonValue) -> JsonValue:
    if not path:
        return value
    part, rest = path[0], path[1:]
    match held, part:
        case dict(), str():
            # What is missing on the way is made, as long as the way goes by names.
            return {**held, part: _put(held.get(part, {}), rest, value)}
        case list(), int() if 0 <= part < len(held):
            return [*held[:part], _put(held[part], rest, value), *held[part + 1 :]]
        case list(), int() if part == len(held) and not rest:
            return [*held, value]
        case None, str():
            return {part: _put({}, rest, value)}
        case _:
            raise _unknown(path)


def _remove(data: Data, path: EditPath) -> Data:
    if not path or path == ("steps",):
        raise _unknown(path)
    changed = _take(data, _by_number(data, path))
    assert isinstance(changed, dict)  # noqa: S101  (as in `_set`)
    return changed


def _take(held: JsonValue, path: EditPath) -> JsonValue:
    part, rest = path[0], path[1:]
    match held, part:
        case dict(), str() if part in held:
            if rest:
                return {**held, part: _take(held[part], rest)}
            return {name: inner for name, inner in held.items() if name != part}
        case list(), int() if 0 <= part < len(held):
            kept = [_take(held[part], rest)] if rest else []
            return [*held[:part], *kept, *held[part + 1 :]]
        case _:
            raise _unknown(path)


def _add_step(data: Data, edit: AddStep) -> Data:
    name = edit.step.get("id")
    if not isinstance(name, str):
        what, mend = "a new step needs an id", "give it an `id`, which is a text"
        raise SpliceError("splice.bad-value", what, mend=mend)
    refuse_unwritable(dict(edit.step))
    _refuse_taken(data, name)
    behind = 0 if edit.after is None else place_of_step(data, edit.after) + 1
    steps = _steps(data)
    added: JsonValue = dict(edit.step)
    return {**data, "steps": [*steps[:behind], added, *steps[behind:]]}


def _refuse_taken(data: Data, name: str) -> None:
    if name in _ids(data):
        what, mend = f"there is a step {name!r} already", "choose another name"
        raise SpliceError("splice.name-taken", what, mend=mend)


def _remove_step(data: Data, name: str) -> Data:
    place = place_of_step(data, name)
    steps = _steps(data)
    changed: Data = {**data, "steps": [*steps[:place], *steps[place + 1 :]]}
    if any(_names(pair, name) for pair in _connections(data)):
        pairs = [pair for pair in _connections(data) if not _names(pair, name)]
        changed["connections"] = pairs
    if name in _positions(data):
        places = {key: held for key, held in _positions(data).items() if key != name}
        changed["ui"] = places
    return changed


def _names(pair: JsonValue, name: str) -> bool:
    return isinstance(pair, list) and name in pair


def _rename_step(data: Data, edit: RenameStep) -> Data:
    old, new = edit.old, edit.new
    place = place_of_step(data, old)
    if new == old:
        return data
    _refuse_taken(data, new)
    problems = Problems()
    if STEP_ID.decode(Node(new), problems) is FAILED:
        problem = problems.found[0]
        raise SpliceError("splice.bad-name", problem.what, mend=problem.mend)
    changed = dict(data)
    steps = [
        rename_in_step(step, old, new) if isinstance(step, dict) else step
        for step in _steps(data)
    ]
    renamed = steps[place]
    assert isinstance(renamed, dict)  # noqa: S101  (`place_of_step` found its id)
    changed["steps"] = [*steps[:place], {**renamed, "id": new}, *steps[place + 1 :]]
    if "outputs" in data:
        changed["outputs"] = rename_in_texts(data["outputs"], old, new)
    if _connections(data):
        pairs = [_renamed_pair(pair, old, new) for pair in _connections(data)]
        changed["connections"] = pairs
    if old in _positions(data):
        places = _positions(data).items()
        kept = {name: held for name, held in places if name != new}
        changed["ui"] = {
            new if name == old else name: held for name, held in kept.items()
        }
    return changed


def _renamed_pair(pair: JsonValue, old: str, new: str) -> JsonValue:
    if not isinstance(pair, list):
        return pair
    return [new if name == old else name for name in pair]


def _set_position(data: Data, edit: SetPosition) -> Data:
    place_of_step(data, edit.step)
    ui = data.get("ui")
    if ui is not None and not isinstance(ui, Mapping):
        raise _unknown(("ui", edit.step))
    spot: JsonValue = [edit.x, edit.y]
    return {**data, "ui": {**_positions(data), edit.step: spot}}


def _remove_connection(data: Data, edit: RemoveConnection) -> Data:
    pair = [edit.first, edit.second]
    pairs = [held for held in _connections(data) if held != pair]
    if len(pairs) == len(_connections(data)):
        what = f"no connection from {edit.first!r} to {edit.second!r} is listed"
        mend = "one that a template makes goes when the template stops reading it"
        raise SpliceError("splice.unknown-place", what, mend=mend)
    return {**data, "connections": pairs}
