# SPDX-License-Identifier: Apache-2.0
"""The page's edits as edits of the text: all of them, or none."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, assert_never

from lao.config import Settings
from lao.editor.bounds import require_drawable, require_few
from lao.editor.connections import (
    connect,
    disconnect,
    first_fitting,
    without_emptied,
)
from lao.editor.edit_messages import (
    ConnectEdit,
    DisconnectEdit,
    EditMessage,
    InsertEdit,
    MoveStepEdit,
    PasteEdit,
    RemoveBoxEdit,
    RemoveStepEdit,
    RemoveValueEdit,
    RenameStepEdit,
    SetBoxEdit,
    SetPositionEdit,
    SetTextEdit,
    SetValueEdit,
)
from lao.editor.offers import offered_step
from lao.editor.working_text import WorkingText, fresh_id
from lao.workflow.edits import (
    AddStep,
    Edit,
    EditPath,
    MoveStep,
    RemoveStep,
    RemoveValue,
    RenameStep,
    SetValue,
    SpliceError,
)
from lao.workflow.renaming import rename_in_step
from lao.workflow.values import JsonValue

_INPUT: Final = "inputs."
_BOX: Final = re.compile(r"(note|group)/([1-9][0-9]{0,8})")
_SHORT: Final[Mapping[str, str]] = {"retry": "attempts", "output": "type"}
"""Keys of a step whose short form stands for one key of the long one."""


def to_edits(
    text: str, messages: Sequence[EditMessage], *, path: Path, settings: Settings
) -> tuple[str, list[str]]:
    """Return the text after the edits, and the ids of new steps and boxes, in order.

    Raises:
        InvalidWorkflow: a connection does not fit or makes a cycle; or the text is no
            YAML, which only `SetTextEdit` can mend.
        SpliceError: an edit cannot be made (codes `splice.…`, `editor.…`).
        UsageError: the text is too much, or there are too many edits.
    """
    require_drawable(text)
    require_few(messages)
    work = WorkingText(text, path=path, settings=settings)
    for message in messages:
        _take(work, message)
    return work.text, work.created


def _take(work: WorkingText, message: EditMessage) -> None:
    match message:
        case SetValueEdit(path=path, value=value):
            _set_value(work, tuple(path), value)
        case RemoveValueEdit(path=path):
            _remove_value(work, tuple(path))
        case InsertEdit():
            _insert(work, message)
        case PasteEdit():
            _paste(work, message)
        case RemoveStepEdit() | RenameStepEdit() | MoveStepEdit():
            work.edit(_of_step(message))
        case ConnectEdit(source=source, target=target, port=port):
            connect(work, work.named(source), work.named(target), port)
        case DisconnectEdit(source=source, target=target, port=port):
            disconnect(work, source, target, port)
        case SetPositionEdit(node=node, x=x, y=y):
            _set_position(work, work.named(node), x, y)
        case SetBoxEdit() | RemoveBoxEdit():
            _set_box(work, message)
        case SetTextEdit(text=text):
            work.replace(text)
        case _:
            assert_never(message)


def _of_step(message: RemoveStepEdit | RenameStepEdit | MoveStepEdit) -> Edit:
    match message:
        case RemoveStepEdit(id=name):
            return RemoveStep(id=name)
        case RenameStepEdit(old=old, new=new):
            return RenameStep(old=old, new=new)
        case MoveStepEdit(id=name, after=after):
            return MoveStep(id=name, after=after)


def _set_value(work: WorkingText, path: EditPath, value: JsonValue) -> None:
    """Set a value; on the way, a short form becomes the long one that can hold it."""
    if path[:1] == ("inputs",) and len(path) > 1 and "inputs" not in work.data:
        # Once one is declared all must be: what was read without a word is text.
        texts: dict[str, JsonValue] = dict.fromkeys(work.read().inputs, "text")
        work.edit(SetValue(path=("inputs",), value=texts))
    match path:
        case ("inputs", str() as name, str()):
            declared = work.data.get("inputs")
            held = declared.get(name) if isinstance(declared, dict) else None
            if isinstance(held, str):
                path, value = _lengthened(path, held, "type", value)
        case ("steps", str() as step, str() as name, str()) if name in _SHORT:
            held = work.step(step).get(name)
            if isinstance(held, str | int):
                path, value = _lengthened(path, held, _SHORT[name], value)
        case _:
            pass
    work.edit(SetValue(path=path, value=value))


def _lengthened(
    path: EditPath, held: JsonValue, short: str, value: JsonValue
) -> tuple[EditPath, JsonValue]:
    """Return where to set what, so that a short form keeps what it says."""
    *above, key = path
    if key == short:
        return tuple(above), value
    return tuple(above), {short: held, str(key): value}


def _remove_value(work: WorkingText, path: EditPath) -> None:
    match path:
        case ("steps", str() as step, str(), str()) if step in work.ids():
            path = without_emptied(work, path)
        case ("inputs", str() as name):
            ui = work.data.get("ui")
            if isinstance(ui, dict) and f"inputs/{name}" in ui:
                work.edit(RemoveValue(path=("ui", f"inputs/{name}")))
        case _:
            pass
    work.edit(RemoveValue(path=path))


def _insert(work: WorkingText, message: InsertEdit) -> None:
    wanted, step = offered_step(message.entry, work.catalog)
    ids = work.ids()
    name = fresh_id(wanted, set(ids))
    source = None if message.source is None else work.named(message.source)
    after = None if message.after is None else work.named(message.after)
    if after is None:
        after = source if source in ids else next(reversed(ids), None)
    work.edit(AddStep(step={"id": name, **step}, after=after))
    work.created.append(name)
    if source is not None:
        port = first_fitting(work.read(), source, name)
        if port is not None:
            connect(work, source, name, port)
    if message.x is not None and message.y is not None:
        work.draw(name, [message.x, message.y])


def _paste(work: WorkingText, message: PasteEdit) -> None:
    ids = work.ids()
    taken = {*ids, *map(_id, message.steps)}
    names: dict[str, str] = {}
    for step in message.steps:
        old = _id(step)
        is_free = old not in ids and old not in names
        new = fresh_id(old or "step", taken - {old} if is_free else taken)
        taken.add(new)
        names.setdefault(old, new)
        work.created.append(new)
    new_ids = work.created[-len(message.steps) :] if message.steps else []
    copies: list[JsonValue] = [
        _copied(step, new, names)
        for step, new in zip(message.steps, new_ids, strict=True)
    ]
    _append(work, "steps", copies)
    pairs: list[JsonValue] = [
        [names.get(first, first), names.get(second, second)]
        for first, second in message.connections
        if {names.get(first, first), names.get(second, second)} <= {*ids, *new_ids}
    ]
    _append(work, "connections", pairs)
    for old, (x, y) in message.positions.items():
        if old in names:
            work.draw(names[old], [x, y])


def _append(work: WorkingText, key: str, added: Sequence[JsonValue]) -> None:
    """Add to a list of the file, all at once: one by one takes as many readings."""
    held = work.data.get(key)
    old = held if isinstance(held, list) else []
    new = [each for each in added if each not in old]
    if new:
        work.edit(SetValue(path=(key,), value=[*old, *new]))


def _id(step: Mapping[str, JsonValue]) -> str:
    name = step.get("id")
    return name if isinstance(name, str) else ""


def _copied(
    step: Mapping[str, JsonValue], name: str, names: Mapping[str, str]
) -> dict[str, JsonValue]:
    """Return a step that reads the copies of what it read, as far as there are any."""
    copy = {"id": name, **step}
    for old, new in names.items():
        if old and old != new:
            copy = rename_in_step(copy, old, new)
    return {**copy, "id": name}


def _set_position(work: WorkingText, node: str, x: int, y: int) -> None:
    place: list[JsonValue] = [x, y]
    if node.startswith(_INPUT):
        node = f"inputs/{node.removeprefix(_INPUT)}"
    elif _BOX.fullmatch(node):
        held = _drawn(work).get(node)
        place += held[2:] if isinstance(held, list) else []
    work.draw(node, place)


def _set_box(work: WorkingText, message: SetBoxEdit | RemoveBoxEdit) -> None:
    name = message.id
    match = _BOX.fullmatch(name)
    if isinstance(message, RemoveBoxEdit):
        if match is None:
            raise _no_box(name)
        work.edit(RemoveValue(path=("ui", name)))
        return
    if not name:
        name = _new_box(work, message.box)
        work.created.append(name)
    elif match is None or match[1] != message.box:
        raise _no_box(name)
    sides: list[JsonValue] = [message.x, message.y, message.width, message.height]
    work.draw(name, [*sides, message.text])


def _no_box(name: str) -> SpliceError:
    what, mend = f"{name!r} is no such note or group", "give the id of one"
    return SpliceError("splice.unknown-place", what, mend=mend)


def _new_box(work: WorkingText, box: str) -> str:
    matches = [_BOX.fullmatch(name) for name in _drawn(work)]
    numbers = [int(each[2]) for each in matches if each and each[1] == box]
    return f"{box}/{max(numbers, default=0) + 1}"


def _drawn(work: WorkingText) -> Mapping[str, JsonValue]:
    ui = work.data.get("ui")
    return ui if isinstance(ui, dict) else {}
