# SPDX-License-Identifier: Apache-2.0
"""What can be understood of a workflow's text, however wrong it is.

One step that is broken does not hide what the others are: those that can be read are
compiled by themselves, to know their ports and types. What is reported as wrong is
always what `lao check` reports, nothing else.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from lao.config import Settings
from lao.errors import InvalidWorkflow, LaoError, Place, Problem
from lao.planning.compiler import CheckedWorkflow, check_workflow
from lao.planning.engines import Catalog
from lao.planning.problems import Locate, Path as Spot
from lao.runtime import find_catalog
from lao.workflow.document import decode_workflow
from lao.workflow.drawing import Drawn, decode_drawn
from lao.workflow.local_models import ModelBackend
from lao.workflow.model_shapes import MODEL
from lao.workflow.nodes import Node, Problems, walk
from lao.workflow.outline import Outline, OutlinedStep, outline_workflow
from lao.workflow.scalar_shapes import FAILED
from lao.workflow.shapes import plain_data
from lao.workflow.source import read_yaml
from lao.workflow.step_shapes import INPUT
from lao.workflow.steps import Connection, Input, Recipe, StepId, Workflow
from lao.workflow.values import JsonValue


class Reading(Struct, frozen=True, kw_only=True):
    """A text, and what is known of it. `data` is empty where it is no mapping.

    `problems` are those of `lao check`. `checked` is what the steps that can be read
    mean by themselves; its own problems are those of `problems` only if the whole
    file could be read.
    """

    root: Node
    data: Mapping[str, JsonValue]
    outline: Outline
    checked: CheckedWorkflow
    catalog: Catalog
    problems: tuple[Problem, ...]

    @property
    def inputs(self) -> Mapping[str, Input]:
        """The inputs that are declared; if none are, those that any step reads."""
        found = dict(self.checked.plan.inputs)
        if "inputs" in self.data:
            return found
        for step in self.outline.steps:
            for link in step.links if step.step is None else ():
                kind, _, name = link.source.partition(".")
                if kind == "inputs":
                    found.setdefault(name, Input())
        return found

    def step(self, name: str) -> OutlinedStep | None:
        """Return a step by its id."""
        found = (each for each in self.outline.steps if each.id == name)
        return next(found, None)

    def recipe(self, name: str | None) -> Recipe | None:
        """Return a recipe by its name; None too where its file is wrong."""
        return None if name is None else recipe_of(self.catalog, name)

    def step_at(self, place: Place) -> str:
        """Return the id of the step that stands at a place, "" for none."""
        spot = (place.line, place.column)
        for step in self.outline.steps:
            start = (step.node.line, step.node.column)
            if start == spot or start < spot < step.node.end:
                return step.id
        return ""

    def drawn(self) -> Iterator[tuple[str, Drawn]]:
        """Yield what can be read of what is drawn where."""
        for name, node in _members(self.root, "ui"):
            found = decode_drawn(name, node, Problems())
            if found is not FAILED:
                yield name, found


def read_text(
    text: str, *, path: Path, settings: Settings, catalog: Catalog | None = None
) -> Reading:
    """Read a workflow's text; nothing that it names is run, opened or imported.

    Raises:
        InvalidWorkflow: it is no tree of plain data (codes `yaml.…`).
    """
    root = read_yaml(text, str(path))
    base = path.parent
    catalog = catalog or find_catalog(settings, base=base)
    try:
        workflow = decode_workflow(root, base=str(base)).workflow
    except InvalidWorkflow as error:
        return _read_in_part(root, catalog, base=str(base), problems=error.problems)
    outline = outline_workflow(root, workflow)
    try:
        checked = check_workflow(workflow, catalog, locate=_locate(root))
        problems = checked.problems
    except LaoError as error:  # a recipe's own file is wrong
        catalog = _sound(catalog, workflow)
        checked = check_workflow(workflow, catalog, locate=_locate(root))
        problems = error.problems
    return Reading(
        root=root,
        data=_data(root),
        outline=outline,
        checked=checked,
        catalog=catalog,
        problems=problems,
    )


def recipe_of(catalog: Catalog, name: str) -> Recipe | None:
    """Return a recipe of a catalog; None if there is none, or its file is wrong."""
    try:
        return catalog.recipes.get(name)
    except LaoError:
        return None


def _data(root: Node) -> Mapping[str, JsonValue]:
    data = plain_data(root)
    return data if isinstance(data, dict) else {}


def _read_in_part(
    root: Node, catalog: Catalog, *, base: str, problems: tuple[Problem, ...]
) -> Reading:
    outline = outline_workflow(root)
    declared = walk(root, ("inputs",))
    is_declared = declared is not root and isinstance(declared.value, Mapping)
    workflow = Workflow(
        name="",
        steps=[each.step for each in outline.steps if each.step is not None],
        inputs=_decoded_inputs(root) if is_declared else None,
        models=_models(root),
        connections=[_connection(*pair) for pair in outline.waits],
        base=base,
    )
    catalog = _sound(catalog, workflow)
    numbers = [each.number for each in outline.steps if each.step is not None]
    checked = check_workflow(workflow, catalog, locate=_locate(root, numbers))
    return Reading(
        root=root,
        data=_data(root),
        outline=outline,
        checked=checked,
        catalog=catalog,
        problems=problems,
    )


def _locate(root: Node, numbers: Sequence[int] = ()) -> Locate:
    """Return what finds places; `numbers` are those of the steps that can be read."""

    def locate(spot: Spot, line: int) -> Place:
        if numbers and spot[0] == "steps" and isinstance(spot[1], int):
            spot = ("steps", numbers[spot[1]], *spot[2:])
        return walk(root, spot).place_of_line(line)

    return locate


def _sound(catalog: Catalog, workflow: Workflow) -> Catalog:
    """Return the catalog without recipes whose file is wrong, as far as they are used."""
    used = {step.uses for step in workflow.steps if step.uses is not None}
    found = {name: recipe_of(catalog, name) for name in sorted(used)}
    sound = {name: each for name, each in found.items() if each is not None}
    return replace(catalog, recipes=sound)


def _connection(first: str, second: str) -> Connection:
    return StepId(first), StepId(second)


def _members(root: Node, key: str) -> Iterator[tuple[str, Node]]:
    held = walk(root, (key,))
    if held is not root and isinstance(held.value, Mapping):
        yield from held.value.items()


def _models(root: Node) -> dict[str, ModelBackend]:
    found = {
        name: MODEL.decode(node, Problems()) for name, node in _members(root, "models")
    }
    return {name: each for name, each in found.items() if each is not FAILED}


def _decoded_inputs(root: Node) -> dict[str, Input]:
    """Return every input; one that cannot be read is a text."""
    found: dict[str, Input] = {}
    for name, node in _members(root, "inputs"):
        made = INPUT.decode(node, Problems())
        found[name] = Input() if made is FAILED else made
    return found
