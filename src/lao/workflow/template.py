# SPDX-License-Identifier: Apache-2.0
"""Prompt templates: `{{ name }}` and Jinja's expressions, filters and loops.

A template is parsed once. It sees plain data only (text, numbers, lists, objects),
so there is no code to run. Its steps are bounded by fuel, its result by size, its
nesting by a stack that holds all that fits into its length; memory on the way is not
(a template that doubles a text thirty times takes it all), which only the author of a
workflow can do: no value is ever read as a template. A text that is one plain name,
`{{ step.field }}`, passes the value itself, files and lists included.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Set as AbstractSet
from functools import lru_cache
from typing import Final, TypeAlias

from msgspec import Struct

from lao.workflow.template_engine import LONGEST, engine, with_room
from lao.workflow.values import FileValue, JsonValue, Value, place_in

_NAME: Final = r"[^\W\d]\w*"
_PLAIN = re.compile(_NAME)
_REFERENCE = re.compile(rf"\s*\{{\{{\s*({_NAME}(?:\.\w+)*)\s*\}}\}}\s*")
_PLAIN_NAME = re.compile(rf"\{{\{{ *({_NAME}(?:\.{_NAME})*) *\}}\}}")
_TAG = re.compile(r"\{(?:[{%#]|$)")
_SINGLE = re.compile(r"\s*\{\{-?((?:(?!\}\}|\{\{).)*?)-?\}\}\s*", re.DOTALL)
_OUTPUT = 32 << 20
_WORDS = frozenset({"true", "false", "none", "True", "False", "None"})
_UNKNOWN = ("UnknownFilter", "UnknownTest", "UnknownFunction")
_MAY_BE_UNKNOWN = re.compile(r"[|(%]|\bis\b")  # without these, nothing is looked up
_READ_BY_ENGINE = _WORDS | {"not", "self"}  # as a name's first part
_LONGEST_KEPT = 2048  # characters; with 1,024 texts a few megabytes at most
ENGINE_NAMES: Final = frozenset({"range", "dict", "namespace", "loop", "self"})
"""Names that mean something to the engine itself; no value can have them."""


_Pieces: TypeAlias = tuple[str | tuple[str, ...], ...]


class TemplateError(Exception):
    """A template cannot be parsed or rendered. `line` counts from 1 in its text."""

    def __init__(self, what: str, line: int = 1) -> None:
        super().__init__(what)
        self.what = what
        self.line = line


class Template(Struct, frozen=True, kw_only=True, gc=False):
    """A parsed template.

    `names` are the dotted names that it needs from outside, such as
    `inputs.recording`. `reference` is set when the text is one plain name,
    `expression` when it is one `{{ … }}`; `pieces` when it is words and plain names
    alone, as most prompts are: then texts are put together without the engine.
    """

    source: str
    names: frozenset[str]
    reference: tuple[str, ...] | None = None
    expression: str | None = None
    pieces: _Pieces = ()

    @property
    def roots(self) -> frozenset[str]:
        """The first part of each name."""
        return frozenset(name.partition(".")[0] for name in self.names)

    def evaluate(self, scope: Mapping[str, Value]) -> Value:
        """Return the value of one expression, or the rendered text.

        Raises:
            TemplateError: a name is missing, or a filter does not apply.
        """
        if self.reference is not None:
            return _look_up(self.reference, scope)
        if self.expression is not None:
            return _run(self, scope, expression=True)
        return self.render(scope)

    def render(self, scope: Mapping[str, Value]) -> str:
        """Return the text with every name filled in.

        Raises:
            TemplateError: as in `evaluate`, or the text grows beyond 32 MiB.
        """
        if not self.names and "{" not in self.source:
            return self.source
        if self.reference is not None:
            value = _look_up(self.reference, scope)
            if isinstance(value, str):
                return value
        text: Value = _put_together(self.pieces, scope) if self.pieces else None
        if text is None:
            text = _run(self, scope, expression=False)
        if not isinstance(text, str) or len(text) > _OUTPUT:
            raise TemplateError(f"the rendered text is over {_OUTPUT >> 20} MiB")
        return text


def parse_template(source: str) -> Template:
    """Read a template; a text that was read just now gives the same object.

    Raises:
        TemplateError: the syntax is wrong.
    """
    if len(source) > _LONGEST_KEPT:
        return _parse(source)
    return _parse_once(source)


def _parse(source: str) -> Template:
    if "{" not in source:
        return Template(source=source, names=frozenset())
    match = _REFERENCE.fullmatch(source)
    if match and match[1] not in _WORDS:
        path = match[1]
        return Template(
            source=source, names=frozenset({path}), reference=tuple(path.split("."))
        )
    pieces = _pieces(source)
    single = _SINGLE.fullmatch(source)
    return Template(
        source=source,
        names=_names(source, pieces),
        expression=single[1].strip() if single else None,
        pieces=pieces,
    )


_parse_once = lru_cache(maxsize=1024)(_parse)


def _pieces(source: str) -> _Pieces:
    """Return the words and the plain names that make up a text; none if it has more."""
    parts = _PLAIN_NAME.split(source)
    words, names = parts[::2], parts[1::2]
    if any(map(_TAG.search, words)) or _WORDS.intersection(names):
        return ()
    found: list[str | tuple[str, ...]] = [words[0]]
    for name, word in zip(names, words[1:], strict=True):
        found += [tuple(name.split(".")), word]
    return tuple(found)


def is_plain_name(text: str) -> bool:
    """Whether templates can read a value of that name."""
    return _PLAIN.fullmatch(text) is not None and text not in _WORDS


Tree: TypeAlias = (
    Template | str | int | float | bool | list["Tree"] | dict[str, "Tree"] | None
)
"""A JSON value whose texts are parsed as templates."""


def parse_tree(value: JsonValue) -> Tree:
    """Parse every text inside a JSON value as a template.

    Raises:
        TemplateError: the syntax of one is wrong.
    """
    match value:
        case str():
            return parse_template(value)
        case list():
            return [parse_tree(item) for item in value]
        case dict():
            return {key: parse_tree(item) for key, item in value.items()}
        case _:
            return value


def templates_in(tree: Tree) -> Iterator[Template]:
    """Yield every template inside a tree."""
    match tree:
        case Template():
            yield tree
        case list():
            for item in tree:
                yield from templates_in(item)
        case dict():
            for item in tree.values():
                yield from templates_in(item)
        case _:
            return


def evaluate_tree(tree: Tree, scope: Mapping[str, Value]) -> Value:
    """Return the value of a tree: each template evaluated, the rest as it is.

    Raises:
        TemplateError: as in `Template.evaluate`.
    """
    match tree:
        case Template():
            return tree.evaluate(scope)
        case list():
            return [evaluate_tree(item, scope) for item in tree]
        case dict():
            return {key: evaluate_tree(item, scope) for key, item in tree.items()}
        case _:
            return tree


def plain(value: Value) -> object:
    """Return a value as templates see it: a file is its path."""
    match value:
        case FileValue():
            return value.path
        case list():
            return [plain(item) for item in value]
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case _:
            return value


def _put_together(pieces: _Pieces, scope: Mapping[str, Value]) -> str | None:
    """Return the text, if every name stands for one; the engine knows all else."""
    texts: list[str] = []
    for piece in pieces:
        value: Value = piece  # type: ignore[assignment]  # a path is replaced at once
        if isinstance(piece, tuple):
            try:
                value = _look_up(piece, scope)
            except TemplateError:  # the engine says it in its own words
                return None
        if not isinstance(value, str):
            return None
        texts.append(value)
    return "".join(texts)


def _look_up(path: tuple[str, ...], scope: Mapping[str, Value]) -> Value:
    if path[0] not in scope:
        raise TemplateError(f"{path[0]!r} is not there")
    value = scope[path[0]]
    for depth, part in enumerate(path[1:], 1):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and (place := place_in(value, part)) is not None:
            value = value[place]
        else:
            raise TemplateError(f"{'.'.join(path[: depth + 1])!r} is not there")
    return value


def _names(source: str, pieces: _Pieces) -> frozenset[str]:
    depth = _depth(source, pieces)
    paths = [each for each in pieces if isinstance(each, tuple)]
    plain_names = frozenset(map(".".join, paths))
    if pieces and _are_plain(plain_names, {path[0] for path in paths}):
        return plain_names - ENGINE_NAMES
    from minijinja import TemplateError as EngineError  # noqa: PLC0415

    def found() -> frozenset[str]:
        names = engine().undeclared_variables_in_str(source, nested=True)
        _try_out(source)
        return frozenset(names) - ENGINE_NAMES

    try:
        return with_room(found, source=source, depth=depth)
    except RecursionError as error:
        raise _too_deep() from error
    except EngineError as error:
        raise TemplateError(error.detail or error.kind, error.line or 1) from error


def _are_plain(names: Iterable[str], roots: AbstractSet[str]) -> bool:
    """Whether the engine takes them as they are: of letters it may know fewer."""
    return roots.isdisjoint(_READ_BY_ENGINE) and all(map(str.isascii, names))


def _depth(source: str, pieces: _Pieces) -> int:
    """Return the most signs that can follow each other in one tag of a template.

    Raises:
        TemplateError: they are more than the engine can be given.
    """
    paths = [len(each) for each in pieces if isinstance(each, tuple)]
    depth = max(paths) if paths else len(source)
    if depth > LONGEST:
        what = f"a text with more than plain names may have {LONGEST:,} characters"
        raise TemplateError(what)
    return depth


def _too_deep() -> TemplateError:
    return TemplateError("its lists are nested too deep to be shown")


def _try_out(source: str) -> None:
    """Fill a template in with nothing, to learn whether its filters exist.

    The engine looks them up only when it comes to them. Whatever else goes wrong
    without values is no fault of the template.
    """
    if not _MAY_BE_UNKNOWN.search(source):
        return
    from minijinja import TemplateError as EngineError  # noqa: PLC0415

    try:
        engine("chainable").render_str(source)
    except EngineError as error:
        if error.kind in _UNKNOWN:
            raise


def _run(template: Template, scope: Mapping[str, Value], *, expression: bool) -> Value:
    from minijinja import TemplateError as EngineError  # noqa: PLC0415

    source = template.source
    data = {name: plain(value) for name, value in scope.items()}

    def result() -> Value:
        if expression:
            value: Value = engine().eval_expr(template.expression or "", **data)
            return value
        return engine().render_str(source, **data)

    try:
        depth = _depth(source, template.pieces)
        return with_room(result, source=source, depth=depth)
    except RecursionError:
        raise _too_deep() from None
    except EngineError as error:
        # `str(error)` quotes the variables, which are the user's data: not here.
        raise TemplateError(error.detail or error.kind, error.line or 1) from None
