# SPDX-License-Identifier: Apache-2.0
"""A workflow's text as the graph that the page shows: nothing is run or imported."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

from lao.config import Settings
from lao.editor.bounds import require_drawable
from lao.editor.messages import (
    BoxView,
    EdgeView,
    InputView,
    OutputView,
    ProblemView,
    StepView,
)
from lao.editor.ports import port_of, ports_of
from lao.editor.reading import Reading, read_text
from lao.errors import LaoError, Place, Problem
from lao.planning.engines import Catalog
from lao.planning.plan import Infer, PlannedStep
from lao.workflow.drawing import Box, Drawn
from lao.workflow.local_models import label
from lao.workflow.outline import OutlinedStep, sources_in
from lao.workflow.steps import StepId
from lao.workflow.values import JsonValue

Sort = Literal["model", "recipe", "plugin", "reshape", "unknown"]
_Data = Mapping[str, JsonValue]


class Parts(Struct, frozen=True, kw_only=True):
    """What a `DocumentView` shows of the text itself."""

    name: str = ""
    description: str = ""
    inputs: Sequence[InputView] = ()
    steps: Sequence[StepView] = ()
    edges: Sequence[EdgeView] = ()
    boxes: Sequence[BoxView] = ()
    outputs: Sequence[OutputView] = ()
    models: Mapping[str, JsonValue]
    problems: Sequence[ProblemView] = ()


def view_document(
    text: str, *, path: Path, settings: Settings, catalog: Catalog | None = None
) -> Parts:
    """Return what a workflow's text shows; one that is no YAML, or too much, its problem.

    `path` is the absolute path of the file; recipes and models are looked for from
    its folder.
    """
    try:
        require_drawable(text)
        reading = read_text(text, path=path, settings=settings, catalog=catalog)
        return _view(reading)
    except LaoError as error:
        problems = tuple(_problem(each, str(path)) for each in error.problems)
        return Parts(models={}, problems=problems)


def _view(reading: Reading) -> Parts:
    drawn = dict(reading.drawn())
    data = reading.data
    source = reading.root.source
    return Parts(
        name=_text(data.get("name")),
        description=_text(data.get("description")),
        inputs=tuple(_inputs(reading, drawn)),
        steps=tuple(_step(each, reading, drawn) for each in reading.outline.steps),
        edges=tuple(_edges(reading)),
        boxes=tuple(_boxes(drawn)),
        outputs=tuple(_outputs(data, reading)),
        models=_mapping(data.get("models")),
        problems=tuple(_problem(each, source, reading) for each in reading.problems),
    )


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _mapping(value: JsonValue) -> dict[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _place(drawn: Mapping[str, Drawn], name: str) -> tuple[int, int] | None:
    match drawn.get(name):
        case (x, y):
            return x, y
        case _:
            return None


def _inputs(reading: Reading, drawn: Mapping[str, Drawn]) -> Iterator[InputView]:
    """Yield the inputs: those that the file declares, or those that it reads."""
    declared = _mapping(reading.data.get("inputs"))
    for name, each in reading.inputs.items():
        written = declared.get(name)
        default = written.get("default") if isinstance(written, dict) else None
        yield InputView(
            name=name,
            type=str(each.type),
            description=each.description,
            default=default,
            is_required=each.default is None and not each.optional,
            position=_place(drawn, f"inputs/{name}"),
        )


def _step(
    outlined: OutlinedStep, reading: Reading, drawn: Mapping[str, Drawn]
) -> StepView:
    planned = reading.checked.plan.steps.get(StepId(outlined.id))
    typed = reading.checked.types.get(StepId(outlined.id))
    is_typed = outlined.step is not None and typed is not None and typed.type
    return StepView(
        id=outlined.id,
        line=outlined.node.line,
        sort=_sort(outlined, reading),
        title=_title(outlined, planned),
        model=_model(planned) if outlined.step is not None else "",
        data=dict(outlined.data),
        inputs=ports_of(outlined, reading),
        output=str(typed.type) if typed is not None and is_typed else None,
        position=_place(drawn, outlined.id),
    )


def _sort(outlined: OutlinedStep, reading: Reading) -> Sort:
    step = outlined.step
    if step is None:
        return "unknown"
    if step.uses is not None:
        if step.uses in reading.catalog.recipes:
            return "recipe"
        return "plugin" if step.uses in reading.catalog.plugins else "unknown"
    planned = reading.checked.plan.steps.get(StepId(step.id))
    is_asked = planned is not None and isinstance(planned.work, Infer)
    return "model" if is_asked else "reshape"


def _title(outlined: OutlinedStep, planned: PlannedStep | None) -> str:
    step = outlined.step
    if step is None:
        kind = outlined.data.get("uses") or outlined.data.get("kind")
        return kind if isinstance(kind, str) else "unknown"
    if step.uses is not None:
        return step.uses
    if isinstance(step.model, str):
        return step.model
    return _model(planned) or "reshape"


def _model(planned: PlannedStep | None) -> str:
    if planned is None or not isinstance(planned.work, Infer):
        return ""
    engines = planned.work.engines
    return label(engines[0].model) if engines else ""


def _edges(reading: Reading) -> Iterator[EdgeView]:
    inputs = reading.inputs
    for step in reading.outline.steps:
        for link in step.links:
            kind, _, name = link.source.partition(".")
            if kind != "inputs" or name in inputs:
                port = port_of(link.port)
                yield EdgeView(source=link.source, target=step.id, port=port)
    for first, second in reading.outline.waits:
        yield EdgeView(source=first, target=second, kind="wait")


def _boxes(drawn: Mapping[str, Drawn]) -> Iterator[BoxView]:
    for name, each in drawn.items():
        if isinstance(each, Box):
            yield BoxView(
                id=name,
                kind="note" if name.startswith("note/") else "group",
                x=each.x,
                y=each.y,
                width=each.width,
                height=each.height,
                text=each.text,
            )


def _outputs(data: _Data, reading: Reading) -> Iterator[OutputView]:
    known = {step.id for step in reading.outline.steps}
    known |= {f"inputs.{name}" for name in reading.inputs}
    for name, template in _mapping(data.get("outputs")).items():
        if isinstance(template, str):
            reads = [each for each in sources_in(template) if each in known]
            yield OutputView(
                name=name, template=template, reads=list(dict.fromkeys(reads))
            )


def _problem(
    problem: Problem, source: str, reading: Reading | None = None
) -> ProblemView:
    """Return a problem; the place of one that stands in another file goes to its mend."""
    where, mend = problem.where, problem.mend
    line = column = 0
    step = ""
    if isinstance(where, Place) and where.source == source:
        line, column = where.line, where.column
        step = reading.step_at(where) if reading is not None else ""
    elif where is not None:
        mend = f"{mend} ({where})" if mend else f"look at {where}"
    return ProblemView(
        code=problem.code,
        what=problem.what,
        mend=mend,
        line=line,
        column=column,
        step=step,
    )
