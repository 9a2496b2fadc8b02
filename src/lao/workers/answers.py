# SPDX-License-Identifier: Apache-2.0
"""From a worker's JSON to a reply or a description, strictly: it may be anything."""

from collections.abc import Mapping

from msgspec import Struct

from lao.workers.frames import Frame, FrameError
from lao.workflow.inference import ModelDescription, ModelReply, Report
from lao.workflow.values import JsonValue


def decode_reply(value: JsonValue) -> ModelReply:
    """Return the reply; FrameError if it does not have exactly its fields."""
    found = _object(value, ModelReply)
    notes = found["notes"]
    if not isinstance(notes, list):
        raise FrameError("'notes' is not a list")
    return ModelReply(
        value=found["value"],
        made_by=_text(found, "made_by"),
        tokens_in=_integer(found, "tokens_in"),
        tokens_out=_integer(found, "tokens_out"),
        seconds=_number(found, "seconds"),
        notes=tuple(map(str, notes)),
    )


def decode_description(value: JsonValue) -> ModelDescription:
    """Return the description; FrameError if it does not have exactly its fields."""
    found = _object(value, ModelDescription)
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


def _object(value: JsonValue, kind: type[Struct]) -> Mapping[str, JsonValue]:
    names = set(kind.__struct_fields__)
    if not isinstance(value, dict) or value.keys() != names:
        raise FrameError(f"not the fields of a {kind.__name__}")
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
