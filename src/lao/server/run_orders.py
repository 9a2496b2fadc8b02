# SPDX-License-Identifier: Apache-2.0
"""From what the page asks to run to a plan with its inputs, as `lao run` makes them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from lao.config import Settings
from lao.durable import Prepared, Selection, content_digest, prepare, settled_base
from lao.editor.bounds import require_drawable
from lao.editor.folder import Folder
from lao.engine.inputs import as_input, bind_inputs
from lao.errors import LaoError, Problem, UsageError
from lao.events import StepState
from lao.history.kept_runs import KeptRun
from lao.planning.plan import Plan
from lao.runtime import make_plan
from lao.server.messages import RunRequest
from lao.server.pins import Pins
from lao.workflow.document import read_workflow
from lao.workflow.steps import Input, StepId
from lao.workflow.values import JSON, JsonValue, Value, ValueType


class Texts(Protocol):
    """Where the texts of open files come from."""

    folder: Folder

    def text_of(self, path: str, version: int) -> tuple[str, Path]:
        """Return the text of a version, saved or not, and where its file lies."""
        ...


class Order(Struct, frozen=True, kw_only=True):
    """A plan that is ready but for its inputs, and what they were given as.

    `problems` are pins that could not be used.
    """

    prepared: Prepared
    given: Mapping[str, object]
    problems: tuple[Problem, ...] = ()

    def bound(self) -> Prepared:
        """Return the plan with all its inputs.

        Raises:
            UsageError: one is missing, or cannot be used.
        """
        plan = self.prepared.plan
        try:
            values = bind_inputs(plan.inputs, self.given, Path(plan.base))
        except UsageError as error:
            if error.code != "input.missing":
                raise
            what = error.problem.what
            raise UsageError(error.code, what, mend="fill it in") from error
        return replace(self.prepared, inputs=values)

    def known(self) -> tuple[dict[str, object], list[Problem]]:
        """Return the inputs that were given and can be used; why the others cannot."""
        usable: dict[str, object] = {}
        problems: list[Problem] = []
        for name, given in self.given.items():
            declared = self.prepared.plan.inputs.get(name)
            if declared is not None:
                try:
                    usable[name] = as_input(name, declared.type, given)
                except UsageError as error:
                    problems.append(error.problem)
        return usable, problems


class Orders(Struct, frozen=True, kw_only=True):
    """Makes orders of requests. `kept` returns a run by its id or name."""

    texts: Texts
    settings: Settings
    pins: Pins
    kept: Callable[[str], KeptRun]

    def of(self, request: RunRequest, *, lenient: bool = False) -> Order:
        """Return what a request asks for; a lenient one leaves useless pins aside.

        Raises:
            StaleVersion: another version of the text is open.
            InvalidWorkflow: the text is no workflow, or one that cannot run.
            UsageError: it names a step or a run that is not there, or a pin is useless;
                or it is too much.
        """
        text, file = self.texts.text_of(request.path, request.version)
        require_drawable(text)
        document = read_workflow(text, source=request.path, base=str(file.parent))
        workflow = settled_base(document.workflow)
        whole = make_plan(workflow, self.settings, locate=document.locate_line)
        before = self.kept(request.continues) if request.continues else None
        values, problems = self._pinned(file, whole)
        if problems and not lenient:
            first = problems[0]
            raise UsageError(first.code, first.what, mend=first.mend)
        if before is not None:
            values |= _outputs_of(before, whole)
        values |= self._edited(request.edited, whole)
        selection = Selection(
            no_cache=request.no_cache,
            refresh=tuple(request.refresh),
            start=request.start,
            until=request.until,
            before=tuple(request.pause_before),
            pinned=values,
        )
        prepared = prepare(workflow, whole, selection, file=file)
        return Order(
            prepared=replace(
                prepared,
                source_digest=content_digest(text.encode("utf-8", "surrogatepass")),
                output_folder=self.texts.folder.root,
            ),
            given=self._given(request, prepared.plan.inputs, before),
            problems=tuple(problems),
        )

    def _pinned(self, file: Path, plan: Plan) -> tuple[dict[str, Value], list[Problem]]:
        """Return the values of the pinned steps that the plan has."""
        values: dict[str, Value] = {}
        problems: list[Problem] = []
        for step, run in self.pins.of(file).items():
            if step in plan.steps:
                try:
                    values[step] = pinned_value(self.kept(run), step)
                except LaoError as error:
                    problems.append(_lost(step, error))
        return values, problems

    def _edited(self, edited: Mapping[str, JsonValue], plan: Plan) -> dict[str, Value]:
        """Return the values that people put in place of outputs; files by their paths."""
        found: dict[str, Value] = {}
        for step, told in edited.items():
            planned = plan.steps.get(StepId(step))
            wanted = None if planned is None else planned.output
            if wanted is None or wanted.is_plain:
                found[step] = told  # type: ignore[assignment]  # JSON values are values
            else:
                found[step] = as_input(step, wanted, self._located(wanted, told))
        return found

    def _given(
        self,
        request: RunRequest,
        declared: Mapping[str, Input],
        before: KeptRun | None,
    ) -> dict[str, object]:
        """Return the inputs: what is given now, else what the run had that goes on."""
        found: dict[str, object] = {}
        if before is not None:
            found = {n: v for n, v in before.inputs.items() if n in declared}
        for name, told in request.inputs.items():
            wanted = declared[name].type if name in declared else JSON
            if told is not None or wanted == JSON:  # else it is left empty
                found[name] = self._located(wanted, told)
        return found

    def _located(self, wanted: ValueType, told: JsonValue) -> object:
        """Return what was given, with paths as places below the folder, and nowhere else.

        Raises:
            UsageError: one leads out of it.
        """
        folder = self.texts.folder
        match told:
            case str() if wanted.is_file:
                return folder.resolve(told)
            case {"file": str(path), **rest} if wanted.kind == "text" and not rest:
                return folder.resolve(path)
            case list() if wanted.item is not None:
                return [self._located(wanted.item, each) for each in told]
            case _:
                return told


def pinned_value(run: KeptRun, step: str) -> Value:
    """Return the output that a step had in a run.

    Raises:
        UsageError: it had none (`editor.no-output`).
    """
    value = output_of(run.state.steps.get(step, StepState()))
    if value is None:
        raise UsageError(
            "editor.no-output",
            f"step {step!r} gave no output in run {run.record.name}",
            mend="choose a run in which it did",
        )
    return value[0]


def _outputs_of(run: KeptRun, plan: Plan) -> dict[str, Value]:
    """Return the outputs that a run has for steps of a plan."""
    steps = {name: output_of(step) for name, step in run.state.steps.items()}
    return {name: v[0] for name, v in steps.items() if v and name in plan.steps}


def output_of(step: StepState) -> tuple[Value] | None:
    """Return a step's output, alone in a tuple; None if it has none."""
    if step.finished is not None:
        return (step.finished.value,)
    if step.skipped is not None and step.skipped.has_default:
        return (step.skipped.value,)
    return None


def _lost(step: str, error: LaoError) -> Problem:
    return Problem(
        code="editor.pin-lost",
        what=f"what is pinned to step {step!r} is not kept: {error.problem.what}",
        mend="take the pin away, or pin the output of another run",
    )
