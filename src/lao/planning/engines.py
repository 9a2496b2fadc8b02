# SPDX-License-Identifier: Apache-2.0
"""From a step's words to engines: which models may carry it out, and with what."""

import posixpath
from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath

from msgspec import Struct, field
from msgspec.structs import replace

from lao.errors import did_you_mean
from lao.planning.plan import Engine
from lao.planning.plugins import Plugins
from lao.planning.problems import Path, Problems
from lao.planning.types import natural_output
from lao.workflow.local_models import (
    Custom,
    Embedded,
    Installed,
    LlamaCpp,
    ModelBackend,
    Ollama,
    Options,
    WhisperCpp,
    label,
    sort_of,
)
from lao.workflow.plugins import PluginManifest
from lao.workflow.steps import Output, Recipe, RecipeEngine, Workflow, WorkflowStep
from lao.workflow.template import Template, Tree, parse_tree
from lao.workflow.values import TEXT


class Catalog(Struct, frozen=True, kw_only=True):
    """What names may refer to: recipes, plugins, and models to use when none is named.

    A recipe goes before a plugin of the same name.
    """

    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    plugins: Mapping[str, PluginManifest] = field(default_factory=dict)
    chat: ModelBackend | None = None
    speech: ModelBackend | None = None

    def default_for(self, needs: str) -> ModelBackend | None:
        """Return the configured model for a recipe that needs one of that sort."""
        return {"chat": self.chat, "speech": self.speech}.get(needs)


# Stands in for a model that was not found: the rest of its step is checked all the same.
_UNKNOWN = Ollama(model="unknown")


def at_base(model: ModelBackend, base: str) -> ModelBackend:
    """Return the model with its paths made absolute; `~` expands."""
    match model:
        case WhisperCpp():
            program = model.program and absolute(model.program, base)
            options = _with_paths(model.options, base)
            path = absolute(model.model_path, base)
            return replace(model, model_path=path, program=program, options=options)
        case LlamaCpp():
            return replace(model, model_path=absolute(model.model_path, base))
        case Custom():
            path, colon, name = model.plugin.partition(".py:")
            whole = f"{path}.py" if colon else path
            return replace(
                model,
                plugin=absolute(whole, base) + (colon and f":{name}"),
                readable=tuple(absolute(each, base) for each in model.readable),
            )
        case Ollama() | Embedded() | Installed():
            return model


def _with_paths(options: Options, base: str) -> Options:
    return {
        name: absolute(value, base)
        if name.endswith("_path") and isinstance(value, str)
        else value
        for name, value in options.items()
    }


def absolute(path: str, base: str) -> str:
    """Return `path` seen from the folder `base`, absolute; `~` expands."""
    try:
        expanded = FilePath(path).expanduser()
    except RuntimeError:  # no home folder: keep the path as written
        expanded = FilePath(path)
    return posixpath.normpath(FilePath(base).absolute() / expanded)


class Models(Struct, frozen=True):
    """Finds the models that a workflow names: one object for all steps that share one.

    `resolved` keeps those found, each with what it was made from, which keeps the
    latter's `id` its own.
    """

    workflow: Workflow
    problems: Problems
    plugins: Plugins
    resolved: dict[int, tuple[ModelBackend, ModelBackend]] = field(default_factory=dict)

    def find(self, wanted: str | ModelBackend, path: Path) -> ModelBackend | None:
        """Return the model, with absolute paths; note a problem if there is none."""
        if not isinstance(wanted, str):
            return self._resolved(wanted)
        named = self.workflow.models.get(wanted)
        if named is not None:
            return self._resolved(named)
        self.problems.add(
            "workflow.unknown-model",
            f"no model is called {wanted!r} in this workflow",
            path,
            mend=did_you_mean(wanted, self.workflow.models)
            if self.workflow.models
            else "name it under `models:`, or write it in place: "
            "{ kind: ollama, model: … }",
        )
        return None

    def _resolved(self, model: ModelBackend) -> ModelBackend:
        if id(model) not in self.resolved:
            self.resolved[id(model)] = model, at_base(model, self.workflow.base)
        return self.resolved[id(model)][1]


def step_engines(
    step: WorkflowStep, catalog: Catalog, models: Models, path: Path
) -> tuple[Engine, ...] | None:
    """Return the engines of a step that names its model and prompt itself."""
    wanted = step.model or _default_model(step, catalog, models, path)
    if wanted is None:
        return None
    at_model, at_others = (*path, "model"), (*path, "on_error")
    found = [(models.find(wanted, at_model) or _UNKNOWN, at_model)]
    for each in step.on_error.models:
        other = models.find(each, at_others)
        found += [(other, at_others)] if other is not None else []
    problems = models.problems
    prompt = _template(problems.parse(step.prompt_template, (*path, "prompt_template")))
    system = _template(problems.parse(step.system, (*path, "system")))
    options = problems.parse(dict(step.options), (*path, "options"))
    engines: list[Engine] = []
    for model, place in found:
        plugin = models.plugins.model(model, step, place)
        natural = natural_output(model, options)
        if plugin is not None:
            natural = Output(type=plugin.output, schema=plugin.schema)
        engines.append(
            Engine(
                model=model,
                prompt=prompt,
                system=system,
                input=_whole_input() if step.input is not None else None,
                options=options,
                output=step.output or natural,
                plugin=plugin,
            )
        )
    return tuple(engines)


def _default_model(
    step: WorkflowStep, catalog: Catalog, models: Models, path: Path
) -> ModelBackend | None:
    """Return the model that a prompt goes to where the step names none."""
    if step.prompt_template is None:
        return None
    if catalog.chat is None:
        models.problems.add(
            "model.none-configured",
            f"step {step.id!r} has a prompt and names no model, and none is configured",
            (*path, "prompt_template"),
            mend="add `model:`, --model NAME (see `lao models`), or set LAO_MODEL",
        )
        return _UNKNOWN
    return catalog.chat


def _whole_input() -> Tree:
    return parse_tree("{{ input }}")


def _template(tree: Tree) -> Template | None:
    return tree if isinstance(tree, Template) else None


class RecipeEngines(Struct, frozen=True):
    """Chooses the engines that carry out a recipe in one step."""

    recipe: Recipe
    step: WorkflowStep
    catalog: Catalog
    models: Models
    path: Path

    def choose(self) -> tuple[Engine, ...]:
        """Return the engines, best first; note a problem if there is none."""
        named = self._named()
        if named is not None:
            return named
        recipe, step = self.recipe, self.step
        default = self.catalog.default_for(recipe.needs)
        if recipe.engine.model is not None:
            engines = [self._engine(recipe.engine, recipe.engine.model)]
        elif default is not None:
            engines = [self._for_model(default)]
        elif recipe.fallback is not None and recipe.fallback.model is not None:
            note = f"no {recipe.needs} model is configured; an embedded one does this"
            engines = [self._engine(recipe.fallback, recipe.fallback.model, note)]
        else:
            self._none_configured()
            return ()
        return tuple(engines) + self._fallbacks(step.on_error.models)

    def _named(self) -> tuple[Engine, ...] | None:
        """Return the engines of the models that the step itself names."""
        wanted: Sequence[str | ModelBackend]
        given = self.step.arguments.get("model")
        if self.step.model is not None:
            wanted = (self.step.model,)
        elif isinstance(given, str) and "model" not in self.recipe.parameters:
            wanted = (given,)
        else:
            return None
        return self._fallbacks((*wanted, *self.step.on_error.models))

    def _fallbacks(self, wanted: Sequence[str | ModelBackend]) -> tuple[Engine, ...]:
        found = [self.models.find(each, (*self.path, "model")) for each in wanted]
        return tuple(self._for_model(model) for model in found if model is not None)

    def _for_model(self, model: ModelBackend) -> Engine:
        """Return the engine for a model of the person's choice."""
        recipe = self.recipe
        sort, fallback = sort_of(model), recipe.fallback
        if fallback is not None and isinstance(model, Embedded):
            own = fallback.model
            if isinstance(own, Embedded) and own.name == model.name:
                return self._engine(fallback, model)
        if recipe.needs not in ("none", sort) and sort != "any":
            self.models.problems.add(
                "workflow.wrong-model",
                f"the recipe {recipe.name!r} needs a {recipe.needs} model; "
                f"{label(model)} is not one",
                (*self.path, "model"),
                mend=f"name a {recipe.needs} model, or none to use the default",
            )
        return self._engine(recipe.engine, model)

    def _engine(
        self, words: RecipeEngine, model: ModelBackend, note: str = ""
    ) -> Engine:
        options: dict[str, Tree] = {}
        for each in (words.options, self.step.options):
            tree = self.models.problems.parse(dict(each), (*self.path, "options"))
            options |= tree if isinstance(tree, dict) else {}
        output = self.step.output or words.output
        natural = natural_output(model, self._literal(options))
        if output.schema is None and output.type == TEXT != natural.type:
            output = natural
        return Engine(
            model=model,
            prompt=_template(
                self.models.problems.parse(words.prompt_template, self.path)
            ),
            system=_template(self.models.problems.parse(words.system, self.path)),
            input=parse_tree(words.input),
            options=dict(options),
            output=output,
            note=note,
            plugin=self.models.plugins.model(model, self.step, (*self.path, "model")),
        )

    def _literal(self, options: Mapping[str, Tree]) -> dict[str, Tree]:
        """Fill in options that are one argument, so that types can be known."""
        known = {
            name: each.default for name, each in self.recipe.parameters.items()
        } | dict(self.step.arguments)
        filled: dict[str, Tree] = {}
        for name, value in options.items():
            reference = value.reference if isinstance(value, Template) else None
            filled[name] = parse_tree(known.get(reference[0])) if reference else value
        return filled

    def _none_configured(self) -> None:
        self.models.problems.add(
            "model.none-configured",
            f"the recipe {self.recipe.name!r} needs a {self.recipe.needs} model, "
            "and none is configured",
            (*self.path, "uses"),
            mend="add --model NAME (see `lao models`), or set LAO_MODEL",
        )
