# SPDX-License-Identifier: Apache-2.0
"""A plan: a workflow with every name resolved, every connection typed. Only a plan runs."""

from collections.abc import Mapping
from functools import cached_property
from typing import Literal

from msgspec import Struct, field

from lao.workflow.local_models import ModelBackend
from lao.workflow.plugins import PluginManifest
from lao.workflow.steps import Default, Input, OnError, Output, Retry, StepId
from lao.workflow.template import Template, Tree
from lao.workflow.transforms import Transform
from lao.workflow.values import ValueType


class Engine(Struct, frozen=True, kw_only=True, gc=False):
    """One way to carry out a step: a model and what it is given.

    Templates here see the step's scope: its arguments when it uses a recipe, the
    workflow's names otherwise; and `input`, the transformed input. `plugin` is what
    the manifest said, where the model is a plugin.
    """

    model: ModelBackend
    prompt: Template | None = None
    system: Template | None = None
    input: Tree = None
    options: Tree = None
    output: Output = field(default_factory=Output)
    note: str = ""
    plugin: PluginManifest | None = None


class Infer(Struct, frozen=True, kw_only=True, gc=False):
    """Ask a model. The first engine is tried first, the others are fallbacks."""

    engines: tuple[Engine, ...]
    kind: Literal["infer"] = "infer"


class Reshape(Struct, frozen=True, kw_only=True):
    """Pass on the input, transformed."""

    kind: Literal["reshape"] = "reshape"


class Save(Struct, frozen=True, kw_only=True):
    """Write the input to a file, and pass it on."""

    path: Template
    overwrite: bool = False
    kind: Literal["save"] = "save"


Work = Infer | Reshape | Save


class Preprocess(Struct, frozen=True, kw_only=True):
    """An input transform that a plugin carries out; its engine's `input` is the value."""

    engine: Engine
    kind: Literal["preprocess"] = "preprocess"


PlannedTransform = Transform | Preprocess


class PlannedStep(Struct, frozen=True, kw_only=True, gc=False):
    """One step, resolved.

    `needs` are the steps whose output it reads, `after` those that it only follows.
    `arguments` is None where the templates see the workflow's own names.
    """

    id: StepId
    work: Work
    output: ValueType
    needs: frozenset[StepId] = frozenset()
    after: frozenset[StepId] = frozenset()
    arguments: Mapping[str, Tree] | None = None
    input: Tree = None
    input_transforms: tuple[PlannedTransform, ...] = ()
    when: Template | None = None
    for_each: Template | None = None
    retry: Retry = field(default_factory=Retry)
    timeout: float | None = None
    on_error: OnError = field(default_factory=OnError)
    default: Default | None = None
    cache: Literal["auto", "off", "refresh"] = "auto"

    @property
    def engines(self) -> tuple[Engine, ...]:
        """Every engine that the step may ask, those of its input first."""
        of_input = (
            each.engine
            for each in self.input_transforms
            if isinstance(each, Preprocess)
        )
        of_work = self.work.engines if isinstance(self.work, Infer) else ()
        return (*of_input, *of_work)


class Plan(Struct, frozen=True, kw_only=True, dict=True):
    """Steps in an order that respects their needs, and what to do with the result."""

    name: str
    steps: Mapping[StepId, PlannedStep]
    inputs: Mapping[str, Input]
    outputs: Mapping[str, Tree]
    output_types: Mapping[str, ValueType | None]
    base: str = "."

    @cached_property
    def models(self) -> tuple[ModelBackend, ...]:
        """Every model that the plan may use, once each, in order of first use."""
        found: list[ModelBackend] = []
        for step in self.steps.values():
            for engine in step.engines:
                if engine.model not in found:
                    found.append(engine.model)
        return tuple(found)
