# SPDX-License-Identifier: Apache-2.0
"""Edits of a workflow file as edits of its text: what is not edited stays as it is.

Every comment, blank line, quotation mark, key order, indentation and line ending that
an edit does not concern is kept. Each new text is read again and compared with what
the edit means for plain data; a text that says anything else is never returned.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import product
from typing import Final

from msgspec import Struct

from lao.errors import InvalidWorkflow, Where
from lao.workflow.comment_lines import keeps_comments
from lao.workflow.document import FORMAT
from lao.workflow.edit_meaning import Data, after_edit, new_order
from lao.workflow.edits import (
    Edit,
    MoveStep,
    RemoveConnection,
    RemoveStep,
    RemoveValue,
    RenameStep,
    SpliceError,
)
from lao.workflow.layout_lines import (
    Layout,
    Range,
    children,
    member_lines,
    read_layout,
)
from lao.workflow.member_changes import Change, apply, move_members
from lao.workflow.nodes import walk
from lao.workflow.renaming import rename_in_text
from lao.workflow.sameness import count_differences, first_difference, is_same
from lao.workflow.shapes import plain_data
from lao.workflow.text_changes import Changes, Spot

_MARK: Final = "\ufeff"
# A new line may add to the block text above it, which is then written anew; a change
# that is not read as meant comes no nearer however often it is made.
_MOST_DETOURS: Final = 2


def splice(text: str, edit: Edit, *, source: str) -> str:
    """Return the text of a workflow file after one edit.

    Raises:
        InvalidWorkflow: the text is no YAML (codes `yaml.…`).
        SpliceError: the edit cannot be made (codes `splice.…`).
    """
    return splice_all(text, (edit,), source=source)


def splice_all(text: str, edits: Iterable[Edit], *, source: str) -> str:
    """Return the text of a workflow file after edits, made one after the other.

    Raises:
        InvalidWorkflow: the text is no YAML (codes `yaml.…`).
        SpliceError: one of them cannot be made (codes `splice.…`).
    """
    edits = tuple(edits)
    if not edits:
        return text
    bare = text.removeprefix(_MARK)
    layout = read_layout(bare, source)
    for edit in edits:
        layout = _edited(layout, edit, source)
    return text[: len(text) - len(bare)] + layout.text


def _edited(layout: Layout, edit: Edit, source: str) -> Layout:
    data = _data(layout)
    expected = after_edit(data, edit)
    if isinstance(edit, RemoveStep | RemoveConnection | RemoveValue):
        expected = _without_emptied(layout, data, expected)
    refusal: SpliceError | None = None
    for text, careful in product(_ways_to_end(layout), (False, True)):
        start = layout if text == layout.text else read_layout(text, source)
        work = _Work(edit=edit, expected=expected, source=source, careful=careful)
        try:
            return _checked(work.done(start), expected)
        except InvalidWorkflow as error:
            what = f"the edit cannot be written: {error.problem.what}"
            refusal = refusal or _refused(what, error.problem.where)
        except SpliceError as error:
            refusal = refusal or error
    assert refusal is not None  # noqa: S101  (there is at least one way)
    raise refusal


def _data(layout: Layout) -> Data:
    data = plain_data(layout.root)
    if not isinstance(data, dict):
        what = "the file is no mapping, so there is nothing in it to edit"
        place, mend = layout.root.place, "write a workflow into it first"
        raise SpliceError("splice.unknown-place", what, where=place, mend=mend)
    lao = data.get("lao")
    if isinstance(lao, int) and lao > FORMAT:
        what = f"the file is written for format {lao}; this LAO edits {FORMAT}"
        place, mend = walk(layout.root, ("lao",)).place, "install a newer LAO"
        raise SpliceError("splice.newer-format", what, where=place, mend=mend)
    return data


def _without_emptied(layout: Layout, data: Data, expected: Data) -> Data:
    """Drop what the edit left empty, unless that would take a comment along."""
    kept = dict(expected)
    for index, name in enumerate(data):
        if name not in ("connections", "ui") or name not in expected:
            continue
        if data[name] and not expected[name]:
            start, end = member_lines(layout, layout.root, index)
            if "#" not in layout.text[start:end]:
                del kept[name]
    return kept


def _ways_to_end(layout: Layout) -> Iterator[str]:
    """Yield the text, and then, if it ends within a line, the text with that ended.

    A block text that the file ends within has no line break at its end; it gets one
    when something follows, unless its header says otherwise.
    """
    yield layout.text
    if layout.text.endswith(("\n", "\r")):
        return
    last = layout.root
    while inner := children(last):
        last = inner[-1]
    text = layout.text
    if last.style in ("literal", "folded"):
        start, header = layout.start(last), layout.header(last)
        text = apply(
            text, [Change(start, start + len(header), header.rstrip("+-") + "-")]
        )
    yield text + layout.newline


class _Work(Struct, frozen=True, kw_only=True):
    """One edit on the way: to be `careful` is to write each new value on one line."""

    edit: Edit
    expected: Data
    source: str
    careful: bool

    def done(self, layout: Layout) -> Layout:
        """Return the text with every change made that brings it to the data."""
        if isinstance(self.edit, MoveStep):
            steps = walk(layout.root, ("steps",))
            order = new_order(_data(layout), self.edit)
            moves = move_members(layout, steps, order)
            layout = self._after(layout, moves, taken=())
        left = count_differences(layout.root, self.expected)
        detours = 0
        while left and detours < _MOST_DETOURS:
            changes = self._next_changes(layout)
            taken = [(change.start, change.end) for change in changes]
            layout = self._after(layout, changes, taken)
            before, left = left, count_differences(layout.root, self.expected)
            detours += left >= before
        return layout

    def _next_changes(self, layout: Layout) -> list[Change]:
        rewrite: Callable[[str], str] | None = None
        if isinstance(self.edit, RenameStep):
            rewrite = partial(rename_in_text, old=self.edit.old, new=self.edit.new)
        changes = Changes(
            layout=layout,
            as_json=layout.is_flow(layout.root),
            careful=self.careful,
            rewrite=rewrite,
        )
        return changes.of(Spot(node=layout.root), self.expected)

    def _after(
        self, layout: Layout, changes: Sequence[Change], taken: Sequence[Range]
    ) -> Layout:
        if not changes:
            return layout
        changed = read_layout(apply(layout.text, changes), self.source)
        if not keeps_comments(layout, changed, taken):
            raise _refused("a comment would be lost", layout.root.place)
        return changed


def _checked(layout: Layout, expected: Data) -> Layout:
    if is_same(layout.root, expected):
        return layout
    path = first_difference(layout.root, expected)
    shown = ".".join(map(str, path)) or "the file"
    what = f"the changed text would not mean what was asked for, at {shown!r}"
    raise _refused(what, walk(layout.root, path).place)


def _refused(what: str, where: Where) -> SpliceError:
    mend = "nothing was changed; make this edit in the file itself"
    return SpliceError("splice.not-the-same", what, where=where, mend=mend)
