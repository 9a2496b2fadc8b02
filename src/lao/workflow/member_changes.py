# SPDX-License-Identifier: Apache-2.0
"""Adding, removing, renaming and moving the members of one list or mapping in a text."""

from collections.abc import Sequence
from typing import TypeAlias

from msgspec import Struct

from lao.workflow.layout_lines import (
    Layout,
    Range,
    children,
    member_lines,
    member_start,
    owned_lines,
)
from lao.workflow.nodes import Node
from lao.workflow.text_styles import Slot, careful_text, flow_text, member_text
from lao.workflow.values import JsonValue
from lao.workflow.yaml_text import text_in_line

Member: TypeAlias = tuple[str | None, JsonValue]


class Change(Struct, frozen=True):
    """Put `text` in the place of `start:end`. One that stands `alone` goes first."""

    start: int
    end: int
    text: str
    alone: bool = False


def apply(text: str, changes: Sequence[Change]) -> str:
    """Return a text with every change made; changes do not overlap."""
    parts: list[str] = []
    done = 0
    for change in sorted(changes, key=lambda each: (each.start, each.end)):
        parts += [text[done : change.start], change.text]
        done = max(done, change.end)
    return "".join([*parts, text[done:]])


def rename_key(layout: Layout, node: Node, name: str, *, as_json: bool) -> list[Change]:
    """Return the change that gives a value another key."""
    start, end = layout.key_range(node)
    key = flow_text(name, as_json=True) if as_json else text_in_line(name)
    return [Change(start, end, key, alone=True)]


def insert_members(
    layout: Layout, parent: Node, behind: int, members: Sequence[Member], slot: Slot
) -> list[Change]:
    """Return the changes that put members behind the first `behind` others.

    `slot.column` is that of the members. In brackets they are put in one by one, so
    only the first is.
    """
    if slot.flow:
        return _insert_in_flow(layout, parent, behind, members[0], slot)
    newline = layout.newline
    texts = [_text_of(each, slot).replace("\n", newline) for each in members]
    apart = newline if slot.apart and _are_apart(layout, parent, behind) else ""
    text = (newline + apart).join(texts)
    if behind == 0:
        place = owned_lines(layout, parent, 0)[0]
        return [Change(place, place, text + newline + apart, alone=True)]
    place = owned_lines(layout, parent, behind - 1)[1]
    return [Change(place, place, newline + apart + text, alone=True)]


def _text_of(member: Member, slot: Slot) -> str:
    if slot.careful:
        return careful_text(*member, slot.column)
    return member_text(*member, slot.column, spread=slot.spread)


def remove_member(
    layout: Layout, parent: Node, index: int, *, flow: bool, owned: bool
) -> list[Change]:
    """Return the changes that take a member away, with its own comments if `owned`."""
    if flow:
        return _remove_in_flow(layout, parent, index)
    start, end = member_lines(layout, parent, index)
    if not layout.opens_line(start):
        return [_remove_beside_dash(layout, parent, start, end)]
    if owned:
        start, end = owned_lines(layout, parent, index)
    start, following = layout.line_start(start), layout.next_line(end)
    above = owned_lines(layout, parent, index - 1)[1] if index else None
    following, start = _with_blanks(layout, start, following, above)
    if following >= len(layout.text) and following == layout.line_end(end):
        start = layout.line_before(start)  # the file ends without a line break
    return [Change(start, following, "", alone=True)]


def move_members(layout: Layout, parent: Node, order: Sequence[int]) -> list[Change]:
    """Return the change that puts members in another order, comments with them.

    What stands between them, such as blank lines, stays where it is.
    """
    flow = layout.is_flow(parent)
    places = [
        _flow_range(layout, parent, index)
        if flow
        else owned_lines(layout, parent, index)
        for index in range(len(order))
    ]
    return [
        Change(*place, layout.text[slice(*places[source])], alone=True)
        for place, source in zip(places, order, strict=True)
        if place != places[source]
    ]


def _are_apart(layout: Layout, parent: Node, behind: int) -> bool:
    """Whether blank lines stand between the members around a place, or in the file."""
    count = len(children(parent))
    if count == 1:
        return any(not line.strip() for line in layout.text.splitlines())
    first = min(max(behind, 1), count - 1)
    end = owned_lines(layout, parent, first - 1)[1]
    start = owned_lines(layout, parent, first)[0]
    between = layout.text[end:start].splitlines()[1:]
    return any(not line.strip() for line in between)


def _with_blanks(
    layout: Layout, start: int, following: int, above: int | None
) -> tuple[int, int]:
    """Return where lines to remove end and start, one of two blank stretches included.

    `above` is where the member above ends, which may own blank lines itself.
    """
    text = layout.text
    after = following
    while after < len(text) and not layout.line(after).strip():
        after = layout.next_line(after)
    before = start
    while above is not None and (line := layout.line_before(before)) > above:
        if layout.line(line).strip():
            break
        before = layout.line_start(layout.line_before(before))
    if after >= len(text):
        return after, before
    return (after if above is None or before < start else following), start


def _remove_beside_dash(layout: Layout, parent: Node, start: int, end: int) -> Change:
    """Remove the first key of a mapping that stands in the line of its `-`."""
    following = member_start(layout, parent, 1)
    if not layout.text[end:following].strip():
        return Change(start, following, "", alone=True)
    while layout.text[start - 1] in " \t":
        start -= 1
    return Change(start, end, "", alone=True)


def _flow_range(layout: Layout, parent: Node, index: int) -> Range:
    end = layout.end(children(parent)[index])
    return member_start(layout, parent, index), end


def _insert_in_flow(
    layout: Layout, parent: Node, behind: int, member: Member, slot: Slot
) -> list[Change]:
    name, value = member
    text = flow_text(value, as_json=slot.as_json)
    if name is not None:
        key = flow_text(name, as_json=True) if slot.as_json else text_in_line(name)
        text = f"{key}: {text}"
    first, end = _flow_range(layout, parent, max(0, behind - 1))
    gap = " "
    if layout.opens_line(first):
        margin = layout.text[layout.line_start(first) : first]
        gap = layout.newline + margin
    if behind == 0:
        return [Change(first, first, f"{text},{gap}", alone=True)]
    last = behind == len(children(parent))
    comma = layout.comma_after(end)
    if last and comma is not None:
        return [Change(end, comma + 1, f",{gap}{text},", alone=True)]
    return [Change(end, end, f",{gap}{text}", alone=True)]


def _remove_in_flow(layout: Layout, parent: Node, index: int) -> list[Change]:
    start, end = _flow_range(layout, parent, index)
    comma = layout.comma_after(end)
    if comma is not None:
        return [_remove_with_gap(layout, start, comma + 1)]
    if index == 0:
        return [Change(start, end, "", alone=True)]
    before = _flow_range(layout, parent, index - 1)[1]
    comma = layout.comma_after(before)
    if comma is None:
        return [Change(start, end, "", alone=True)]
    if not layout.text[comma + 1 : start].strip(" \t"):
        return [Change(comma, end, "", alone=True)]
    member = _remove_with_gap(layout, start, end)
    return [Change(comma, comma + 1, "", alone=True), member]


def _remove_with_gap(layout: Layout, start: int, end: int) -> Change:
    """Remove a member and its line, or the spaces behind it if others share that."""
    text = layout.text
    rest = text[end : layout.line_end(end)].strip(" \t")
    if layout.opens_line(start) and (not rest or rest.startswith("#")):
        return Change(layout.line_start(start), layout.next_line(end), "", alone=True)
    while text[end : end + 1] in (" ", "\t"):
        end += 1
    return Change(start, end, "", alone=True)
