# SPDX-License-Identifier: Apache-2.0
"""How a workflow file writes inputs, steps and the workflow itself."""

from typing import Final, Literal

from lao.workflow.local_models import ModelBackend
from lao.workflow.model_shapes import MODEL, NAMED_TEXT, OPTIONS
from lao.workflow.nodes import Node, Problems
from lao.workflow.output_shapes import OUTPUT
from lao.workflow.shapes import (
    Choice,
    Duration,
    Either,
    Failed,
    Field,
    Flag,
    Integer,
    Into,
    Json,
    ListOf,
    MapOf,
    Record,
    Reference,
    Refined,
    Schema,
    Shape,
    Text,
    ValueTypeShape,
    bad_value,
)
from lao.workflow.steps import (
    Connection,
    Default,
    Input,
    OnError,
    Retry,
    StepId,
    Workflow,
    WorkflowStep,
)
from lao.workflow.transform_shapes import TRANSFORM

RESERVED: Final = frozenset(
    [
        "inputs",
        "item",
        "index",
        "input",
        "loop",
        "self",
        "true",
        "false",
        "none",
        "True",
        "False",
        "None",
        "and",
        "or",
        "not",
        "in",
        "is",
        "if",
        "else",
        "range",
        "dict",
        "namespace",
        "debug",
    ]
)
_NAME: Final = r"[^\W\d]\w*"
_LABEL = Text(
    expects="a name of letters, digits, `_`, `.` and `-`", pattern=r"\w[\w.-]*"
)
_TEMPLATE = Text()
_TYPE = ValueTypeShape()


class _Name:
    """A name that templates can use."""

    expects = "a name: a letter or underscore, then letters, digits, underscores"
    text = Text(expects=expects, pattern=_NAME)

    def decode(self, node: Node, problems: Problems) -> str | Failed:
        """Return the name; a dash gets words of its own."""
        name = node.value
        if isinstance(name, str) and "-" in name:
            other = name.replace("-", "_")
            what = f"the name {name!r} has a dash, which templates read as minus"
            return bad_value(
                node, problems, what, f"write it with an underscore: {other}"
            )
        return self.text.decode(node, problems)

    def json_schema(self) -> Schema:
        """Return the pattern."""
        return self.text.json_schema()


def _not_reserved(name: str, node: Node, problems: Problems) -> str | Failed:
    if name not in RESERVED:
        return name
    what = f"a step cannot be called {name!r}, which means something in templates"
    return bad_value(node, problems, what, "choose another name")


NAME: Final = _Name()
STEP_ID: Final = Refined(NAME, _not_reserved, {"not": {"enum": [*sorted(RESERVED)]}})
INPUT: Final[Shape[Input]] = Either(
    {
        "text": Into(_TYPE, lambda found: Input(type=found)),
        "mapping": Record(
            Input,
            [
                Field("type", _TYPE, "What is given"),
                Field("description", Text(), "What it is, for people"),
                Field("default", Json(), "What stands in for it"),
                Field("optional", Flag(), "Whether it may be left out"),
            ],
        ),
    }
)
_MODEL_OR_NAME: Shape[str | ModelBackend] = Either(
    {"text": NAMED_TEXT, "mapping": MODEL}
)
_RETRY: Shape[Retry] = Either(
    {
        "number": Into(
            Integer(least=1, most=100, expects="a number of attempts"),
            lambda attempts: Retry(attempts=attempts),
        ),
        "mapping": Record(
            Retry,
            [
                Field("attempts", Integer(least=1, most=100), "Tries in all"),
                Field("backoff", Duration(), "The wait after the first; it doubles"),
                Field("longest", Duration(), "The longest wait"),
            ],
        ),
    }
)


_Models = tuple[str | ModelBackend, ...]


def _only(model: str | ModelBackend) -> _Models:
    return (model,)


_ONLY_NAME: Into[str, _Models] = Into(NAMED_TEXT, _only)
_ONLY_MODEL: Into[ModelBackend, _Models] = Into(MODEL, _only)
_FALLBACKS: Shape[_Models] = Either(
    {
        "text": _ONLY_NAME,
        "mapping": _ONLY_MODEL,
        "list": ListOf(_MODEL_OR_NAME, 1, expects="a list of models"),
    }
)


def _act(action: Literal["fail", "skip"]) -> OnError:
    return OnError(action=action)


def _use(use: _Models) -> OnError:
    return OnError(action="use", models=use)


_FAIL_OR_SKIP: Choice[Literal["fail", "skip"]] = Choice(("fail", "skip"))
_ACT: Into[Literal["fail", "skip"], OnError] = Into(_FAIL_OR_SKIP, _act)
_ON_ERROR: Shape[OnError] = Either(
    {
        "text": _ACT,
        "mapping": Record(
            _use, [Field("use", _FALLBACKS, "Models to try in turn", required=True)]
        ),
    }
)
STEP: Final = Reference(
    "step",
    Record(
        WorkflowStep,
        [
            Field("id", STEP_ID, "How other steps call this one's output", True),
            Field("model", _MODEL_OR_NAME, "A name from `models`, or a model itself"),
            Field("uses", NAMED_TEXT, "A recipe or plugin"),
            Field("with", MapOf(Json()), "Its parameters", to="arguments"),
            Field("prompt_template", _TEMPLATE, "The prompt, with {{ names }}"),
            Field("system", _TEMPLATE, "The system prompt"),
            Field("input", Json(), "What the model is given, with {{ names }}"),
            Field("input_transforms", ListOf(TRANSFORM), "What is done to it first"),
            Field("options", OPTIONS, "Options of the runtime, over the model's"),
            Field("output", OUTPUT, "What must come out"),
            Field("when", _TEMPLATE, "The step is skipped where this is false"),
            Field("for_each", _TEMPLATE, "A list: the step runs once per `item`"),
            Field("retry", _RETRY, "How often to try"),
            Field("timeout", Duration(positive=True), "The longest one try may take"),
            Field("on_error", _ON_ERROR, "What to do when every try failed"),
            Field("default", Into(Json(), Default), "The output when skipped"),
            Field(
                "cache",
                Choice(("auto", "off", "refresh")),
                "Whether a result that is known already is used",
            ),
        ],
        "One step of the workflow.",
    ),
)


def _connect(pair: tuple[str, ...]) -> Connection:
    return StepId(pair[0]), StepId(pair[1])


_PAIR = ListOf(NAME, 2, 2, "a pair of step names, such as [first, second]")
WORKFLOW: Final = Record(
    Workflow,
    [
        Field("name", NAMED_TEXT, "What the workflow is called", True),
        Field("description", Text(), "What it does, for people"),
        Field("inputs", MapOf(INPUT, NAME), "What it is given"),
        Field("models", MapOf(MODEL, _LABEL), "Local models, by name"),
        Field(
            "steps",
            ListOf(STEP, 1, expects="a list with at least one step"),
            "What it does, step by step",
            True,
        ),
        Field("connections", ListOf(Into(_PAIR, _connect)), "Order without data"),
        Field("outputs", MapOf(_TEMPLATE, _LABEL), "What comes out, as templates"),
    ],
    "A workflow of local models.",
)
