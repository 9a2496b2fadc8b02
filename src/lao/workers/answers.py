# SPDX-License-Identifier: Apache-2.0
"""From a worker's JSON to a reply or a description, strictly: it may be anything."""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import asdict

from lao.workers.frames import Frame
from lao.workers.strict_json import FrameError
from lao.workflow.inference import ModelDescription, ModelReply, Report
from lao.workflow.values import JsonValue

_REPLY = frozenset(ModelReply.__struct_fields__)
_DESCRIPTION = frozenset(ModelDescription.__struct_fields__)


def reply_fields(reply: object) -> dict[str, JsonValue]:
    """Return the fields of a reply, such that `decode_reply` accepts them.

    Raises:
        TypeError: the model answered with something else.
        FrameError: a field is not what it must be.
    """
    if not isinstance(reply, ModelReply):
        raise _not_due(ModelReply, reply)
    found = asdict(reply)
    _reply(found)
    return found


def decode_reply(value: JsonValue) -> ModelReply:
    """Return the reply; FrameError if it does not have exactly its fields."""
    return _reply(_object(value, _REPLY, "ModelReply"))


def description_fields(description: object) -> dict[str, JsonValue]:
    """Do for a description what `reply_fields` does for a reply."""
    if not isinstance(description, ModelDescription):
        raise _not_due(ModelDescription, description)
    found = {**asdict(description), "details": dict(description.details)}
    _description(found)
    return found


def decode_description(value: JsonValue) -> ModelDescription:
    """Return the description; FrameError if it does not have exactly its fields."""
    return _description(_object(value, _DESCRIPTION, "ModelDescription"))


def _reply(found: Mapping[str, JsonValue]) -> ModelReply:
    notes = found["notes"]
    if not isinstance(notes, list | tuple):
        raise FrameError("'notes' is not a list")
    return ModelReply(
        value=found["value"],
        made_by=_text(found, "made_by"),
        tokens_in=_integer(found, "tokens_in"),
        tokens_out=_integer(found, "tokens_out"),
        seconds=_number(found, "seconds"),
        notes=tuple(map(str, notes)),
    )


def _description(found: Mapping[str, JsonValue]) -> ModelDescription:
    details = found["details"]
    if not isinstance(details, dict):
        raise FrameError("'details' is not an object")
    return ModelDescription(
        name=_text(found, "name"),
        digest=_text(found, "digest"),
        made_by=_text(found, "made_by"),
        context_length=_integer(found, "context_length"),
        size=_integer(found, "size"),
        details=details,
    )


def pass_on(frame: Frame, report: Report) -> None:
    """Tell `report` what a text or progress frame says; FrameError if it cannot be."""
    header = frame.header
    if header["kind"] == "progress":
        unit = _text(header, "unit")
        report.progress(_amount(header, "done"), _amount(header, "total"), unit)
        return
    try:
        piece = frame.body.decode()
    except UnicodeDecodeError:
        raise FrameError("text that is not UTF-8") from None
    report.text(piece)


def _amount(header: Mapping[str, JsonValue], name: str) -> float:
    value = _number(header, name)
    if value is None:
        raise FrameError(f"{name!r} is not a number")
    return value


def _not_due(wanted: type[Struct], found: object) -> TypeError:
    return TypeError(f"a {wanted.__name__} was due, not {type(found).__name__}")


def _object(
    value: JsonValue, names: frozenset[str], kind: str
) -> Mapping[str, JsonValue]:
    if not isinstance(value, dict) or value.keys() != names:
        raise FrameError(f"not the fields of a {kind}")
    return value


def _text(found: Mapping[str, JsonValue], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str):
        raise FrameError(f"{name!r} is not text")
    return value


def _integer(found: Mapping[str, JsonValue], name: str) -> int | None:
    value = found[name]
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise FrameError(f"{name!r} is not an integer")
    return value


def _number(found: Mapping[str, JsonValue], name: str) -> float | None:
    value = found.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FrameError(f"{name!r} is not a number")
    return float(value)
