# SPDX-License-Identifier: Apache-2.0
"""Step by step: check what each connection carries, and say what each step gives."""

from collections.abc import Mapping

from msgspec import Struct, field

from lao.planning.conditions import why_impossible
from lao.planning.drafts import Draft
from lao.planning.plan import Engine, Infer, PlannedStep, Reshape, Save
from lao.planning.problems import Problems
from lao.planning.types import (
    UNKNOWN,
    Checker,
    Typed,
    described,
    of_output,
    of_tree,
    refusal,
)
from lao.workflow.steps import Input, StepId
from lao.workflow.template import templates_in
from lao.workflow.values import JSON, ValueType, fits, list_of


class StepTypes(Struct):
    """Types of the steps planned so far."""

    drafts: Mapping[StepId, Draft]
    inputs: Mapping[str, Input]
    problems: Problems
    types: dict[StepId, Typed] = field(default_factory=dict)
    _given: dict[str, Typed] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Note once what every step sees of the inputs."""
        for name, each in self.inputs.items():
            self._given[f"inputs.{name}"] = Typed(each.type)

    def scope(self, needs: set[StepId]) -> dict[str, Typed]:
        """Return what is known of the names that a step with these needs sees."""
        types = self.types
        return self._given | {need: types.get(need, UNKNOWN) for need in needs}

    def plan(self, draft: Draft) -> PlannedStep:
        """Check one step's types and return it as planned."""
        scope = self.scope(draft.needs)
        if draft.for_each is not None:
            scope |= self._loop(draft, Checker(scope, self.problems))
        checker = Checker(scope, self.problems)
        self._condition(draft, checker)
        entering = self._entering(draft, checker)
        inner = Checker({**scope, "input": entering}, self.problems)
        typed = self._work(draft, inner, entering)
        if draft.for_each is not None:
            typed = Typed(list_of(typed.type or JSON))
        self.types[draft.id] = typed
        return _planned(draft, typed.type or JSON)

    def _loop(self, draft: Draft, checker: Checker) -> dict[str, Typed]:
        loop = draft.for_each
        assert loop is not None  # noqa: S101  (asked for by the caller)
        typed = of_tree(loop, checker.scope).type
        checker.fields(loop, (*draft.path, "for_each"))
        if typed is not None and typed.item is None and typed != JSON:
            checker.mismatch(
                described(loop),
                typed,
                list_of(typed),
                (*draft.path, "for_each"),
                "`for_each`",
            )
        item = typed.item if typed is not None and typed.item is not None else None
        return {"item": Typed(item), "index": Typed(JSON)}

    def _condition(self, draft: Draft, checker: Checker) -> None:
        if draft.when is None:
            return
        path = (*draft.path, "when")
        checker.fields(draft.when, path)
        reason = why_impossible(draft.when, checker.scope)
        if reason is not None:
            self.problems.add(
                "workflow.impossible-condition",
                f"the condition of step {draft.step.id!r} never changes: {reason}",
                path,
                mend="write a condition that can be true and can be false, or drop it",
            )

    def _entering(self, draft: Draft, checker: Checker) -> Typed:
        """Return the type of the step's input after its transforms."""
        if draft.input is None:  # noted already, where one is wanted
            return UNKNOWN
        path = (*draft.path, "input")
        for template in templates_in(draft.input):
            if template.reference is None and template.expression is None:
                checker.interpolated(template, path, "a text")
            else:
                checker.fields(template, path)
        typed = of_tree(draft.input, checker.scope)
        if draft.transforms is None:
            return UNKNOWN
        path = (*draft.path, "input_transforms")
        return checker.transformed(typed, draft.transforms, path)

    def _work(self, draft: Draft, checker: Checker, entering: Typed) -> Typed:
        match draft.work:
            case Save() | Reshape():
                return entering
            case Infer(engines=engines) if engines:
                if draft.recipe is not None:
                    self._arguments(draft, checker, entering)
                else:
                    for engine in engines:
                        self._engine(draft, engine, checker, entering)
                return of_output(engines[0].output)
            case _:
                return UNKNOWN

    def _engine(
        self, draft: Draft, engine: Engine, checker: Checker, entering: Typed
    ) -> None:
        step, path = draft.step, draft.path
        for name, template in (
            ("prompt_template", engine.prompt),
            ("system", engine.system),
        ):
            if template is not None:
                checker.interpolated(template, (*path, name), f"the {name}")
        if draft.input is None and engine.model.kind in ("whisper.cpp", "embedded"):
            self.problems.add(
                "workflow.no-input",
                f"step {step.id!r} gives its model no input",
                path,
                mend="add `input:`; this kind of model takes no prompt",
            )
        if draft.input is not None and entering.type is not None:
            refused = refusal(engine, entering.type)
            if refused is not None:
                wanted, name = refused
                checker.mismatch(
                    described(draft.input),
                    entering.type,
                    wanted,
                    (*path, "input"),
                    name,
                )

    def _arguments(self, draft: Draft, checker: Checker, entering: Typed) -> None:
        recipe = draft.recipe
        assert recipe is not None  # noqa: S101  (asked for by the caller)
        for name, tree in (draft.arguments or {}).items():
            path = (*draft.path, "with", name)
            wanted = recipe.parameters[name].type
            place = f"{recipe.name!r}'s {name!r}"
            for template in templates_in(tree):
                checker.fields(template, path)
            if name == recipe.main and entering.type is not None:
                if not fits(entering.type, wanted):
                    checker.mismatch(
                        described(tree), entering.type, wanted, path, place
                    )
            elif any(template.names for template in templates_in(tree)):
                checker.expect(tree, wanted, path, place)


def _planned(draft: Draft, output: ValueType) -> PlannedStep:
    step = draft.step
    return PlannedStep(
        id=draft.id,
        work=draft.work,
        output=output,
        needs=frozenset(draft.needs),
        after=frozenset(draft.after),
        arguments=draft.arguments,
        input=draft.input,
        input_transforms=draft.transforms or (),
        when=draft.when,
        for_each=draft.for_each,
        retry=step.retry,
        timeout=step.timeout,
        on_error=step.on_error,
        default=step.default,
        cache=step.cache,
    )
