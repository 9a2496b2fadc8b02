# SPDX-License-Identifier: Apache-2.0
"""Whether a tree holds certain plain data, and how far it is from that."""

from collections.abc import Mapping, Sequence

from lao.workflow.edits import EditPath
from lao.workflow.nodes import Node
from lao.workflow.values import JsonValue


def is_same(node: Node, expected: JsonValue) -> bool:
    """Whether a node holds exactly this data; `1` is neither `1.0` nor `true`."""
    value = node.value
    if isinstance(value, tuple):
        if not isinstance(expected, list) or len(value) != len(expected):
            return False
        return all(map(is_same, value, expected))
    if isinstance(value, dict):  # faster to ask than whether it is any Mapping
        if not isinstance(expected, dict) or value.keys() != expected.keys():
            return False
        return all(is_same(value[name], held) for name, held in expected.items())
    return type(value) is type(expected) and repr(value) == repr(expected)


def count_alike(items: Sequence[Node], expected: Sequence[JsonValue]) -> int:
    """Return how many elements are the same from the start."""
    count = 0
    for node, value in zip(items, expected, strict=False):
        if not is_same(node, value):
            break
        count += 1
    return count


def count_differences(node: Node, expected: JsonValue) -> int:
    """Return how many single changes a tree is away from the data."""
    match node.value, expected:
        case Mapping() as entries, dict():
            apart = len(entries.keys() ^ expected.keys())
            shared = (name for name in entries if name in expected)
            return apart + sum(
                count_differences(entries[name], expected[name]) for name in shared
            )
        case tuple() as items, list():
            first = count_alike(items, expected)
            last = count_alike(items[first:][::-1], expected[first:][::-1])
            old = items[first : len(items) - last]
            new = expected[first : len(expected) - last]
            pairs = zip(old, new, strict=False)
            return abs(len(old) - len(new)) + sum(
                count_differences(held, value) for held, value in pairs
            )
        case _:
            return int(not is_same(node, expected))


def first_difference(node: Node, expected: JsonValue) -> EditPath:
    """Return the path of the first place where a node holds other data."""
    match node.value, expected:
        case Mapping() as entries, dict() if entries.keys() == expected.keys():
            pairs = [(name, entries[name], expected[name]) for name in entries]
        case tuple() as items, list() if len(items) == len(expected):
            pairs = [
                (index, items[index], expected[index]) for index in range(len(items))
            ]
        case _:
            return ()
    for part, inner, value in pairs:
        if not is_same(inner, value):
            return (part, *first_difference(inner, value))
    return ()
