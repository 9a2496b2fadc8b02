# SPDX-License-Identifier: Apache-2.0
"""What the page is told of the steps, models and examples that there are."""

from typing import Literal

from lao.editor.messages import Json, Message, PortView


class ParameterView(Message, frozen=True, kw_only=True):
    """A parameter of a palette entry; `path` is where its value is written in a step.

    `type` is that of a value, or says how it is written: "integer", "number", "flag",
    "template" (a text with {{ … }}), "duration", "schema", "model", "path".
    """

    name: str
    path: list[str]
    type: str
    description: str = ""
    default: Json = None
    is_required: bool = False
    choices: list[str] = []
    minimum: float | None = None
    maximum: float | None = None


class PaletteEntry(Message, frozen=True, kw_only=True):
    """A step that can be added. `problem` says why it cannot be used now."""

    id: str
    group: Literal["Speech", "Text", "Models", "Shape", "Plugins"]
    title: str
    description: str
    step: dict[str, Json]
    inputs: list[PortView] = []
    output: str | None = None
    parameters: list[ParameterView] = []
    problem: str = ""


class FitView(Message, frozen=True, kw_only=True):
    """Why a value may not go into a port, and the palette entry that would mend it."""

    reason: str
    converter: str = ""


class PaletteView(Message, frozen=True, kw_only=True):
    """Every step that can be added. `misfits[out][in]`: those pairs that do not fit.

    `in` is the type of a port, as the port writes it. `parameters` are those that
    every step has (when, retry, cache, …), and `model_options` those that the models
    of a kind have ("ollama"; of the embedded ones, each: "embedded:summary").
    """

    entries: list[PaletteEntry]
    misfits: dict[str, dict[str, FitView]]
    parameters: list[ParameterView]
    model_options: dict[str, list[ParameterView]] = {}


class ModelView(Message, frozen=True, kw_only=True):
    """A model on this machine; `name` is what a file writes for it."""

    name: str
    kind: str
    about: str = ""
    size: int | None = None
    problem: str = ""


class ExampleView(Message, frozen=True, kw_only=True):
    """A workflow that comes with LAO."""

    name: str
    description: str
