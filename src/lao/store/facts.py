# SPDX-License-Identifier: Apache-2.0
"""Facts as documents of the fields that say something, and back."""

from collections.abc import Callable, Mapping
from functools import cache
from itertools import compress
from operator import attrgetter, is_not
from types import MappingProxyType
from typing import cast, get_args, get_origin

from msgspec import NODEFAULT, Struct
from msgspec.structs import fields, replace

from lao.events import Fact, ItemFinished, StepFinished
from lao.store.codec import (
    Document,
    Get,
    Text,
    decode,
    encode_plain,
    encode_with_marks,
)


class _Form(Struct, frozen=True):
    """How facts of one kind are written: fields and their defaults, in order.

    `unsure` are those that may hold what JSON does not know.
    """

    make: Callable[..., Fact]
    names: tuple[str, ...]
    values: Callable[[Fact], tuple[object, ...]]
    defaults: tuple[object, ...]
    places: range
    tuples: tuple[str, ...]
    unsure: tuple[str, ...]

    def document(self, fact: Fact) -> dict[str, object]:
        """Return the fields whose value is not their default."""
        values, defaults = self.values(fact), self.defaults
        return {
            self.names[place]: values[place]
            for place in compress(self.places, map(is_not, values, defaults))
            if values[place] != defaults[place]
        }


_SURE = (str, int, bool, int | None, tuple[str, ...], Mapping[str, str])


@cache
def _form(kind: type[Fact]) -> _Form:
    own = [each for each in fields(kind) if each.name != "kind"]
    return _Form(
        make=kind,
        names=tuple(each.name for each in own),
        values=attrgetter(*(each.name for each in own)),
        defaults=tuple(
            each.default
            if each.default_factory is NODEFAULT
            else each.default_factory()
            for each in own
        ),
        places=range(len(own)),
        tuples=tuple(each.name for each in own if get_origin(each.type) is tuple),
        unsure=tuple(each.name for each in own if each.type not in _SURE),
    )


_KINDS: Mapping[str, type[Fact]] = MappingProxyType(
    {get_args(kind.__annotations__["kind"])[0]: kind for kind in get_args(Fact)}
)


def encode_fact(fact: Fact) -> tuple[str, Document]:
    """Return the key of the result that a fact tells ("" for none), and the rest.

    Raises:
        StoreError: `store.not-a-value`: nothing of it is kept.
    """
    form = _form(type(fact))
    key, told = "", fact
    if isinstance(fact, StepFinished | ItemFinished) and fact.key:
        key, told = fact.key, replace(fact, key="")  # it has a column of its own
    plain = encode_plain(told, [getattr(told, name) for name in form.unsure])
    return key, encode_with_marks(form.document(told)) if plain is None else plain


def decode_fact(kind: str, key: str, body: Text, get: Get) -> Fact | None:
    """Return the fact that `encode_fact` wrote.

    What a newer LAO wrote is read as far as this one knows it: None for a fact of an
    unknown kind, and no field that is unknown.
    """
    known = _KINDS.get(kind)
    if known is None:
        return None
    form = _form(known)
    found: dict[str, object] = dict(decode(body, get))
    if key:
        found["key"] = key
    for name in form.tuples:
        if name in found:
            found[name] = tuple(cast("list[object]", found[name]))
    return form.make(**{n: v for n, v in found.items() if n in form.names})
