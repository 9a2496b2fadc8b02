# SPDX-License-Identifier: Apache-2.0
"""YAML text parsed: the only module that loads the parser.

Only libyaml's event stream is used; nothing is ever constructed.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Final, NoReturn, cast

import yaml
from yaml import (
    AliasEvent,
    CollectionStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from lao.errors import InvalidWorkflow, Place
from lao.workflow.nodes import Node, Problems, Scalar, Style

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML built without libyaml: ten times slower, same events
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

_DEEPEST: Final = 64
_MOST_VALUES: Final = 500_000
_LONGEST_NUMBER = 40
_STYLES: Mapping[str | None, Style] = {"|": "literal", ">": "folded", "'": "quoted"}
_NUMERIC = frozenset("-+.0123456789")
_WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", "")),
}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_MENDS: Mapping[str, str] = {
    "mapping values are not allowed": "put the text in quotes: it holds a colon",
    "cannot start any token": "put the text in quotes: it starts with a sign of YAML's",
    "unexpected end of stream": "close the quotation mark",
    "',' or '": "close the bracket, or put the text in quotes",
    "expected": "check the indentation of this line and of the one before",
}


def parse_yaml(text: str, source: str) -> Node:
    """Parse one document; raises as `source.read_yaml`."""
    problems = Problems()
    try:
        loader = _Loader(text)
        try:
            node = _Composer(source, loader.get_event, problems).document()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        _note_syntax(error, text, source, problems)
    except yaml.YAMLError as error:
        problems.add("yaml.syntax", str(error), Place(source))
    else:
        problems.raise_if_any()
        return node
    raise InvalidWorkflow(problems.found)


def _note_syntax(
    error: yaml.MarkedYAMLError, text: str, source: str, problems: Problems
) -> None:
    mark = error.problem_mark or error.context_mark
    if "end of stream" in (error.problem or ""):
        mark = error.context_mark or mark  # the quotation mark that is never closed
    if mark is None:
        problems.add("yaml.syntax", str(error.problem), Place(source))
        return
    if problems.found and problems.found[-1].code == "yaml.unquoted-template":
        return  # what follows the closing braces is the same mistake
    place = Place(source, mark.line + 1, mark.column + 1)
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    indentation = line[: len(line) - len(line.lstrip())]
    if "\t" in indentation or line[mark.column : mark.column + 1] == "\t":
        what, mend = "a tab cannot indent a line of YAML", "indent with spaces"
        problems.add("yaml.tab", what, place, mend)
        return
    problem = error.problem or "this is not YAML"
    what = f"{error.context}: {problem}" if error.context else problem
    mend = next((mend for part, mend in _MENDS.items() if part in problem), "")
    if "{{" in line:
        mend = 'put a text that holds {{ … }} in quotes: "{{ name }}"'
    problems.add("yaml.syntax", what, place, mend)


class _Composer:
    """Puts events together; recursion ends at the depth cap."""

    def __init__(
        self, source: str, following: Callable[[], Event | None], problems: Problems
    ) -> None:
        self.source = source
        self.following = cast("Callable[[], Event]", following)  # None: past the end
        self.last: Event | None = None  # what ended the collection just read
        self.problems = problems
        self.values = 0

    def document(self) -> Node:
        self.following()
        event = self.following()
        if isinstance(event, StreamEndEvent):
            return self._empty(Place(self.source))
        node = self._node(self.following(), 0)
        if node.value is None:
            return self._empty(Place(self.source))
        self.following()
        event = self.following()
        if not isinstance(event, StreamEndEvent):
            what = "a second document starts here"
            place = self._place(event)
            self.problems.add("yaml.documents", what, place, "keep one per file")
        return node

    def _empty(self, place: Place) -> Node:
        mend = "write a workflow; `lao new` starts one from an example"
        self.problems.add("yaml.empty", "the file is empty", place, mend)
        return Node(None)

    def _place(self, event: Event) -> Place:
        line, column = _start(event)
        return Place(self.source, line, column)

    def _node(
        self, event: Event, depth: int, key: tuple[int, int] | None = None
    ) -> Node:
        at = _start(event)
        self.values += 1
        if event.__class__ is ScalarEvent and self.values <= _MOST_VALUES:
            scalar, style = self._scalar(event)
            return Node(scalar, self.source, *at, style, key, _end(event))
        if depth >= _DEEPEST or self.values > _MOST_VALUES:
            self._stop(event, depth)
        value: tuple[Node, ...] | Mapping[str, Node] | None = None
        self.last = event
        if isinstance(event, AliasEvent):
            self._refuse_alias(event)
        elif isinstance(event, SequenceStartEvent):
            self._refuse_marks(event)
            value = self._sequence(depth + 1)
        elif isinstance(event, MappingStartEvent):
            self._refuse_marks(event)
            value = self._mapping(event, depth + 1)
        return Node(value, self.source, *at, "plain", key, _end(self.last))

    def _sequence(self, depth: int) -> tuple[Node, ...]:
        items = []
        following = self.following
        while (event := following()).__class__ is not SequenceEndEvent:
            items.append(self._node(event, depth))
        self.last = event
        return tuple(items)

    def _mapping(self, start: MappingStartEvent, depth: int) -> Mapping[str, Node]:
        entries: dict[str, Node] = {}
        following = self.following
        while (event := following()).__class__ is not MappingEndEvent:
            name = self._key(event, start, depth)
            value = self._node(following(), depth, _start(event))
            if name is None:
                continue
            if name in entries:
                self._refuse_duplicate(name, value, entries[name])
            else:
                entries[name] = value
        self.last = event
        return entries

    def _key(self, event: Event, start: MappingStartEvent, depth: int) -> str | None:
        if event.__class__ is ScalarEvent:
            name, _ = self._scalar(event)
            if name.__class__ is str:
                return name
        elif isinstance(self._node(event, depth).value, Mapping) and start.flow_style:
            what = "a text that holds {{ … }} must be in quotes"
            mend = 'put the whole text in quotes: "{{ name }}"'
            self.problems.add("yaml.unquoted-template", what, self._place(start), mend)
            return None
        what, mend = "a key must be text", "put the key in quotes"
        self.problems.add("yaml.key", what, self._place(event), mend)
        return None

    def _stop(self, event: Event, depth: int) -> NoReturn:
        if depth >= _DEEPEST:
            code, what = "yaml.too-deep", f"this is nested over {_DEEPEST} levels deep"
        else:
            code, what = "yaml.too-large", f"there are over {_MOST_VALUES:,} values"
        self.problems.add(code, what, self._place(event))
        raise InvalidWorkflow(self.problems.found)

    def _scalar(self, event: ScalarEvent) -> tuple[Scalar, Style]:
        if event.anchor is not None or event.tag is not None:
            self._refuse_marks(event)
            return event.value, "quoted"
        if not event.implicit[0]:
            return event.value, _STYLES.get(event.style, "quoted")
        text = event.value
        first = text[:1]
        if first in _NUMERIC and (_FLOAT.fullmatch(text) or _INTEGER.fullmatch(text)):
            return self._number(text, event), "plain"
        return _WORDS.get(text, text), "plain"

    def _number(self, text: str, event: ScalarEvent) -> int | float:
        if len(text) <= _LONGEST_NUMBER:
            if _INTEGER.fullmatch(text):
                sign = -1 if text[0] == "-" else 1
                digits = text.lstrip("+-")
                whole = int(digits, {"0o": 8, "0x": 16}.get(digits[:2], 10))
                return sign * whole
            number = float(text.lower().replace(".i", "i").replace(".n", "n"))
            if math.isfinite(number):
                return number
        what = f"{text[:20]!r} is not a number that LAO can keep"
        mend = "write a finite number of at most 40 signs, or quote it as text"
        self.problems.add("yaml.number", what, self._place(event), mend)
        return 0

    def _refuse_alias(self, event: Event) -> None:
        what = "anchors and aliases (`&name`, `*name`) are not used in workflow files"
        mend = "write the value out; a text that starts with & or * goes in quotes"
        self.problems.add("yaml.alias", what, self._place(event), mend)

    def _refuse_marks(self, event: ScalarEvent | CollectionStartEvent) -> None:
        if event.anchor is not None:
            self._refuse_alias(event)
        if event.tag not in (None, "!"):
            what = f"the tag {event.tag!r} is not used in workflow files"
            mend = "leave it out; a text that starts with ! goes in quotes"
            self.problems.add("yaml.tag", what, self._place(event), mend)

    def _refuse_duplicate(self, name: str, value: Node, first: Node) -> None:
        place = first.key_place
        what = f"the key {name!r} is here twice"
        mend = f"remove one; the first is at line {place.line}, column {place.column}"
        self.problems.add("yaml.duplicate-key", what, value.key_place, mend)


def _start(event: Event) -> tuple[int, int]:
    mark = event.start_mark
    if mark is None:
        return 0, 0
    return mark.line + 1, mark.column + 1


def _end(event: Event | None) -> tuple[int, int]:
    mark = None if event is None else event.end_mark
    if mark is None:
        return 0, 0
    return mark.line + 1, mark.column + 1
