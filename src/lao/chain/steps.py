# SPDX-License-Identifier: Apache-2.0
"""From calls to workflow steps: ids, templates, loops over a glob's elements."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final, assert_never

from msgspec import Struct, field
from msgspec.structs import replace

from lao.chain.calls import Call, Prompt
from lao.chain.words import literal
from lao.workflow.local_models import (
    Custom,
    Embedded,
    Installed,
    LlamaCpp,
    ModelBackend,
    Ollama,
    WhisperCpp,
    sort_of,
)
from lao.workflow.plugins import PluginManifest
from lao.workflow.steps import Recipe, WorkflowStep
from lao.workflow.template import parse_template
from lao.workflow.values import AUDIO, JSON, TEXT, JsonValue, ValueType, fits

_RESERVED: Final = frozenset(
    [
        "inputs",
        "input",
        "item",
        "index",
        "loop",
        "range",
        "dict",
        "namespace",
        "debug",
        "true",
        "false",
        "none",
        "not",
        "and",
        "or",
        "in",
        "is",
        "if",
        "else",
        "True",
        "False",
        "None",
    ]
)


class Value(Struct, frozen=True, kw_only=True):
    """What comes down the pipe: a name for templates, and its type.

    With `is_list`, `name` is a list and `type` that of its elements.
    """

    name: str
    type: ValueType
    is_list: bool = False
    may_be_absent: bool = False

    @property
    def template(self) -> str:
        """The template that gives the value, inside a loop over it if it is a list."""
        return f"{{{{ {'item' if self.is_list else self.name} }}}}"

    @property
    def loop(self) -> str | None:
        """What `for_each` runs over."""
        return self.whole if self.is_list else None

    @property
    def whole(self) -> str:
        """The template that gives all of it, lists too."""
        return f"{{{{ {self.name} }}}}"

    def fit_for(self, wanted: ValueType) -> str:
        """Return a template that gives the value as `wanted`; JSON as its text."""
        if wanted == TEXT and self.type == JSON:
            name = "item" if self.is_list else self.name
            return f"{{{{ {name} | tojson(indent=2) }}}}"
        return self.template


def wanted_by(call: Call) -> ValueType:
    """Return the type of value that a call works on."""
    match call.does:
        case Recipe() as recipe:
            main = recipe.parameters.get(recipe.main)
            return main.type if main is not None else TEXT
        case PluginManifest() as plugin:
            return plugin.input.item or plugin.input
        case Prompt():
            return TEXT
        case _ as model:
            return AUDIO if sort_of(model) == "speech" else TEXT


Spans = dict[tuple[str | int, ...], tuple[int, int]]


class StepWriter(Struct):
    """Writes the steps of a chain; `spans` says where each part of one comes from."""

    steps: list[WorkflowStep] = field(default_factory=list)
    spans: Spans = field(default_factory=dict)
    _taken: dict[str, int] = field(default_factory=dict)

    def call(self, call: Call, value: Value) -> Value:
        """Add the steps of one call and return what it gives."""
        match call.does:
            case Recipe() as recipe:
                return self._recipe(call, recipe, value)
            case Prompt() as prompt:
                return self._prompt(call, prompt, value)
            case PluginManifest() as plugin:
                return self._plugin(call, plugin, value)
            case _ as model:
                return self._model(call, model, value)

    def join(self, branches: Mapping[str, Value], span: tuple[int, int]) -> Value:
        """Add the step that makes a JSON object of all branches, and return it."""
        values = list(branches.values())
        tree: dict[str, JsonValue] = {
            key: value.template for key, value in branches.items()
        }
        first, *others = values
        loop = first.loop
        if loop is not None and others:
            names = ", ".join(other.name for other in others)
            loop = f"{{{{ {first.name} | zip({names}) | map('list') }}}}"
            tree = {key: f"{{{{ item.{at} }}}}" for at, key in enumerate(branches)}
        step = WorkflowStep(id=self._id("branches"), input=tree, for_each=loop)
        self.spans["steps", len(self.steps)] = span
        self.steps.append(step)
        return Value(name=step.id, type=JSON, is_list=first.is_list)

    def _recipe(self, call: Call, recipe: Recipe, value: Value) -> Value:
        acts = recipe.needs == "none" and recipe.engine.model is None
        material = value.fit_for(wanted_by(call))
        step = WorkflowStep(
            id=self._id(recipe.name),
            uses=recipe.name,
            arguments={recipe.main: value.whole if acts else material, **call.values},
            model=call.settings.model,
            for_each=None if acts else value.loop,
        )
        if acts:
            return self._add(step, call, value)
        kind = JSON if _says_segments(call) else recipe.engine.output.type
        return self._add(step, call, replace(value, type=kind))

    def _plugin(self, call: Call, plugin: PluginManifest, value: Value) -> Value:
        """A plugin that takes a list gets all of a list, as `save` does."""
        item = plugin.input.item
        takes_all = value.is_list and item is not None and fits(value.type, item)
        material = value.whole if takes_all else value.fit_for(plugin.input)
        loop = None if takes_all else value.loop
        name = self._id(plugin.name)
        if plugin.kind == "model":
            step = WorkflowStep(
                id=name,
                model=Installed(name=plugin.name),
                input=material,
                options=call.values,
                for_each=loop,
            )
        else:
            step = WorkflowStep(
                id=name,
                uses=plugin.name,
                input=material,
                arguments=call.values,
                for_each=loop,
            )
        given = replace(value, type=plugin.output, is_list=loop is not None)
        return self._add(step, call, given)

    def _prompt(self, call: Call, prompt: Prompt, value: Value) -> Value:
        """A template and a model: the configured one where the chain names none."""
        text, name = prompt.text, PurePosixPath(prompt.name).stem
        if "input" not in parse_template(text).roots and not value.type.is_file:
            text = f"{text.rstrip()}\n\n{{{{ input }}}}"
        asked = WorkflowStep(
            id=self._id(name),
            model=call.settings.model,
            input=value.template,
            prompt_template=text,
            options=call.values,
            for_each=value.loop,
        )
        return self._add(asked, call, replace(value, type=TEXT))

    def _model(self, call: Call, model: ModelBackend, value: Value) -> Value:
        is_chat = sort_of(model) == "chat"
        takes_any = is_chat or isinstance(model, Custom | Installed)
        step = WorkflowStep(
            id=self._id(_short_name(model)),
            model=model,
            input=value.template if takes_any else value.fit_for(wanted_by(call)),
            prompt_template=_instruct(call, value) if is_chat else None,
            options=call.values,
            for_each=value.loop,
        )
        gives_json = model == Embedded(name="entities") or _says_segments(call)
        return self._add(step, call, replace(value, type=JSON if gives_json else TEXT))

    def _add(self, step: WorkflowStep, call: Call, value: Value) -> Value:
        path = ("steps", len(self.steps))
        inner = "with" if step.uses is not None else "options"
        for key, span in call.spans.items():
            self.spans[(*path, inner, key) if key else path] = span
        self.steps.append(
            replace(step, retry=call.settings.retry, timeout=call.settings.timeout)
        )
        return replace(value, name=step.id, may_be_absent=False)

    def _id(self, name: str) -> str:
        """Return an id made of `name` that no other step has."""
        stem = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_") or "step"
        if stem[0].isdigit() or stem in _RESERVED:
            stem = f"step_{stem}"
        found = stem
        while found in self._taken:
            self._taken[stem] += 1
            found = f"{stem}_{self._taken[stem]}"
        self._taken[found] = 1
        return found


def _short_name(model: ModelBackend) -> str:
    match model:
        case Ollama():
            return model.model
        case LlamaCpp() | WhisperCpp():
            return PurePosixPath(model.model_path).stem
        case Embedded():
            return model.name
        case Installed():
            return model.name
        case Custom():
            return PurePosixPath(model.plugin.partition(".py")[0]).name
        case _:
            assert_never(model)


def _instruct(call: Call, value: Value) -> str | None:
    """Return the prompt: the instruction, a blank line, the material.

    A file, such as an image, goes to the model beside its prompt.
    """
    instruction = literal(call.instruction)
    if value.type.is_file:
        return instruction or None
    if not instruction:
        return "{{ input }}"
    if value.may_be_absent:
        return f"{instruction}{{% if input %}}\n\n{{{{ input }}}}{{% endif %}}"
    return f"{instruction}\n\n{{{{ input }}}}"


def _says_segments(call: Call) -> bool:
    """Timed segments are the one answer that is text or JSON by a parameter."""
    return "segments" in call.values.values()
