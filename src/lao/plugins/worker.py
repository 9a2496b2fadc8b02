# SPDX-License-Identifier: Apache-2.0
"""Runs in the locked worker: the `LocalModel` that calls the class of a plugin.

Until the plugin is loaded no code of it has run. Its folders then stand on the import
path behind the standard library, and before what LAO itself brings.
"""

import importlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from lao.plugins.api import (
    Formatter,
    LocalModel,
    ModelDescription,
    ModelProblem,
    ModelReply,
    ModelRequest,
    Plugin,
    PluginInput,
    PluginOutput,
    Report,
    Transform,
)
from lao.workflow.values import JsonValue

_METHODS: Final[Mapping[str, Sequence[str]]] = {
    "step": ("process",),
    "model": ("describe", "load", "infer"),
    "preprocessor": ("transform",),
    "formatter": ("format",),
}

Config = Mapping[str, Any]  # decoded JSON of our own parent


class PluginModel:
    """A plugin of any kind as a model. State: the plugin, once it is loaded."""

    def __init__(self) -> None:
        self._config: Config = {}
        self._plugin: object = None

    def load(self, options: Mapping[str, JsonValue]) -> None:
        """Import the plugin and make one; `options` are what the parent says of it."""
        self._config = cast("Config", options)
        _put_on_path(self._config["paths"])
        self._plugin = _made(self._config)
        if self._config["kind"] == "model":
            own = dict(self._config["options"])
            if self._config["readable"]:
                own["readable"] = list(self._config["readable"])
            cast("LocalModel", self._plugin).load(own)

    def describe(self) -> ModelDescription:
        """Say what the plugin is; a model says it itself."""
        if self._config["kind"] == "model":
            return cast("LocalModel", self._plugin).describe()
        return ModelDescription(name=self._config["name"], made_by=self._made_by)

    def infer(self, request: ModelRequest, report: Report) -> ModelReply:
        """Have the plugin answer one request."""
        notes: tuple[str, ...] = ()
        match self._config["kind"]:
            case "model":
                return cast("LocalModel", self._plugin).infer(request, report)
            case "step":
                output = self._processed(request, report)
                value, notes = output.value, tuple(map(str, output.notes))
            case "preprocessor":
                transform = cast("Transform", self._plugin).transform
                value = transform(request.input, dict(request.options))
            case _:
                form = cast("Formatter", self._plugin).format
                value = form(request.input, dict(request.options))
        if request.wants == "json" and self._config["gives"] != "text":
            value = _as_json_text(value)
        return ModelReply(value=value, made_by=self._made_by, notes=notes)

    def _processed(self, request: ModelRequest, report: Report) -> PluginOutput:
        given = PluginInput(
            value=request.input,
            files=request.files,
            parameters=dict(request.options),
            report=report,
            readable=tuple(self._config["readable"]),
        )
        output: object = cast("Plugin", self._plugin).process(given)
        if not isinstance(output, PluginOutput):
            raise ModelProblem(
                "plugin.wrong-output",
                f"the plugin returned {type(output).__name__}; `process` returns "
                "a PluginOutput",
                mend="write `return PluginOutput(value=…)`",
            )
        return output

    @property
    def _made_by(self) -> str:
        return f"{self._config['name']} {self._config['version']}"


def _as_json_text(value: JsonValue) -> JsonValue:
    """Return a text as JSON: where JSON is due, a text is taken for the JSON itself."""
    return json.dumps(value) if isinstance(value, str) else value


def _put_on_path(paths: Sequence[str]) -> None:
    """Put folders behind the standard library, which nothing of a plugin replaces."""
    standard = os.path.dirname(os.__file__)  # noqa: PTH120  (as the path is written)
    place = 0
    for number, path in enumerate(sys.path):
        if path.startswith(standard) and not path.endswith("-packages"):
            place = number + 1
    sys.path[place:place] = paths


def _made(config: Config) -> object:
    module, _, name = config["entry"].partition(":")
    try:
        found = getattr(importlib.import_module(module), name, None)
    except ImportError as error:
        raise ModelProblem(
            "plugin.import-failed",
            f"the plugin {config['name']!r} cannot be imported: {error}",
            mend="a package that it needs goes into its folder `wheels`, as a wheel; "
            "then add the plugin again",
            unavailable=True,
        ) from error
    missing = [each for each in _METHODS[config["kind"]] if not hasattr(found, each)]
    if isinstance(found, type) and not missing:
        return found()
    lacks = "is no class of it"
    if isinstance(found, type):
        lacks = f"has no {' and no '.join(missing)}"
    raise ModelProblem(
        "plugin.wrong-class",
        f"the plugin {config['name']!r} calls itself a {config['kind']}, and its entry "
        f"{config['entry']!r} {lacks}",
        mend="correct `kind` or `entry` in its manifest, or write what is missing",
        unavailable=True,
    )
