# SPDX-License-Identifier: Apache-2.0
"""What to change in a text so that it holds other data, and nothing beside that.

`next_changes` compares the tree with the data and returns replacements: either of any
number of single values, or of the members of one list or mapping. Repeated until none
is left, it brings the text there; `splice` checks that it did.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from lao.workflow.edits import EditPath
from lao.workflow.layout_lines import Layout, children
from lao.workflow.member_changes import (
    Change,
    Member,
    insert_members,
    remove_member,
    rename_key,
)
from lao.workflow.nodes import Node
from lao.workflow.sameness import count_alike, is_same
from lao.workflow.text_styles import OldText, Slot, Written, written
from lao.workflow.values import JsonValue

_SPREAD: Final = (("inputs",), ("models",), ("steps",), ("outputs",), ("ui",))
_ORDER: Final = (
    "lao", "name", "description", "inputs", "models", "steps", "connections",
    "outputs", "ui",
)  # fmt: skip


class Spot(Struct, frozen=True, kw_only=True):
    """A value in the text, and what surrounds it; `column` is as in `Slot`."""

    node: Node
    path: EditPath = ()
    column: int = -1
    flow: bool = False


class Changes(Struct, frozen=True, kw_only=True):
    """Compares one text with the data that it is to hold."""

    layout: Layout
    as_json: bool
    careful: bool = False
    rewrite: Callable[[str], str] | None = None

    def of(self, spot: Spot, expected: JsonValue) -> list[Change]:
        """Return what to change next in a value; nothing if it is as expected."""
        node = spot.node
        match node.value, expected:
            case Mapping() as entries, dict() if _is_related(entries, expected):
                return self._of_mapping(spot, entries, expected)
            case tuple() as items, list() if items and expected:
                return self._of_list(spot, items, expected)
            case _ if is_same(node, expected):
                return []
            case Mapping() | tuple(), dict() | list() if (
                not expected and children(node) and not spot.flow
            ):
                return self._emptied(spot, expected)
            case _:
                return self._replaced(spot, expected)

    def _inner(self, spot: Spot, part: str | int, node: Node) -> Spot:
        flow = spot.flow or self.layout.is_flow(spot.node)
        column = spot.column if flow else spot.node.column - 1
        return Spot(node=node, path=(*spot.path, part), column=column, flow=flow)

    def _of_mapping(
        self, spot: Spot, entries: Mapping[str, Node], expected: dict[str, JsonValue]
    ) -> list[Change]:
        names = list(entries)
        changes: list[Change] = []
        for name, node in entries.items():
            if name in expected:
                found = self.of(self._inner(spot, name, node), expected[name])
                if any(change.alone for change in found):
                    return found
                changes += found
        if changes:
            return changes
        gone = [index for index, name in enumerate(names) if name not in expected]
        added = [name for name in expected if name not in entries]
        if len(gone) == len(added) == 1:
            node = entries[names[gone[0]]]
            if is_same(node, expected[added[0]]):
                return rename_key(self.layout, node, added[0], as_json=self.as_json)
        if gone:
            return self._removed(spot, gone[-1])
        if added:
            name = added[0]
            behind = len(names) if spot.path else _place_at_top(names, name)
            members = [(name, expected[name]) for name in added]
            return self._added(spot, behind, members if spot.path else members[:1])
        return []

    def _of_list(
        self, spot: Spot, items: tuple[Node, ...], expected: list[JsonValue]
    ) -> list[Change]:
        first = count_alike(items, expected)
        last = count_alike(items[first:][::-1], expected[first:][::-1])
        old = items[first : len(items) - last]
        new = expected[first : len(expected) - last]
        changes: list[Change] = []
        for index, (node, value) in enumerate(zip(old, new, strict=False), first):
            found = self.of(self._inner(spot, index, node), value)
            if any(change.alone for change in found):
                return found
            changes += found
        if changes:
            return changes
        if len(old) > len(new):
            return self._removed(spot, first + len(old) - 1)
        if len(new) > len(old):
            members = [(None, value) for value in new[len(old) :]]
            return self._added(spot, first + len(old), members)
        return []

    def _added(
        self, spot: Spot, behind: int, members: Sequence[Member]
    ) -> list[Change]:
        name, value = members[0]
        at_top = not spot.path
        in_steps = spot.path == ("steps",)
        slot = Slot(
            column=spot.node.column - 1,
            flow=spot.flow or self.layout.is_flow(spot.node),
            as_json=self.as_json,
            careful=self.careful or spot.path == ("ui",),
            spread=in_steps or (at_top and (name,) in _SPREAD),
            apart=in_steps
            or (at_top and name != "ui" and isinstance(value, list | dict)),
        )
        return insert_members(self.layout, spot.node, behind, members, slot)

    def _removed(self, spot: Spot, index: int) -> list[Change]:
        flow = spot.flow or self.layout.is_flow(spot.node)
        owned = spot.path == ("steps",)
        return remove_member(self.layout, spot.node, index, flow=flow, owned=owned)

    def _emptied(self, spot: Spot, expected: JsonValue) -> list[Change]:
        """Take the members of a block away, one by one; comments around them stay."""
        node = spot.node
        alike = isinstance(node.value, Mapping) == isinstance(expected, dict)
        if not alike or self.layout.is_flow(node) or not self._opens_line(node):
            return self._replaced(spot, expected)
        if len(children(node)) > 1:
            return self._removed(spot, len(children(node)) - 1)
        empty = "{}" if isinstance(node.value, Mapping) else "[]"
        place = self._head_place(spot)
        head = Change(place, place, f" {empty}", alone=True)
        return [head, *self._removed(spot, 0)]

    def _opens_line(self, node: Node) -> bool:
        return self.layout.opens_line(self.layout.start(node))

    def _head_place(self, spot: Spot) -> int:
        """Return where the `:` or `-` before a value ends."""
        if spot.node.key is not None:
            return self.layout.after_colon(spot.node)
        start = self.layout.start(spot.node)
        return self.layout.dash_above(start, spot.column) + 1

    def _replaced(self, spot: Spot, expected: JsonValue) -> list[Change]:
        node, layout = spot.node, self.layout
        start = layout.start(node)
        slot = Slot(
            column=spot.column,
            flow=spot.flow,
            as_json=self.as_json,
            careful=self.careful or spot.path[:-1] == ("ui",),
            spread=spot.path in _SPREAD,
            below=self._below(node),
            room=start - layout.line_start(start),
            old=self._old_text(node),
            rewrite=self.rewrite,
        )
        made = written(expected, slot)
        if spot.flow:
            return self._in_flow(node, made.head)
        if node.style in ("literal", "folded"):
            return self._for_block_text(node, made)
        if isinstance(node.value, Mapping | tuple) and not layout.is_flow(node):
            return self._for_block(spot, made)
        return self._for_inline(node, made)

    def _old_text(self, node: Node) -> OldText | None:
        if not isinstance(node.value, str):
            return None
        layout = self.layout
        raw = layout.text[layout.start(node) : layout.end(node)]
        if node.style in ("literal", "folded"):
            margin = layout.margin(node)
            lines = [line[margin:] for line in layout.content(node)]
            return OldText(
                value=node.value,
                style=node.style,
                raw=layout.header(node),
                lines=lines,
                margin=margin,
            )
        if raw[:1] == '"':
            return OldText(value=node.value, style="double", raw=raw)
        style: Final = "single" if raw[:1] == "'" else "plain"
        return OldText(value=node.value, style=style, raw=raw)

    def _below(self, node: Node) -> int:
        """Return how far the comments between a value and the next are indented."""
        layout = self.layout
        deepest = -1
        place = layout.next_line(layout.end(node))
        while place < len(layout.text):
            line = layout.line(place)
            bare = line.lstrip(" ")
            if bare[:1] not in ("#", ""):
                break
            if bare:
                deepest = max(deepest, len(line) - len(bare))
            place = layout.next_line(place)
        return deepest

    def _in_flow(self, node: Node, head: str) -> list[Change]:
        start, end = self.layout.start(node), self.layout.end(node)
        if start < end:
            return [Change(start, end, head)]
        before = self.layout.text[:start].rstrip(" \t")
        if before.endswith(":"):
            return [Change(len(before), len(before), f" {head}")]
        return [Change(start, start, f": {head}")]

    def _body(self, made: Written) -> str:
        newline = self.layout.newline
        return "".join(f"{newline}{line}" for line in made.body)

    def _for_block_text(self, node: Node, made: Written) -> list[Change]:
        layout = self.layout
        start = layout.start(node)
        header = layout.header(node)
        below = layout.line_end(start)
        end = layout.block_end(node, blanks="+" in made.head)
        return [
            self._head(start, start + len(header), made),
            Change(below, end, self._body(made)),
        ]

    def _head(self, start: int, end: int, made: Written) -> Change:
        if not made.head:
            text = self.layout.text
            while text[start - 1] in " \t":
                start -= 1
        elif start == end:
            return Change(start, end, f" {made.head}")
        return Change(start, end, made.head)

    def _for_block(self, spot: Spot, made: Written) -> list[Change]:
        layout, node = self.layout, spot.node
        start = layout.start(node)
        end = layout.line_end(layout.end(node))
        if not self._opens_line(node):
            head = self._head(start, end, made)
            return [replace(head, text=head.text + self._body(made))]
        place = self._head_place(spot)
        above = layout.line_before(start)
        head = Change(place, place, f" {made.head}" if made.head else "")
        return [head, Change(above, end, self._body(made))]

    def _for_inline(self, node: Node, made: Written) -> list[Change]:
        layout = self.layout
        start, end = layout.start(node), layout.end(node)
        head = self._head(start, end, made)
        if not made.body:
            return [head]
        below = layout.line_end(end)
        return [head, Change(below, below, self._body(made))]


def _is_related(entries: Mapping[str, Node], expected: dict[str, JsonValue]) -> bool:
    """Whether one mapping can become the other key by key."""
    if entries.keys() & expected.keys():
        return True
    if len(entries) != 1 or len(expected) != 1:
        return False
    [node], [value] = entries.values(), expected.values()
    return is_same(node, value)


def _place_at_top(names: Sequence[str], name: str) -> int:
    """Return behind how many keys a new one belongs: `ui` stays the last."""
    if name == "ui":
        return len(names)
    if name not in _ORDER:
        return names.index("ui") if "ui" in names else len(names)
    before = _ORDER[: _ORDER.index(name)]
    places = [index for index, other in enumerate(names) if other in before]
    return places[-1] + 1 if places else 0
