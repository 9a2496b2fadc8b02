# SPDX-License-Identifier: Apache-2.0
"""A workflow's text while edits are made to it, one after the other.

Its state: the text, edits that are still to be made to it, what was drawn elsewhere
meanwhile, and the ids of what was added.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lao.config import Settings
from lao.editor.reading import Reading, read_text
from lao.planning.engines import Catalog
from lao.runtime import find_catalog
from lao.workflow.drawing import decode_drawn
from lao.workflow.edit_meaning import place_of_step
from lao.workflow.edits import Edit, SetValue, SpliceError
from lao.workflow.nodes import Node, Problems
from lao.workflow.shapes import plain_data
from lao.workflow.source import read_yaml
from lao.workflow.splice import splice_all
from lao.workflow.step_shapes import RESERVED
from lao.workflow.values import JsonValue
from lao.workflow.yaml_text import text_in_line

Data = dict[str, JsonValue]
_CREATED: Final = re.compile(r"\+([1-9][0-9]{0,8})")


class WorkingText:
    """One text; what it means is worked out again only when it has changed."""

    def __init__(self, text: str, *, path: Path, settings: Settings) -> None:
        self._text = text
        self._path = path
        self._settings = settings
        self._catalog: Catalog | None = None
        self._pending: list[Edit] = []
        self._drawn: dict[str, JsonValue] = {}
        self._data: Data | None = None
        self._reading: tuple[str, Reading] | None = None
        self.created: list[str] = []

    @property
    def text(self) -> str:
        """The text with every edit made.

        Raises:
            InvalidWorkflow: it is no YAML, so that it cannot be edited.
            SpliceError: an edit cannot be made.
        """
        if self._pending or self._drawn:
            self._text = begun(self._text, self._path)
        if self._pending:
            edits, self._pending = self._pending, []
            self._replace(splice_all(self._text, edits, source=str(self._path)))
        if self._drawn:
            edits, self._drawn = self._drawing(), {}
            self._replace(splice_all(self._text, edits, source=str(self._path)))
        return self._text

    @property
    def data(self) -> Data:
        """The file as plain data."""
        text = begun(self.text, self._path)
        if self._reading is not None and self._reading[0] == text:
            return dict(self._reading[1].data)
        if self._data is None:
            found = plain_data(read_yaml(text, str(self._path)))
            self._data = found if isinstance(found, dict) else {}
        return self._data

    @property
    def catalog(self) -> Catalog:
        """The recipes, plugins and models in reach of the file."""
        if self._catalog is None:
            self._catalog = find_catalog(self._settings, base=self._path.parent)
        return self._catalog

    def replace(self, text: str) -> None:
        """Take another text for the whole."""
        self._pending, self._drawn = [], {}
        self._replace(text)

    def edit(self, *edits: Edit) -> None:
        """Make edits; they are made together with the next ones."""
        if self._drawn:
            self._replace(self.text)
        self._pending += edits

    def draw(self, name: str, value: list[JsonValue]) -> None:
        """Draw something elsewhere: a step by its id, or what has a slash in its name.

        Raises:
            SpliceError: `splice.bad-value`.
        """
        problems = Problems()
        decode_drawn(name, Node(tuple(Node(_scalar(each)) for each in value)), problems)
        if problems.found:
            what, mend = problems.found[0].what, "draw it elsewhere, or say less"
            raise SpliceError("splice.bad-value", what, mend=mend)
        self._drawn[name] = value

    def read(self, text: str | None = None) -> Reading:
        """Return what the text means, or what another would; the latest is kept."""
        chosen = begun(self.text if text is None else text, self._path)
        if self._reading is None or self._reading[0] != chosen:
            found = read_text(
                chosen, path=self._path, settings=self._settings, catalog=self.catalog
            )
            self._reading = chosen, found
        return self._reading[1]

    def spliced(self, edits: list[Edit]) -> str:
        """Return the text with edits that are not made yet."""
        return splice_all(begun(self.text, self._path), edits, source=str(self._path))

    def step(self, name: str) -> Data:
        """Return a step as the file writes it.

        Raises:
            SpliceError: there is none of that id.
        """
        steps = self.data.get("steps")
        held = steps[place_of_step(self.data, name)] if isinstance(steps, list) else {}
        if not isinstance(held, dict) or not held:
            what = f"there is no step {name!r}"
            raise SpliceError("splice.unknown-place", what, mend="read the file again")
        return held

    def ids(self) -> list[str]:
        """Return the ids of the steps, in the order of the file."""
        steps = self.data.get("steps")
        found = [
            each.get("id")
            for each in (steps if isinstance(steps, list) else [])
            if isinstance(each, dict)
        ]
        return [each for each in found if isinstance(each, str)]

    def named(self, name: str) -> str:
        """Return the step that a name such as "+1" stands for, or the name itself.

        Raises:
            SpliceError: nothing of that number was added.
        """
        match = _CREATED.fullmatch(name)
        if match is None:
            return name
        number = int(match[1])
        if number > len(self.created):
            what = f"no step {name!r} was added before this edit"
            mend = "count the steps that the request adds, from +1"
            raise SpliceError("splice.unknown-place", what, mend=mend)
        return self.created[number - 1]

    def _replace(self, text: str) -> None:
        if text != self._text:
            self._text, self._data = text, None

    def _drawing(self) -> list[Edit]:
        """Return what draws everything at its new place."""
        held = plain_data(read_yaml(self._text, str(self._path)))
        data = held if isinstance(held, dict) else {}
        for name in self._drawn:
            if "/" not in name:
                place_of_step(data, name)
        ui = data.get("ui")
        if ui is None or isinstance(ui, dict):
            whole: Data = {**(ui or {}), **self._drawn}
            return [SetValue(path=("ui",), value=whole)]
        return [
            SetValue(path=("ui", name), value=value)
            for name, value in self._drawn.items()
        ]


def begun(text: str, path: Path) -> str:
    """Return a text that edits can be made to: an empty file gets its first lines."""
    if any(line.strip() and line.lstrip()[0] != "#" for line in text.splitlines()):
        return text
    start = text if not text or text.endswith("\n") else f"{text}\n"
    return f"{start}lao: 1\nname: {text_in_line(path.stem or 'workflow')}\n"


def fresh_id(wanted: str, taken: Mapping[str, object] | set[str]) -> str:
    """Return an id that no step has: `summarize`, `summarize_2`."""
    name = re.sub(r"\W+", "_", wanted).strip("_")
    if not re.match(r"[^\W\d]", name):
        name = f"step_{name}".rstrip("_")
    if name in RESERVED:
        name = f"{name}_step"
    if name not in taken:
        return name
    stem = re.sub(r"_[0-9]+$", "", name)
    number = 2
    while f"{stem}_{number}" in taken:
        number += 1
    return f"{stem}_{number}"


def _scalar(value: JsonValue) -> str | int | float | bool | None:
    return None if isinstance(value, list | dict) else value
