# SPDX-License-Identifier: Apache-2.0
"""A workflow and its steps: what a person writes, as frozen data.

Texts that may hold `{{ … }}` are kept as written; `planning.compiler` parses them.
Times are in seconds.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NewType

from msgspec import Struct, field

from lao.workflow.local_models import ModelBackend, Options
from lao.workflow.transforms import AnyTransform
from lao.workflow.values import TEXT, JsonValue, ValueType

StepId = NewType("StepId", str)
Connection = tuple[StepId, StepId]


class Input(Struct, frozen=True, kw_only=True):
    """What a workflow is given. Without a default it must be given."""

    type: ValueType = TEXT
    description: str = ""
    default: JsonValue = None
    optional: bool = False


class Retry(Struct, frozen=True, kw_only=True):
    """How often to try a step, and how long to wait between.

    The wait doubles each time and is jittered by ±50 %, so that steps that failed
    together do not return together.
    """

    attempts: int = 1
    backoff: float = 1.0
    longest: float = 60.0


class OnError(Struct, frozen=True, kw_only=True):
    """What to do when every attempt failed: fail, skip, or use other models in turn."""

    action: Literal["fail", "skip", "use"] = "fail"
    models: tuple[str | ModelBackend, ...] = ()


class Output(Struct, frozen=True, kw_only=True):
    """What a step's output must be. `schema` is a JSON Schema (2020-12)."""

    type: ValueType = TEXT
    schema: Mapping[str, JsonValue] | None = None


class Default(Struct, frozen=True):
    """The output of a step that is skipped."""

    value: JsonValue


class WorkflowStep(Struct, frozen=True, kw_only=True, gc=False):
    """One step: a model and its prompt, a recipe (`uses`), or a reshaped input.

    `arguments` is `with` in a file. `model` is a name from `Workflow.models` or a
    backend. With a prompt and neither `model` nor `uses`, the configured model is
    asked; with an input alone, the step passes it on, transformed.
    """

    id: str
    model: str | ModelBackend | None = None
    uses: str | None = None
    arguments: Mapping[str, JsonValue] = field(default_factory=dict)
    prompt_template: str | None = None
    system: str | None = None
    input: JsonValue = None
    input_transforms: Sequence[AnyTransform] = ()
    options: Options = field(default_factory=dict)
    output: Output | None = None
    when: str | None = None
    for_each: str | None = None
    retry: Retry = field(default_factory=Retry)
    timeout: float | None = None
    on_error: OnError = field(default_factory=OnError)
    default: Default | None = None
    cache: Literal["auto", "off", "refresh"] = "auto"


class Workflow(Struct, frozen=True, kw_only=True):
    """Steps and how they hang together.

    `inputs=None` means "whatever the templates name, as text". `connections` adds
    order without data; arrows that carry data follow from the templates. `outputs`
    maps names to templates; empty means the output of every step that none needs.
    `base` is the folder that relative paths start from.
    """

    name: str
    steps: Sequence[WorkflowStep]
    description: str = ""
    inputs: Mapping[str, Input] | None = None
    models: Mapping[str, ModelBackend] = field(default_factory=dict)
    connections: Sequence[Connection] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    base: str = "."


class Parameter(Struct, frozen=True, kw_only=True):
    """A parameter of a recipe. Without a default it must be given."""

    type: ValueType = TEXT
    description: str = ""
    default: JsonValue = None
    optional: bool = False
    choices: tuple[str, ...] = ()


class RecipeEngine(Struct, frozen=True, kw_only=True):
    """How a recipe is carried out by one sort of model.

    `model` is given for engines that bring their own (embedded ones).
    """

    model: ModelBackend | None = None
    prompt_template: str | None = None
    system: str | None = None
    input: JsonValue = None
    options: Options = field(default_factory=dict)
    output: Output = field(default_factory=Output)


class Recipe(Struct, frozen=True, kw_only=True):
    """A named, parameterised step.

    `needs` is the sort of model that carries it out: "chat" (a language model),
    "speech", or "none". `main` names the parameter that a chain's value goes to.
    `fallback` is the engine to use when no model is configured.
    """

    name: str
    description: str
    main: str
    parameters: Mapping[str, Parameter]
    needs: Literal["chat", "speech", "none"] = "chat"
    engine: RecipeEngine = field(default_factory=RecipeEngine)
    fallback: RecipeEngine | None = None
    source: str = ""
