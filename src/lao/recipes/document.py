# SPDX-License-Identifier: Apache-2.0
"""How a recipe file is written, and reading one.

A recipe's name is its file's name. Its templates see its parameters by name; paths
of prompts are relative to the recipe's folder and stay inside it.
"""

from pathlib import Path
from typing import Final, Literal

from msgspec import Struct, field

from lao.errors import Place, did_you_mean
from lao.files import OutsideError, read_beneath, read_regular
from lao.workflow.kept_nodes import KeptNodes
from lao.workflow.local_models import ModelBackend
from lao.workflow.model_shapes import MODEL, OPTIONS
from lao.workflow.nodes import Node, Problems
from lao.workflow.output_shapes import OUTPUT
from lao.workflow.shapes import (
    FAILED,
    Choice,
    Field,
    Flag,
    Json,
    ListOf,
    MapOf,
    Record,
    Refined,
    Shape,
    Text,
    ValueTypeShape,
)
from lao.workflow.source import read_yaml
from lao.workflow.steps import Output, Parameter, Recipe, RecipeEngine
from lao.workflow.values import JsonValue

_LARGEST_PROMPT: Final = 1 << 20


class _PromptFile(Struct, frozen=True):
    """A prompt that stands in a file of its own, and where the recipe says so."""

    path: str
    place: Place


class _Folder(Struct, frozen=True):
    """A recipe's folder. LAO's own is trusted: installers make its files of links."""

    path: Path
    is_trusted: bool

    def read(self, name: str) -> bytes:
        """Return the content of a file in the folder; raises as `read_beneath`."""
        if self.is_trusted:
            return read_regular(self.path / name, limit=_LARGEST_PROMPT)
        return read_beneath(self.path, name, limit=_LARGEST_PROMPT)


class _Engine(Struct, frozen=True, kw_only=True):
    """An engine as its file writes it: prompts not yet read."""

    model: ModelBackend | None = None
    prompt: _PromptFile | None = None
    prompt_template: str | None = None
    system_prompt: _PromptFile | None = None
    system: str | None = None
    input: JsonValue = None
    options: dict[str, JsonValue] = field(default_factory=dict)
    output: Output = field(default_factory=Output)


class _Recipe(Struct, frozen=True, kw_only=True):
    """A recipe as its file writes it."""

    description: str
    main: tuple[str, Place]
    parameters: dict[str, Parameter]
    needs: Literal["chat", "speech", "none"] = "chat"
    engine: _Engine = field(default_factory=_Engine)
    fallback: _Engine | None = None


def _prompt_file(path: str, node: Node, _: Problems) -> _PromptFile:
    return _PromptFile(path, node.place)


def _placed(text: str, node: Node, _: Problems) -> tuple[str, Place]:
    return text, node.place


_NAME = Text(expects="a name of letters, digits and _", pattern="[A-Za-z][A-Za-z0-9_]*")
_FILE = Refined(Text(expects="a path", min_length=1), _prompt_file)
_PARAMETER = Record(
    Parameter,
    [
        Field("type", ValueTypeShape(), "The type of its value"),
        Field("description", Text(), "What it is, for people"),
        Field("default", Json(), "Its value when none is given"),
        Field("optional", Flag(), "Whether it may be left out without a default"),
        Field("choices", ListOf(Text()), "The only values that it may have"),
    ],
)


def _recipe_shape(output: Shape[Output]) -> Record[_Recipe]:
    engine = Record(
        _Engine,
        [
            Field("model", MODEL, "The model that it brings"),
            Field("prompt", _FILE, "The file of the prompt template"),
            Field("prompt_template", Text(), "The prompt template itself"),
            Field("system_prompt", _FILE, "The file of the system prompt"),
            Field("system", Text(), "The system prompt itself"),
            Field("input", Json(), "What a model without a prompt works on"),
            Field("options", OPTIONS, "What the runtime is told"),
            Field("output", output, "What it gives"),
        ],
    )
    return Record(
        _Recipe,
        [
            Field("description", Text(min_length=1), "One sentence for people", True),
            Field("main", Refined(_NAME, _placed), "Gets what a chain pipes in", True),
            Field("parameters", MapOf(_PARAMETER, _NAME), "In order of words", True),
            Field("needs", Choice(("chat", "speech", "none")), "The sort of model"),
            Field("engine", engine, "How a model of that sort carries it out"),
            Field("fallback", engine, "What to use when no model is configured"),
        ],
        "A named, parameterised step.",
    )


RECIPE: Final = _recipe_shape(OUTPUT)
"""A recipe of the user's: its schema is checked, which takes 50 ms once."""

_SHIPPED: Final = _recipe_shape(
    Record(
        Output,
        [Field("type", ValueTypeShape()), Field("schema", MapOf(Json()))],
    )
)


def read_recipe(
    text: str, source: str, *, is_shipped: bool = False, kept: KeptNodes | None = None
) -> Recipe:
    """Read a recipe; `source` is the path of its file.

    A text that is in `kept` is not parsed again. Its prompts are read every time.

    The schemas of shipped recipes are checked by LAO's tests, not here.

    Raises:
        InvalidWorkflow: with every problem found.
    """
    problems = Problems()
    shape = _SHIPPED if is_shipped else RECIPE
    draft = shape.decode(read_yaml(text, source, kept), problems)
    problems.raise_if_any()
    assert draft is not FAILED  # noqa: S101  (FAILED comes with a problem)
    main, place = draft.main
    if main not in draft.parameters:
        what = f"`main` names {main!r}, which is no parameter"
        mend = did_you_mean(main, draft.parameters)
        problems.add("recipe.unknown-main", what, place, mend)
    folder = _Folder(Path(source).parent, is_trusted=is_shipped)
    engine = _engine(draft.engine, folder, problems)
    fallback = None
    if draft.fallback is not None:
        fallback = _engine(draft.fallback, folder, problems)
    problems.raise_if_any()
    return Recipe(
        name=Path(source).stem,
        description=draft.description,
        main=main,
        parameters=draft.parameters,
        needs=draft.needs,
        engine=engine,
        fallback=fallback,
        source=source,
    )


def _engine(draft: _Engine, folder: _Folder, problems: Problems) -> RecipeEngine:
    prompt = _words("prompt_template", draft.prompt, draft.prompt_template, problems)
    system = _words("system", draft.system_prompt, draft.system, problems)
    return RecipeEngine(
        model=draft.model,
        prompt_template=_read(prompt, folder, problems),
        system=_read(system, folder, problems),
        input=draft.input,
        options=draft.options,
        output=draft.output,
    )


def _words(
    name: str, file: _PromptFile | None, text: str | None, problems: Problems
) -> _PromptFile | str | None:
    if file is not None and text is not None:
        what = f"a prompt stands in a file and in `{name}`; it can be in one only"
        problems.add("recipe.two-prompts", what, file.place, f"drop `{name}`")
    return file if file is not None else text


def _read(
    words: _PromptFile | str | None, folder: _Folder, problems: Problems
) -> str | None:
    if not isinstance(words, _PromptFile):
        return words
    try:
        text = folder.read(words.path).decode()
        return text.replace("\r\n", "\n").replace("\r", "\n")
    except OutsideError:
        what = f"the prompt {words.path!r} is outside of the recipe's folder"
        mend = "move it next to the recipe, such as prompts/NAME.md; no links"
        problems.add("recipe.prompt-outside", what, words.place, mend)
    except (OSError, ValueError) as error:
        what = f"the prompt {words.path!r} cannot be read: {reason_of(error)}"
        mend = f"write it to {folder.path / words.path}"
        problems.add("recipe.unreadable-prompt", what, words.place, mend)
    return None


def reason_of(error: OSError | ValueError) -> str:
    """Return why a file of a recipe cannot be read."""
    match error:
        case UnicodeDecodeError():
            return "it is not UTF-8"
        case OSError(strerror=str(reason)):
            return reason
        case _:
            return str(error)
