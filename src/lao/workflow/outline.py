# SPDX-License-Identifier: Apache-2.0
"""The steps and connections of a workflow file that need not be understood in full.

What this LAO does not know (a step with other keys, a newer format) still has an id,
places and connections: an editor shows it as a placeholder.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lao.workflow.document import FORMAT
from lao.workflow.nodes import Node, Problems
from lao.workflow.renaming import TEMPLATE_FREE
from lao.workflow.scalar_shapes import FAILED
from lao.workflow.shapes import plain_data
from lao.workflow.source import read_yaml
from lao.workflow.step_shapes import STEP
from lao.workflow.template import TemplateError, parse_template
from lao.workflow.values import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlinedStep:
    """A step as the file writes it; one that is not `is_known` is a placeholder."""

    id: str
    data: Mapping[str, JsonValue]
    line: int
    is_known: bool
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What an editor shows of a file. `waits` are its listed connections.

    A file of another format `is_editable` no more: it is shown, and saved unchanged.
    """

    steps: tuple[OutlinedStep, ...]
    waits: tuple[tuple[str, str], ...] = ()
    is_editable: bool = True


def outline_workflow(text: str | bytes, *, source: str) -> Outline:
    """Read what can be read of a workflow file; steps without an id are left out.

    Raises:
        InvalidWorkflow: it is not even a tree of plain data (codes `yaml.…`).
    """
    root = read_yaml(text, source)
    is_current = _entry(root, "lao") == FORMAT
    found = [step for step in _items(root, "steps") if _id(step)]
    ids = {_id(step) for step in found}
    steps = tuple(_outlined(step, ids, is_current=is_current) for step in found)
    pairs = [plain_data(pair) for pair in _items(root, "connections")]
    waits = tuple(
        (first, second)
        for pair in pairs
        if isinstance(pair, list) and len(pair) == 2
        for first, second in [pair]
        if isinstance(first, str) and isinstance(second, str) and {*pair} <= ids
    )
    return Outline(steps=steps, waits=waits, is_editable=is_current)


def _items(root: Node, name: str) -> tuple[Node, ...]:
    held = _entry(root, name)
    return held if isinstance(held, tuple) else ()


def _entry(node: Node, name: str) -> object:
    found = node.value.get(name) if isinstance(node.value, Mapping) else None
    return None if found is None else found.value


def _id(step: Node) -> str:
    name = _entry(step, "id")
    return name if isinstance(name, str) else ""


def _outlined(step: Node, ids: set[str], *, is_current: bool) -> OutlinedStep:
    data = plain_data(step)
    assert isinstance(data, dict)  # noqa: S101  (it has an id)
    names: dict[str, None] = {}
    for key, held in data.items():
        if key not in TEMPLATE_FREE:
            names |= dict.fromkeys(_roots(held))
    return OutlinedStep(
        id=_id(step),
        data=data,
        line=step.line,
        is_known=is_current and STEP.decode(step, Problems()) is not FAILED,
        reads=tuple(name for name in names if name in ids),
    )


def _roots(value: JsonValue) -> Iterator[str]:
    """Yield the names that the templates in a value read; a broken one reads nothing."""
    match value:
        case str():
            try:
                yield from sorted(parse_template(value).roots)
            except TemplateError:
                return
        case list():
            for item in value:
                yield from _roots(item)
        case dict():
            for item in value.values():
                yield from _roots(item)
        case _:
            return
