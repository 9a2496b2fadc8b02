# SPDX-License-Identifier: Apache-2.0
"""Compile a workflow: resolve every name, type every connection, or list what is wrong."""

from collections.abc import Mapping
from contextlib import suppress

from msgspec import Struct

from lao.errors import InvalidWorkflow, Problem, did_you_mean
from lao.planning.drafts import Draft, Drafter, resolve_needs
from lao.planning.engines import Catalog
from lao.planning.graph import draw_cycle, find_cycle, in_order
from lao.planning.plan import Plan
from lao.planning.problems import Locate, Path, Problems, nowhere
from lao.planning.step_types import StepTypes
from lao.planning.types import (
    Checker,
    Scope,
    Typed,
    of_tree,
)
from lao.workflow.steps import Input, StepId, Workflow
from lao.workflow.template import (
    Template,
    TemplateError,
    Tree,
    parse_template,
    templates_in,
)
from lao.workflow.values import ValueType


class CheckedWorkflow(Struct, frozen=True, kw_only=True):
    """What is known of a workflow, right or wrong; with `problems`, its plan never runs.

    `types` has what is known of each step's output.
    """

    plan: Plan
    types: Mapping[StepId, Typed]
    problems: tuple[Problem, ...]


def compile_workflow(
    workflow: Workflow, catalog: Catalog | None = None, *, locate: Locate = nowhere
) -> Plan:
    """Return the plan of a workflow.

    Pure: whether files exist and servers answer is asked later, of the plan.

    Raises:
        InvalidWorkflow: with every problem found.
    """
    checked = check_workflow(workflow, catalog, locate=locate)
    if checked.problems:
        raise InvalidWorkflow(checked.problems)
    return checked.plan


def check_workflow(
    workflow: Workflow, catalog: Catalog | None = None, *, locate: Locate = nowhere
) -> CheckedWorkflow:
    """Return what `compile_workflow` finds out, with the problems in their order.

    Raises:
        InvalidWorkflow: a recipe's own file is wrong.
    """
    problems = Problems(locate)
    drafts = Drafter(workflow, catalog or Catalog(), problems).drafts()
    by_id = _by_id(drafts, problems)
    inputs = workflow.inputs
    if inputs is None:
        inputs = _inferred_inputs(drafts, workflow)
    resolve_needs(by_id, inputs, problems)
    _connect(workflow, by_id, problems)
    _known_steps_only(by_id)
    order = _ordered(by_id, problems)
    typing = StepTypes(by_id, inputs, problems)
    steps = {step: typing.plan(by_id[step]) for step in order}
    outputs, types = _outputs(workflow, by_id, typing)
    plan = Plan(
        name=workflow.name,
        steps=steps,
        inputs=inputs,
        outputs=outputs,
        output_types=types,
        base=workflow.base,
    )
    found = tuple(sorted(problems.found, key=_by_place))
    return CheckedWorkflow(plan=plan, types=typing.types, problems=found)


def _by_place(problem: object) -> tuple[int, int]:
    where = getattr(problem, "where", None)
    line = getattr(where, "line", getattr(where, "start", 0))
    return line, getattr(where, "column", 0)


def _by_id(drafts: list[Draft], problems: Problems) -> dict[StepId, Draft]:
    found: dict[StepId, Draft] = {}
    for draft in drafts:
        if draft.id in found:
            first = problems.locate((*found[draft.id].path, "id"), 1)
            problems.add(
                "workflow.duplicate-step",
                f"two steps are called {draft.step.id!r}",
                (*draft.path, "id"),
                mend=f"rename one of them{f' (the other: {first})' if first else ''}",
            )
        found.setdefault(draft.id, draft)
    return found


def _inferred_inputs(drafts: list[Draft], workflow: Workflow) -> dict[str, Input]:
    """Return the inputs that the templates name, as text."""
    templates = [each for draft in drafts for _, each in draft.templates()]
    for text in workflow.outputs.values():
        with suppress(TemplateError):  # noted when the outputs are checked
            templates.append(parse_template(text))
    names: dict[str, Input] = {}
    for template in templates:
        for name in sorted(template.names):
            root, _, rest = name.partition(".")
            if root == "inputs" and rest:
                names[rest.partition(".")[0]] = Input()
    return names


def _connect(
    workflow: Workflow, drafts: Mapping[StepId, Draft], problems: Problems
) -> None:
    for number, (source, target) in enumerate(workflow.connections):
        for step in (source, target):
            if step not in drafts:
                problems.add(
                    "workflow.unknown-step",
                    f"a connection names {step!r}, which does not exist",
                    ("connections", number),
                    mend=did_you_mean(step, drafts),
                )
        if source in drafts and target in drafts:
            drafts[target].after.add(source)


def _known_steps_only(drafts: Mapping[StepId, Draft]) -> None:
    for draft in drafts.values():
        draft.after -= draft.needs


def _ordered(drafts: Mapping[StepId, Draft], problems: Problems) -> list[StepId]:
    needs = {step: draft.needs | draft.after for step, draft in drafts.items()}
    order = in_order(needs)
    if order is not None:
        return order
    cycle = find_cycle(needs)
    problems.add(
        "workflow.cycle",
        f"these steps wait for each other: {draw_cycle(cycle[::-1])}",
        drafts[cycle[0]].path,
        mend="remove one of the connections",
    )
    return list(drafts)  # types are checked all the same


def _outputs(
    workflow: Workflow, drafts: Mapping[StepId, Draft], typing: StepTypes
) -> tuple[dict[str, Tree], dict[str, ValueType | None]]:
    """Return the outputs' templates and types; without any, what no step needs."""
    problems = typing.problems
    wanted = dict(workflow.outputs)
    if not wanted:
        needed = {need for draft in drafts.values() for need in draft.needs}
        wanted = {step: f"{{{{ {step} }}}}" for step in drafts if step not in needed}
    trees: dict[str, Tree] = {}
    types: dict[str, ValueType | None] = {}
    for name, text in wanted.items():
        path: Path = ("outputs", name)
        tree = trees[name] = problems.parse(text, path)
        read: set[StepId] = set()
        for template in templates_in(tree):
            read |= _read(template, drafts, typing.inputs, path, problems)
        scope: Scope = typing.scope(read)
        for template in templates_in(tree):
            Checker(scope, problems).fields(template, path)
        types[name] = of_tree(tree, scope).type
    return trees, types


def _read(
    template: Template,
    drafts: Mapping[StepId, Draft],
    inputs: Mapping[str, Input],
    path: Path,
    problems: Problems,
) -> set[StepId]:
    for name in sorted(template.names):
        root, _, rest = name.partition(".")
        given = root == "inputs" and rest.partition(".")[0] in inputs
        if root not in drafts and not given:
            known = [*drafts, *(f"inputs.{each}" for each in inputs)]
            problems.add(
                "workflow.unknown-step",
                f"the output {path[1]!r} needs {name!r}, which does not exist",
                path,
                mend=did_you_mean(name, known),
            )
    return {StepId(root) for root in template.roots if root in drafts}
