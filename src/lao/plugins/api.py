# SPDX-License-Identifier: Apache-2.0
"""What the author of a plugin imports: four roles, and what they are given and give.

    from lao.plugins.api import PluginInput, PluginOutput

    class WordCount:
        name = "word-count"

        def process(self, given: PluginInput) -> PluginOutput:
            return PluginOutput(value={"words": len(str(given.value).split())})

The manifest's `kind` says which role the class has: "step" is `Plugin`, "model" is
`LocalModel`, "preprocessor" is `Transform`, "formatter" is `Formatter`. The class is
made once, without arguments, in a locked worker process: no network, no other
process, no file but the plugin's own folder, what the manifest's `read` lists, the
files of the request, and a private folder (the current one) to write to.

Only the standard library is needed to import this module.
"""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct, field

from lao.workflow.inference import (
    LocalModel,
    ModelDescription,
    ModelProblem,
    ModelReply,
    ModelRequest,
    Report,
)
from lao.workflow.values import JsonValue

__all__ = [
    "Formatter",
    "JsonValue",
    "LocalModel",
    "ModelDescription",
    "ModelProblem",
    "ModelReply",
    "ModelRequest",
    "Plugin",
    "PluginInput",
    "PluginOutput",
    "QuietReport",
    "Report",
    "Transform",
]


class QuietReport:
    """A `Report` that nobody hears, and that never asks to stop."""

    cancelled = False

    def text(self, piece: str) -> None:
        """Take a piece of the answer."""

    def progress(self, done: float, total: float, unit: str) -> None:
        """Take how far it is."""


class PluginInput(Struct, frozen=True, kw_only=True):
    """What a step works on.

    `value` is of the manifest's input type; a file is its absolute path, which is in
    `files` too. `parameters` fit the manifest's schema, with its defaults filled in.
    `readable` are the absolute paths of the manifest's `read`, in its order.
    """

    value: JsonValue
    files: tuple[str, ...] = ()
    parameters: Mapping[str, JsonValue] = field(default_factory=dict)
    report: Report = field(default_factory=QuietReport)
    readable: tuple[str, ...] = ()


class PluginOutput(Struct, frozen=True, kw_only=True):
    """What a step gives: a value of the manifest's output type, and notes for people."""

    value: JsonValue
    notes: tuple[str, ...] = ()


class Plugin(Protocol):
    """A step. Raise `ModelProblem` to fail it with words of your own."""

    name: str

    def process(self, given: PluginInput) -> PluginOutput:
        """Work on one input; look at `given.report.cancelled` now and then."""
        ...


class Transform(Protocol):
    """A preprocessor: changes a step's input before it meets the prompt."""

    def transform(
        self, value: JsonValue, parameters: Mapping[str, JsonValue]
    ) -> JsonValue:
        """Return the changed value."""
        ...


class Formatter(Protocol):
    """Makes text of a value, for people or for another program."""

    def format(self, value: JsonValue, parameters: Mapping[str, JsonValue]) -> str:
        """Return the text."""
        ...
