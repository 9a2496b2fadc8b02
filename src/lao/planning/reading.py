# SPDX-License-Identifier: Apache-2.0
"""What a planned step reads: the inputs that it cannot run without."""

from collections.abc import Iterable, Iterator

from lao.planning.plan import Infer, PlannedStep, Reshape, Save
from lao.workflow.template import Template, Tree, templates_in


def inputs_read(step: PlannedStep, known: Iterable[str]) -> frozenset[str]:
    """Return those of the `known` inputs of the workflow that a step may read."""
    found: set[str] = set()
    for template in templates_of(step):
        for name in template.names:
            root, _, rest = name.partition(".")
            if root == "inputs":
                found.update([rest.partition(".")[0]] if rest else known)
    return frozenset(found)


def templates_of(step: PlannedStep) -> Iterator[Template]:
    """Yield the templates of a step that see the workflow's own names."""
    for tree in _trees(step):
        yield from templates_in(tree)


def _trees(step: PlannedStep) -> Iterator[Tree]:
    yield from (step.when, step.for_each, step.input)
    if step.arguments is not None:
        yield from step.arguments.values()
        return
    match step.work:
        case Infer(engines=engines):
            for engine in engines:
                yield from (engine.prompt, engine.system, engine.options)
        case Save(path=path):
            yield path
        case Reshape():
            return
