# SPDX-License-Identifier: Apache-2.0
"""The plugins that a workflow names: found, told apart by kind, given parameters."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress

from msgspec import Struct
from msgspec.structs import replace

from lao.errors import LaoError, did_you_mean
from lao.planning.plan import Engine, PlannedTransform, Preprocess
from lao.planning.problems import Path, Problems
from lao.workflow.local_models import Installed, ModelBackend
from lao.workflow.plugins import PluginKind, PluginManifest, why_unfit
from lao.workflow.steps import Output, WorkflowStep
from lao.workflow.template import (
    TemplateError,
    Tree,
    evaluate_tree,
    parse_tree,
    templates_in,
)
from lao.workflow.transforms import UsePlugin
from lao.workflow.values import JSON, TEXT, JsonValue

STEPS: frozenset[PluginKind] = frozenset(["step", "preprocessor", "formatter"])
_OF_ONE = ("$defs", "definitions", "properties")  # what a schema says of one parameter
_HOW: Mapping[PluginKind, str] = {
    "step": "use it as a step: `uses: {}`",
    "preprocessor": "use it as `input_transforms: [{{ plugin: {} }}]`, or as a step",
    "formatter": "use it as a step: `uses: {}`",
    "model": "use it as a model: `model: {{ kind: plugin, name: {} }}`",
}


class Plugins(Struct, frozen=True):
    """Finds plugins and checks what they are given; notes what is wrong."""

    known: Mapping[str, PluginManifest]
    problems: Problems

    def find(
        self, name: str, path: Path, kinds: Collection[PluginKind]
    ) -> PluginManifest | None:
        """Return the manifest of a plugin of one of those kinds."""
        try:
            found = self.known.get(name)
        except LaoError as error:  # its manifest is wrong, and says where
            self.problems.found.extend(error.problems)
            return None
        if found is None:
            self.problems.add(
                "plugin.unknown",
                f"no plugin is called {name!r}",
                path,
                mend=did_you_mean(name, self.known)
                if self.known
                else "`lao plugin add PATH` adds one",
            )
        elif found.kind not in kinds:
            self.problems.add(
                "plugin.wrong-kind",
                f"the plugin {name!r} is a {found.kind}, which cannot stand here",
                path,
                mend=_HOW[found.kind].format(name),
            )
            return None
        return found

    def engine(
        self, manifest: PluginManifest, given: Mapping[str, JsonValue], path: Path
    ) -> Engine:
        """Return the engine of a plugin that works on a whole input."""
        self._all_there(manifest, given, path)
        return Engine(
            model=Installed(name=manifest.name),
            input=parse_tree("{{ input }}"),
            options=dict(self._checked(manifest, given, path)),
            output=Output(type=manifest.output, schema=manifest.schema),
            plugin=manifest,
        )

    def step(self, step: WorkflowStep, manifest: PluginManifest, path: Path) -> Engine:
        """Return the engine of a step that uses a plugin; note what it cannot have."""
        for key, given in (
            ("model", step.model),
            ("prompt_template", step.prompt_template),
            ("system", step.system),
            ("options", step.options),
            ("on_error", step.on_error.models),
        ):
            if given:
                self.problems.add(
                    "plugin.no-model",
                    f"the plugin {manifest.name!r} asks no model, so `{key}` of step "
                    f"{step.id!r} has no meaning",
                    (*path, key),
                    mend="drop it; parameters go into `with`",
                )
        if step.input is None:
            self.problems.add(
                "workflow.no-input",
                f"step {step.id!r} gives the plugin {manifest.name!r} no input",
                path,
                mend=f"add `input:` with a value of type {manifest.input}",
            )
        engine = self.engine(manifest, step.arguments, (*path, "with"))
        if step.output is None:
            return engine
        if not _may_give(manifest, step.output):
            self.problems.add(
                "workflow.type-mismatch",
                f"the plugin {manifest.name!r} gives {manifest.output}, and step "
                f"{step.id!r} declares {step.output.type}",
                (*path, "output"),
                mend="drop `output:`; the manifest says what comes out",
            )
        return replace(engine, output=step.output)

    def model(
        self, model: ModelBackend, step: WorkflowStep, path: Path
    ) -> PluginManifest | None:
        """Return the manifest of a model that is a plugin; None for every other one.

        `path` says where the step names it.
        """
        if not isinstance(model, Installed):
            return None
        manifest = self.find(model.name, (*path, "name"), ["model"])
        if manifest is not None:
            options = (*path[:2], "options")
            self._checked(manifest, model.options, (*path, "options"))
            self._checked(manifest, step.options, options)
            self._all_there(manifest, {**model.options, **step.options}, options)
        return manifest

    def _all_there(
        self, manifest: PluginManifest, given: Collection[str], path: Path
    ) -> None:
        for name in manifest.required:
            if name not in given and name not in manifest.defaults:
                self.problems.add(
                    "workflow.missing-parameter",
                    f"the plugin {manifest.name!r} is not given {name!r}",
                    path,
                    mend=f"add `{name}:`",
                )

    def _checked(
        self, manifest: PluginManifest, given: Mapping[str, JsonValue], path: Path
    ) -> Iterator[tuple[str, Tree]]:
        """Return the parameters, parsed; note those that are unknown or do not fit."""
        is_open = manifest.parameters.get("additionalProperties") is not False
        found: list[tuple[str, Tree]] = []
        for name, value in given.items():
            if name not in manifest.properties and not is_open:
                self.problems.add(
                    "workflow.unknown-parameter",
                    f"the plugin {manifest.name!r} has no parameter {name!r}",
                    (*path, name),
                    mend=did_you_mean(name, manifest.properties),
                )
            found.append((name, self.problems.parse(value, (*path, name))))
            self._value(manifest, *found[-1], path)
        return iter(found)

    def _value(
        self, manifest: PluginManifest, name: str, tree: Tree, path: Path
    ) -> None:
        """Check a value that is known now against what the schema says of it."""
        if name not in manifest.properties or any(
            each.names for each in templates_in(tree)
        ):
            return
        with suppress(TemplateError):  # the run says what it cannot work out
            value = evaluate_tree(tree, {})
            parameters = manifest.parameters
            alone = {key: parameters[key] for key in _OF_ONE if key in parameters}
            place, why = why_unfit({name: value}, alone)  # type: ignore[dict-item]  # no file
            if why:
                self.problems.add(
                    "plugin.bad-parameter",
                    f"a parameter of the plugin {manifest.name!r} does not fit at "
                    f"{place}: {why}",
                    (*path, name),
                    mend=f"`lao plugin show {manifest.name}` says what it takes",
                )

    def transforms(
        self, step: WorkflowStep, path: Path
    ) -> tuple[PlannedTransform, ...] | None:
        """Return the transforms of a step's input; None if a plugin is not there."""
        found: list[PlannedTransform | None] = []
        for number, each in enumerate(step.input_transforms):
            place = (*path, "input_transforms", number)
            if isinstance(each, UsePlugin):
                found.append(self._preprocess(each, place))
            else:
                found.append(each)
        made = tuple(each for each in found if each is not None)
        return made if len(made) == len(found) else None

    def _preprocess(self, use: UsePlugin, path: Path) -> Preprocess | None:
        manifest = self.find(use.plugin, (*path, "plugin"), ["preprocessor"])
        if manifest is None:
            return None
        engine = self.engine(manifest, use.parameters, (*path, "with"))
        for template in templates_in(engine.options):
            if template.names:
                self.problems.add(
                    "workflow.bad-value",
                    "the parameters of a transform are fixed; this one reads "
                    f"{', '.join(map(repr, sorted(template.names)))}",
                    (*path, "with"),
                    mend=f"make it a step of its own: `uses: {use.plugin}`",
                )
        return Preprocess(engine=engine)


def _may_give(manifest: PluginManifest, wanted: Output) -> bool:
    """Whether a step that uses a plugin may declare an output.

    What is text may be read as JSON.
    """
    is_read = wanted.type == JSON and manifest.output == TEXT
    return is_read or wanted.type == manifest.output
