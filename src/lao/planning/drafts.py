# SPDX-License-Identifier: Apache-2.0
"""A step with its templates parsed and its names resolved, types not yet checked."""

from collections.abc import Iterator, Mapping
from contextlib import suppress

from msgspec import Struct, field

from lao.errors import did_you_mean
from lao.planning.engines import (
    Catalog,
    Models,
    RecipeEngines,
    step_engines,
)
from lao.planning.plan import Infer, PlannedTransform, Reshape, Save, Work
from lao.planning.plugins import STEPS, Plugins
from lao.planning.problems import Path, Problems
from lao.workflow.steps import Parameter, Recipe, StepId, Workflow, WorkflowStep
from lao.workflow.template import (
    ENGINE_NAMES,
    Template,
    TemplateError,
    Tree,
    is_plain_name,
    parse_template,
    parse_tree,
    templates_in,
)

_OWN_NAMES = frozenset({"inputs", "item", "index", "input"})


class Draft(Struct, kw_only=True, gc=False):
    """One step on its way to the plan. `path` locates it in the document.

    `transforms` is None where one of them could not be found.
    """

    step: WorkflowStep
    path: Path
    work: Work
    recipe: Recipe | None = None
    arguments: dict[str, Tree] | None = None
    input: Tree = None
    transforms: tuple[PlannedTransform, ...] | None = ()
    when: Template | None = None
    for_each: Template | None = None
    needs: set[StepId] = field(default_factory=set)
    after: set[StepId] = field(default_factory=set)

    @property
    def id(self) -> StepId:
        """The step's id."""
        return StepId(self.step.id)

    def templates(self) -> Iterator[tuple[Path, Template]]:
        """Yield each template that sees the workflow's names, with its place."""
        for keys, tree in self._trees():
            if isinstance(tree, Template):
                yield (*self.path, *keys), tree
            elif tree is not None:
                for template in templates_in(tree):
                    yield (*self.path, *keys), template

    def _trees(self) -> Iterator[tuple[tuple[str, ...], Tree]]:
        yield ("input",), self.input
        yield ("when",), self.when
        yield ("for_each",), self.for_each
        if self.arguments is not None:
            for name, tree in self.arguments.items():
                yield ("with", name), tree
            return
        match self.work:
            case Infer(engines=engines) if self.step.uses is not None:
                for engine in engines:  # a plugin's
                    yield ("with",), engine.options
            case Infer(engines=engines):
                for engine in engines[:1]:
                    yield ("prompt_template",), engine.prompt
                    yield ("system",), engine.system
                    yield ("options",), engine.options
            case Reshape():
                return
            case Save(path=path):
                yield ("with", "path"), path


class Drafter(Struct, frozen=True):
    """Makes drafts of a workflow's steps and notes what is wrong with each."""

    workflow: Workflow
    catalog: Catalog
    problems: Problems

    def drafts(self) -> list[Draft]:
        """Return a draft of each step, also of one with problems: others name it."""
        models = Models(self.workflow, self.problems, self._plugins)
        found: list[Draft] = []
        for number, step in enumerate(self.workflow.steps):
            self._id(step.id, ("steps", number, "id"))
            found.append(self._draft(step, ("steps", number), models))
        return found

    @property
    def _plugins(self) -> Plugins:
        return Plugins(self.catalog.plugins, self.problems)

    def _id(self, name: str, path: Path) -> None:
        """Note an id that templates cannot read; files are refused before this."""
        if is_plain_name(name) and name not in _OWN_NAMES | ENGINE_NAMES:
            return
        self.problems.add(
            "workflow.bad-value",
            f"a step cannot be called {name!r}, which templates cannot read",
            path,
            mend="use letters, digits and underscores, and no name that templates use",
        )

    def _draft(self, step: WorkflowStep, path: Path, models: Models) -> Draft:
        draft = (
            self._own_words(step, path, models)
            if step.uses is None
            else self._named(step, step.uses, path, models)
        )
        draft.when = self._template(step.when, (*path, "when"))
        draft.for_each = self._template(step.for_each, (*path, "for_each"))
        draft.transforms = self._plugins.transforms(step, path)
        if step.input_transforms and draft.input is None:
            self.problems.add(
                "workflow.no-input",
                f"step {step.id!r} has input_transforms but no input",
                (*path, "input_transforms"),
                mend="add `input:`",
            )
        return draft

    def _own_words(self, step: WorkflowStep, path: Path, models: Models) -> Draft:
        engines = step_engines(step, self.catalog, models, path)
        tree = self.problems.parse(step.input, (*path, "input"))
        if step.arguments:
            self.problems.add(
                "workflow.with-without-uses",
                f"step {step.id!r} has `with` but uses no recipe",
                (*path, "with"),
                mend="add `uses: RECIPE`, or drop `with`",
            )
        if step.input is None and step.prompt_template is None:
            self.problems.add(
                "workflow.nothing-to-do",
                f"step {step.id!r} has neither an input nor a prompt_template",
                path,
                mend="add `input:`, `prompt_template:` or `uses:`",
            )
        if engines is None and (step.system or step.options):
            self.problems.add(
                "workflow.no-model",
                f"step {step.id!r} has words for a model and asks none",
                (*path, "system" if step.system else "options"),
                mend="add `model:` or `prompt_template:`, or drop them",
            )
        work: Work = Reshape() if engines is None else Infer(engines=engines)
        return Draft(step=step, path=path, work=work, input=tree)

    def _named(
        self, step: WorkflowStep, name: str, path: Path, models: Models
    ) -> Draft:
        recipe = self.catalog.recipes.get(name)
        if recipe is not None:
            return self._recipe(step, recipe, path, models)
        whole = self.problems.parse(step.input, (*path, "input"))
        plugin = None
        if name in self.catalog.plugins:
            plugin = self._plugins.find(name, (*path, "uses"), STEPS)
        else:
            self.problems.add(
                "workflow.unknown-recipe",
                f"no recipe or plugin is called {name!r}",
                (*path, "uses"),
                mend=did_you_mean(name, [*self.catalog.recipes, *self.catalog.plugins]),
            )
        if plugin is not None:
            engine = self._plugins.step(step, plugin, path)
            return Draft(
                step=step, path=path, work=Infer(engines=(engine,)), input=whole
            )
        given = {
            key: self.problems.parse(value, (*path, "with", key))
            for key, value in step.arguments.items()
        }
        return Draft(step=step, path=path, work=Reshape(), arguments=given, input=whole)

    def _recipe(
        self, step: WorkflowStep, recipe: Recipe, path: Path, models: Models
    ) -> Draft:
        arguments = self._arguments(step, recipe, path)
        if recipe.needs == "none" and recipe.engine.model is None:
            return self._save(step, recipe, path, arguments)
        engines = RecipeEngines(recipe, step, self.catalog, models, path).choose()
        self._options(step, recipe, path)
        return Draft(
            step=step,
            path=path,
            work=Infer(engines=engines),
            recipe=recipe,
            arguments=arguments,
            input=arguments.get(recipe.main),
        )

    def _options(self, step: WorkflowStep, recipe: Recipe, path: Path) -> None:
        """Note each name in a step's own options that its recipe does not have."""
        with suppress(TemplateError):  # noted where the engine is made
            for template in templates_in(parse_tree(dict(step.options))):
                for name in sorted(template.roots - {*recipe.parameters, "input"}):
                    self.problems.add(
                        "workflow.unknown-parameter",
                        f"an option of step {step.id!r} reads {name!r}; beside `uses` "
                        f"it can only read the parameters of {recipe.name!r}",
                        (*path, "options"),
                        mend=did_you_mean(name, recipe.parameters),
                    )

    def _save(
        self,
        step: WorkflowStep,
        recipe: Recipe,
        path: Path,
        arguments: dict[str, Tree],
    ) -> Draft:
        target = arguments.pop("path", None)
        overwrite = arguments.pop("overwrite", False)
        template = target if isinstance(target, Template) else parse_template("")
        return Draft(
            step=step,
            path=path,
            work=Save(path=template, overwrite=overwrite is True),
            recipe=recipe,
            input=arguments.get(recipe.main),
        )

    def _arguments(
        self, step: WorkflowStep, recipe: Recipe, path: Path
    ) -> dict[str, Tree]:
        given = dict(step.arguments)
        if "model" not in recipe.parameters:
            given.pop("model", None)
        if step.input is not None:
            given.setdefault(recipe.main, step.input)
        for name in given:
            if name not in recipe.parameters:
                self.problems.add(
                    "workflow.unknown-parameter",
                    f"the recipe {recipe.name!r} has no parameter {name!r}",
                    (*path, "with", name),
                    mend=did_you_mean(name, recipe.parameters),
                )
        found: dict[str, Tree] = {}
        for name, parameter in recipe.parameters.items():
            place = (*path, "with", name)
            if name in given:
                found[name] = self.problems.parse(given[name], place)
                self._choice(found[name], parameter, name, place)
            elif parameter.optional or parameter.default is not None:
                found[name] = parse_tree(parameter.default)
            else:
                self.problems.add(
                    "workflow.missing-parameter",
                    f"step {step.id!r} does not give {name!r} to {recipe.name!r}",
                    path,
                    mend=f"add `with: {{ {name}: … }}`",
                )
        return found

    def _choice(self, tree: Tree, parameter: Parameter, name: str, path: Path) -> None:
        literal = tree.source if isinstance(tree, Template) and not tree.names else tree
        if not parameter.choices or not isinstance(literal, str):
            return
        if literal not in parameter.choices:
            self.problems.add(
                "workflow.unknown-choice",
                f"{name!r} cannot be {literal!r}",
                path,
                mend=did_you_mean(literal, parameter.choices),
            )

    def _template(self, text: str | None, path: Path) -> Template | None:
        tree = self.problems.parse(text, path)
        return tree if isinstance(tree, Template) else None


def resolve_needs(
    drafts: Mapping[StepId, Draft], inputs: Mapping[str, object], problems: Problems
) -> None:
    """Fill in what each draft needs; note each name that does not exist."""
    for draft in drafts.values():
        for path, template in draft.templates():
            for name in sorted(template.names):
                root, _, rest = name.partition(".")
                if root == "inputs":
                    field_name = rest.partition(".")[0]
                    if rest and field_name not in inputs:
                        unknown_name(
                            draft.step.id,
                            name,
                            path,
                            problems,
                            [f"inputs.{each}" for each in inputs],
                        )
                elif root in _OWN_NAMES:
                    _own_name(draft, root, path, problems)
                elif root in drafts:
                    draft.needs.add(StepId(root))
                else:
                    known = [*drafts, *(f"inputs.{each}" for each in inputs)]
                    unknown_name(draft.step.id, root, path, problems, known)


def unknown_name(
    step: str, name: str, path: Path, problems: Problems, known: list[str]
) -> None:
    """Note that a template reads something that does not exist."""
    inputs = [each for each in known if each == f"inputs.{name}"]
    problems.add(
        "workflow.unknown-step",
        f"step {step!r} needs {name!r}, which does not exist",
        path,
        mend=f"did you mean {inputs[0]!r}?" if inputs else did_you_mean(name, known),
    )


def _own_name(draft: Draft, root: str, path: Path, problems: Problems) -> None:
    before_loop = path[2] in ("for_each", "when")
    if root in ("item", "index") and (draft.for_each is None or before_loop):
        problems.add(
            "workflow.no-loop",
            f"step {draft.step.id!r} reads {root!r} outside a `for_each`",
            path,
            mend="add `for_each:` to the step"
            if draft.for_each is None
            else f"`{path[2]}` is worked out once, before the loop",
        )
    if root == "input" and draft.step.input is None:
        problems.add(
            "workflow.no-input",
            f"step {draft.step.id!r} reads 'input' but has none",
            path,
            mend="add `input:` to the step, or read `inputs.NAME`",
        )
