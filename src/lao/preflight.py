# SPDX-License-Identifier: Apache-2.0
"""Ask, of a plan, what this machine lacks to run it: files, models, packages."""

from pathlib import Path
from typing import assert_never

from msgspec import Struct, field

from lao.backend_factory import Backends
from lao.backends.gguf import read_gguf_header, read_whisper_header
from lao.backends.opening import open_model_file
from lao.backends.packages import require_package
from lao.engine.inputs import bind_inputs
from lao.errors import LaoError, Problem, UsageError, at
from lao.planning.plan import Plan
from lao.planning.problems import Locate, Path as Spot
from lao.workflow.document import Document
from lao.workflow.local_models import (
    Custom,
    Embedded,
    Installed,
    LlamaCpp,
    ModelBackend,
    Ollama,
    WhisperCpp,
)


class Gaps(Struct):
    """What is missing for certain, and what could not be found out now."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)


async def find_gaps(plan: Plan, document: Document, opened: Backends) -> Gaps:
    """Return what the machine lacks for a plan. Loads no model and sends no prompt."""
    gaps = Gaps()
    locate = document.locate_line
    _look_at_defaults(plan, gaps, locate)
    steps = document.workflow.steps
    numbers = {step.id: number for number, step in enumerate(steps)}
    seen: set[str] = set()
    async with opened as backends:
        for step in plan.steps.values():
            for engine in step.engines:
                if repr(engine.model) in seen:
                    continue
                seen.add(repr(engine.model))
                spot: Spot = ("steps", numbers.get(step.id, 0), "model")
                try:
                    await look_at(engine.model, backends)
                except LaoError as error:
                    found = at(error.problem, locate(spot, 1))
                    is_unknown = error.code in _UNKNOWABLE
                    (gaps.notes if is_unknown else gaps.problems).append(found)
    return gaps


_UNKNOWABLE = frozenset({"ollama.not-running", "ollama.busy"})


def _look_at_defaults(plan: Plan, gaps: Gaps, locate: Locate) -> None:
    for name, each in plan.inputs.items():
        if each.default is None:
            continue
        try:
            bind_inputs({name: each}, {}, Path(plan.base))
        except UsageError as error:
            gaps.problems.append(at(error.problem, locate(("inputs", name), 1)))


async def look_at(model: ModelBackend, backends: Backends) -> None:
    """Look whether a model could be used; loads nothing.

    Raises:
        LaoError: it could not, and why.
    """
    match model:
        case Ollama():
            await backends(model).describe()
        case LlamaCpp():
            read_gguf_header(Path(model.model_path))
            require_package(model.kind)
        case WhisperCpp():
            read_whisper_header(Path(model.model_path))
            if model.program is None:
                require_package(model.kind)
        case Embedded():
            require_package(model.name)
        case Custom():
            path, _, _ = model.plugin.partition(".py:")
            with open_model_file(Path(path if path.endswith(".py") else f"{path}.py")):
                pass
        case Installed():
            await backends(model).identify()
        case _:
            assert_never(model)
