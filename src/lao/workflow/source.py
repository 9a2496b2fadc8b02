# SPDX-License-Identifier: Apache-2.0
"""YAML text, read into nodes that know where they stand.

A workflow file is a tree of plain data: no anchors, no tags, no second document, no
key twice. Scalars follow the YAML 1.2 core schema, so `yes` is text and `012` is
twelve. A text that was read before need not be parsed again: see `KeptNodes`.
"""

import re
from typing import Final

from lao.errors import InvalidWorkflow, Place, Problem
from lao.workflow.kept_nodes import KeptNodes
from lao.workflow.nodes import Node, Problems, walk

__all__ = ["LARGEST_DOCUMENT", "Node", "Problems", "read_yaml", "walk"]

LARGEST_DOCUMENT: Final = 8 << 20
_NOT_TEXT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]"
)


def read_yaml(text: str | bytes, source: str, kept: KeptNodes | None = None) -> Node:
    """Read one YAML document; `source` names it in problems.

    `kept` has what earlier readings found, and is given what this one finds.

    Raises:
        InvalidWorkflow: it is not a tree of plain data (codes `yaml.…`).
    """
    content = _as_text(text, source)
    known = None if kept is None else kept.find(content, source)
    if known is not None:
        return known
    from lao.workflow.yaml_nodes import parse_yaml  # noqa: PLC0415  (25 ms, if known)

    node = parse_yaml(content, source)
    if kept is not None:
        kept.keep(content, source, node)
    return node


def _as_text(text: str | bytes, source: str) -> str:
    if len(text) > LARGEST_DOCUMENT:
        what = f"the file is over {LARGEST_DOCUMENT >> 20} MiB"
        mend = "keep long texts in files of their own and give them as inputs"
        raise _invalid("yaml.too-large", what, Place(source), mend)
    if isinstance(text, bytes):
        data = text
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            place = _place_after(data[: error.start], source)
            what = "the file is not UTF-8 text"
            mend = "save it as UTF-8 text"
            raise _invalid("yaml.not-text", what, place, mend) from error
    text = text.removeprefix("\ufeff")
    if match := _NOT_TEXT.search(text):
        start = match.start()
        line = text.count("\n", 0, start) + 1
        place = Place(source, line, start - text.rfind("\n", 0, start))
        what = f"the character U+{ord(match[0]):04X} does not belong in a text file"
        mend = 'write it as an escape in double quotes, such as "\\e"'
        raise _invalid("yaml.not-text", what, place, mend)
    return text


def _place_after(before: bytes, source: str) -> Place:
    line = before[before.rfind(b"\n") + 1 :].decode("utf-8", errors="replace")
    return Place(source, before.count(b"\n") + 1, len(line) + 1)


def _invalid(code: str, what: str, place: Place, mend: str) -> InvalidWorkflow:
    return InvalidWorkflow([Problem(code=code, what=what, where=place, mend=mend)])
