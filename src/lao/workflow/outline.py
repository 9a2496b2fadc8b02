# SPDX-License-Identifier: Apache-2.0
"""The steps and connections of a workflow file that need not be understood in full.

What this LAO does not know (a step with other keys, a newer format) still has an id,
places and connections: an editor shows it as a placeholder.
"""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from lao.workflow.document import FORMAT
from lao.workflow.nodes import Node, Problems
from lao.workflow.renaming import TEMPLATE_FREE
from lao.workflow.scalar_shapes import FAILED
from lao.workflow.shapes import plain_data
from lao.workflow.step_shapes import STEP
from lao.workflow.steps import Workflow, WorkflowStep
from lao.workflow.template import TemplateError, parse_template
from lao.workflow.values import JsonValue

_OF_RECIPES = ("input", "with", "when", "for_each")


class Link(Struct, frozen=True):
    """A template reads `source` (a step, or `inputs.NAME`) under a key of a step.

    `port` is that key, and for a parameter `with.NAME`.
    """

    source: str
    port: str


class OutlinedStep(Struct, frozen=True, kw_only=True):
    """A step as the file writes it; without a `step` it is a placeholder.

    `number` counts the file's steps from 0.
    """

    id: str
    number: int
    node: Node
    data: Mapping[str, JsonValue]
    step: WorkflowStep | None
    links: tuple[Link, ...] = ()


class Outline(Struct, frozen=True, kw_only=True):
    """What an editor shows of a file. `waits` are its listed connections."""

    steps: tuple[OutlinedStep, ...]
    waits: tuple[tuple[str, str], ...] = ()


def outline_workflow(root: Node, workflow: Workflow | None = None) -> Outline:
    """Return what can be read of a workflow file.

    Steps without an id, or with one that an earlier step has, are left out. In a file
    of a newer format all are placeholders. `workflow` is what the whole file means,
    where that is known.
    """
    form = _entry(root, "lao")
    is_newer = isinstance(form, int) and form > FORMAT
    found: dict[str, tuple[int, Node]] = {}
    for number, node in enumerate(_items(root, "steps")):
        if name := _id(node):
            found.setdefault(name, (number, node))
    steps: list[OutlinedStep] = []
    for name, (number, node) in found.items():
        if workflow is not None:
            step: WorkflowStep | None = workflow.steps[number]
        else:
            step = None if is_newer else _decoded(node)
        data = plain_data(node)
        assert isinstance(data, dict)  # noqa: S101  (it has an id)
        links = tuple(dict.fromkeys(_links(data, step, found)))
        steps.append(
            OutlinedStep(
                id=name, number=number, node=node, data=data, step=step, links=links
            )
        )
    waits = tuple(dict.fromkeys(_waits(root, found)))
    return Outline(steps=tuple(steps), waits=waits)


def _waits(root: Node, known: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for node in _items(root, "connections"):
        match plain_data(node):
            case [str() as first, str() as second] if {first, second} <= known.keys():
                yield first, second
            case _:
                continue


def _items(root: Node, name: str) -> tuple[Node, ...]:
    held = _entry(root, name)
    return held if isinstance(held, tuple) else ()


def _entry(node: Node, name: str) -> object:
    found = node.value.get(name) if isinstance(node.value, Mapping) else None
    return None if found is None else found.value


def _id(step: Node) -> str:
    name = _entry(step, "id")
    return name if isinstance(name, str) else ""


def _decoded(node: Node) -> WorkflowStep | None:
    step = STEP.decode(node, Problems())
    return None if step is FAILED else step


def _links(
    data: Mapping[str, JsonValue],
    step: WorkflowStep | None,
    known: Mapping[str, object],
) -> Iterator[Link]:
    """Yield what a step reads, key by key.

    The other texts of a step that uses a recipe see that recipe's parameters alone.
    """
    for key, held in data.items():
        is_free = key in TEMPLATE_FREE
        if is_free or (step is not None and step.uses and key not in _OF_RECIPES):
            continue
        if key == "with" and isinstance(held, dict):
            for name, inner in held.items():
                yield from _links_in(inner, f"with.{name}", known)
        else:
            yield from _links_in(held, key, known)


def _links_in(
    value: JsonValue, port: str, known: Mapping[str, object]
) -> Iterator[Link]:
    for source in sources_in(value):
        if source in known or source.startswith("inputs."):
            yield Link(source, port)


def sources_in(value: JsonValue) -> Iterator[str]:
    """Yield the names that the templates in a value read: roots, and `inputs.NAME`.

    A broken template reads nothing.
    """
    match value:
        case str() if "{" in value:
            try:
                names = sorted(parse_template(value).names)
            except TemplateError:
                return
            for name in names:
                depth = 2 if name.startswith("inputs.") else 1
                yield ".".join(name.split(".")[:depth])
        case list():
            for item in value:
                yield from sources_in(item)
        case dict():
            for item in value.values():
                yield from sources_in(item)
        case _:
            return
