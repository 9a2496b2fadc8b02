# SPDX-License-Identifier: Apache-2.0
"""The comments of a YAML text, and whether a change of the text keeps them.

Data that reads back the same says nothing about comments: a block text that is written
above one takes it in, if it is indented as deep.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from lao.workflow.layout_lines import Layout, Range
from lao.workflow.nodes import Node

_SIGN = re.compile(r"(?<!\S)#")


def comments_in(layout: Layout) -> Iterator[Range]:
    """Yield where each comment stands."""
    texts = sorted(_texts_with_sign(layout))
    done = 0
    for match in _SIGN.finditer(layout.text):
        place = match.start()
        while texts and texts[0][1] <= place:
            texts.pop(0)
        if place < done or (texts and texts[0][0] <= place):
            continue
        done = layout.line_end(place)
        yield place, done


def keeps_comments(old: Layout, new: Layout, taken: Sequence[Range]) -> bool:
    """Whether the comments that do not start in the stretches taken are still there."""
    kept = Counter(
        old.text[start:end]
        for start, end in comments_in(old)
        if not any(first <= start < last for first, last in taken)
    )
    return kept <= Counter(new.text[start:end] for start, end in comments_in(new))


def _texts_with_sign(layout: Layout) -> Iterator[Range]:
    """Yield where the keys and texts stand that hold the sign of a comment."""
    left = [layout.root]
    while left:
        node = left.pop()
        value = node.value
        if isinstance(value, str):
            if "#" in value:
                yield _text_range(layout, node)
        elif isinstance(value, tuple):
            left += value
        elif isinstance(value, dict):  # faster to ask than whether it is any Mapping
            left += value.values()
            for name, child in value.items():
                if "#" in name:
                    yield layout.key_range(child)


def _text_range(layout: Layout, node: Node) -> Range:
    start = layout.start(node)
    if node.style in ("literal", "folded"):
        start = layout.line_end(start)  # its header may have a comment
    return start, layout.end(node)
