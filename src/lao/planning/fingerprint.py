# SPDX-License-Identifier: Apache-2.0
"""Names a plan by all that it says, so that a run goes on with the same plan only."""

import json
from collections.abc import Iterator, Mapping, Set as AbstractSet
from functools import cache
from hashlib import sha256

from msgspec import Struct

from lao.planning.plan import Plan
from lao.workflow.template import Template

_SIMPLE = frozenset({str, int, float, bool, type(None)})


def fingerprint(plan: Plan) -> str:
    """Return "sha256:…" of a plan; the same in every process."""
    digest = sha256()
    for piece in _pieces(plan):
        digest.update(piece.encode())
    return f"sha256:{digest.hexdigest()}"


def _pieces(plan: Plan) -> Iterator[str]:
    """Yield the JSON text of a plan step by step: the whole would take megabytes."""
    yield "["
    for place, name in enumerate(plan.__struct_fields__):
        yield ", " if place else ""
        value = getattr(plan, name)
        if isinstance(value, Mapping):
            yield "{"
            for number, key in enumerate(sorted(value)):
                yield f"{', ' if number else ''}{_text(str(key))}: {_text(value[key])}"
            yield "}"
        else:
            yield _text(value)
    yield "]"


def _text(value: object) -> str:
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: object) -> object:
    kind = type(value)
    if kind in _SIMPLE:
        return value
    if names := _fields(kind):  # type: ignore[arg-type]  # classes are hashable
        parts = [getattr(value, name) for name in names]
        return [part if type(part) in _SIMPLE else _plain(part) for part in parts]
    match value:
        case Mapping():
            return {str(key): _plain(each) for key, each in value.items()}
        case AbstractSet():
            return sorted(map(str, value))
        case list() | tuple():
            return [_plain(each) for each in value]
        case _:
            raise TypeError(f"{kind.__name__} has no place in a plan")


@cache
def _fields(kind: type) -> tuple[str, ...]:
    """Return the fields that make up a frozen object; none for anything else.

    A template is its source. Kinds of model and of work say by a field which they are.
    """
    if kind is Template:
        return ("source",)
    return kind.__struct_fields__ if issubclass(kind, Struct) else ()
