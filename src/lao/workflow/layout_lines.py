# SPDX-License-Identifier: Apache-2.0
"""Where the parts of a YAML text stand: offsets, whole lines, and whose a comment is.

A part of a block (a key with its value, a `-` with its element) owns the comments
directly above it that are not indented deeper, those at its line ends and between its
lines, and those directly below it that are indented deeper. A blank line ends them.
"""

import re
from bisect import bisect_right
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from lao.workflow.source import Node, read_yaml

_KEY = re.compile(
    r""" (?: "(?:[^"\\]|\\.)*" | '(?:[^']|'')*' | [^\n]*?) (?= [ \t]*: )""", re.VERBOSE
)
_PLAIN_KEY_END = re.compile(r"[ \t]*:(?=[\s,\[\]{}]|$)")
_HEADER = re.compile(r"[|>][0-9+-]*")
_BREAKS: Final = "\r\n\x85\u2028\u2029"
_COMMA = re.compile(r"\s*(?:#[^\n]*\n\s*)*,")

Range = tuple[int, int]


class Layout(Struct, frozen=True, kw_only=True):
    """A YAML text without byte order mark, and the tree that it is read as."""

    text: str
    root: Node
    starts: tuple[int, ...]
    newline: str

    def offset(self, line: int, column: int) -> int:
        """Return the offset of a place; lines and columns count from 1."""
        if line > len(self.starts):
            return len(self.text)
        return self.starts[line - 1] + column - 1

    def start(self, node: Node) -> int:
        """Return where a value starts."""
        return self.offset(node.line, node.column)

    def end(self, node: Node) -> int:
        """Return where a value ends: what is left of its last line is not its own."""
        value = node.value
        if not self.is_flow(node):
            if isinstance(value, tuple) and value:
                return self.end(value[-1])
            if isinstance(value, Mapping) and value:
                return self.end(list(value.values())[-1])
        if node.style in ("literal", "folded"):
            return self.block_end(node, blanks="+" in self.header(node))
        return self.offset(*node.end)

    def header(self, node: Node) -> str:
        """Return what opens a block text, such as `|-`."""
        match = _HEADER.match(self.text, self.start(node))
        return match[0] if match else ""

    def block_end(self, node: Node, *, blanks: bool) -> int:
        """Return where a block text ends, with or without blank lines below it."""
        first = self.line_end(self.start(node))
        end = max(first, self.offset(*node.end))
        end = self._without_break(end) if end > first else first
        if not blanks:
            margin = self.margin(node)
            while end > first:
                line = self.text[self.line_start(end) : end]
                if line.strip(" ") or len(line) > margin:
                    break
                end = self._without_break(self.line_start(end))
        return end

    def margin(self, node: Node) -> int:
        """Return how far the lines of a block text are indented."""
        lines = self.content(node)
        first = next((line for line in lines if line.strip(" ")), None)
        if first is None:
            return max(map(len, lines), default=0)
        said = next(line for line in str(node.value).split("\n") if line.strip(" "))
        return _indent(first) - _indent(said)

    def content(self, node: Node) -> list[str]:
        """Return the lines of a block text as they stand."""
        first = self.line_end(self.start(node))
        return self.text[first : self.offset(*node.end)].splitlines()[1:]

    def is_flow(self, node: Node) -> bool:
        """Whether a value is a list or mapping in brackets."""
        if not isinstance(node.value, Mapping | tuple):
            return False
        return self.text[self.start(node) : self.start(node) + 1] in ("[", "{")

    def line_start(self, offset: int) -> int:
        """Return where the line of an offset starts."""
        return self.starts[bisect_right(self.starts, offset) - 1]

    def next_line(self, offset: int) -> int:
        """Return where the line after that of an offset starts."""
        following = bisect_right(self.starts, offset)
        if following < len(self.starts):
            return self.starts[following]
        return len(self.text)

    def line_end(self, offset: int) -> int:
        """Return where the line of an offset ends, before its line break."""
        following = self.next_line(offset)
        return max(self.line_start(offset), self._without_break(following))

    def _without_break(self, offset: int) -> int:
        """Return the offset before the line break that ends here, if one does."""
        if self.text[max(0, offset - 2) : offset] == "\r\n":
            return offset - 2
        return offset - (self.text[offset - 1 : offset] in tuple(_BREAKS))

    def line_before(self, offset: int) -> int:
        """Return where the line before that of an offset ends, or 0."""
        return self._without_break(self.line_start(offset))

    def line(self, offset: int) -> str:
        """Return the line of an offset, without its line break."""
        return self.text[self.line_start(offset) : self.line_end(offset)]

    def opens_line(self, offset: int) -> bool:
        """Whether nothing but spaces stands before an offset in its line."""
        return not self.text[self.line_start(offset) : offset].strip(" \t")

    def key_range(self, node: Node) -> Range:
        """Return where the key of a value stands."""
        start = self.offset(*(node.key or (node.line, node.column)))
        quoted = self.text[start : start + 1] in ('"', "'")
        if quoted and (match := _KEY.match(self.text, start)):
            return start, match.end()
        end = _PLAIN_KEY_END.search(self.text, start, self.line_end(start))
        return start, end.start() if end else start

    def after_colon(self, node: Node) -> int:
        """Return where the colon of a value's key ends."""
        return self.text.find(":", self.key_range(node)[1]) + 1

    def dash_above(self, offset: int, column: int) -> int:
        """Return where the `-` in a column stands that an offset follows."""
        while offset > 0:
            dash = self.line_start(offset) + column
            if self.text[dash : dash + 1] == "-" and dash < self.line_end(offset):
                return dash
            offset = self.line_before(offset)
        return 0

    def comma_after(self, offset: int) -> int | None:
        """Return where the next comma of a flow collection stands, if one is next."""
        match = _COMMA.match(self.text, offset)
        return match.end() - 1 if match else None


def read_layout(text: str, source: str) -> Layout:
    """Read a text and note where its lines start.

    Raises:
        InvalidWorkflow: it is not a tree of plain data (codes `yaml.…`).
    """
    root = read_yaml(text, source)
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    if text[-1:] not in tuple(_BREAKS):
        starts.pop()
    newline = "\r\n" if "\r\n" in text else "\n"
    return Layout(text=text, root=root, starts=tuple(starts), newline=newline)


def children(node: Node) -> list[Node]:
    """Return the values in a list or mapping, in order."""
    if isinstance(node.value, tuple):
        return list(node.value)
    return list(node.value.values()) if isinstance(node.value, Mapping) else []


def member_start(layout: Layout, parent: Node, index: int) -> int:
    """Return where a key or a `-` stands; in brackets, where the element does."""
    child = children(parent)[index]
    if layout.is_flow(parent):
        return layout.offset(*(child.key or (child.line, child.column)))
    if child.key is not None:
        return layout.offset(child.key[0], parent.column)
    if index == 0:
        return layout.start(parent)
    return layout.dash_above(layout.start(child), parent.column - 1)


def member_lines(layout: Layout, parent: Node, index: int) -> Range:
    """Return the lines of a part of a block, from its first sign to its last line."""
    start = member_start(layout, parent, index)
    return start, layout.line_end(layout.end(children(parent)[index]))


def owned_lines(layout: Layout, parent: Node, index: int) -> Range:
    """Return the whole lines of a part of a block and of its own comments."""
    start, end = member_lines(layout, parent, index)
    column = parent.column - 1
    before = member_lines(layout, parent, index - 1)[1] if index else 0
    first = layout.line_start(start)
    while first > 0 and (above := layout.line_before(first)) > before:
        if not _is_comment(layout.line(above), 0, column):
            break
        first = layout.line_start(above)
    below = layout.next_line(end)
    while below < len(layout.text):
        if not _is_comment(layout.line(below), column + 1, None):
            break
        end = layout.line_end(below)
        below = layout.next_line(below)
    return first, end


def _is_comment(line: str, least: int, most: int | None) -> bool:
    indent = _indent(line)
    if line[indent : indent + 1] != "#":
        return False
    return indent >= least and (most is None or indent <= most)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
