# SPDX-License-Identifier: Apache-2.0
"""One call of a chain: what its name stands for, and where its words go."""

import re
from collections.abc import Callable, Mapping
from typing import Final, get_args

from msgspec import Struct, field
from msgspec.structs import replace

from lao.chain.tokens import Faults, Token, Words, quote
from lao.chain.words import (
    SETTINGS,
    Keyed,
    decoded,
    literal,
    read_seconds,
    split_words,
)
from lao.errors import LaoError, did_you_mean, nearest
from lao.workflow.local_models import EmbeddedName, ModelBackend, parse_model, sort_of
from lao.workflow.plugins import PluginManifest
from lao.workflow.steps import Parameter, Recipe, Retry
from lao.workflow.template import TemplateError, parse_template
from lao.workflow.values import JSON, TEXT, JsonValue, list_of

_MAIN: Final = "input"
MODEL_KINDS: Final = (
    "ollama:",
    "llama.cpp:",
    "whisper.cpp:",
    "custom:",
    "embedded:",
    "plugin:",
)


class Prompt(Struct, frozen=True, kw_only=True):
    """A prompt template from a file of the user's (`@FILE`)."""

    name: str
    text: str


class Settings(Struct, frozen=True, kw_only=True):
    """How a step runs, whatever it does."""

    model: ModelBackend | None = None
    timeout: float | None = None
    retry: Retry = field(default_factory=Retry)


Does = Recipe | PluginManifest | ModelBackend | Prompt


class Call(Struct, frozen=True, kw_only=True):
    """One call, its words in place. `own` is an input that it brings itself.

    `values` are a recipe's arguments, a plugin's parameters or a model's options,
    `spans` where each key stands, "" being the name.
    """

    name: Token
    does: Does
    own: Token | None = None
    instruction: str = ""
    values: Mapping[str, JsonValue] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    spans: Mapping[str, tuple[int, int]] = field(default_factory=dict)


class CallReader(Struct, frozen=True):
    """Reads calls; what is wrong goes to `faults`."""

    recipes: Mapping[str, Recipe]
    plugins: Mapping[str, PluginManifest]
    read_text: Callable[[str], str]
    faults: Faults

    def read(self, words: Words, *, may_bring_input: bool) -> Call | None:
        """Return the call, or None after noting why its name means nothing."""
        name, *rest = words
        does = self._resolve(name)
        if does is None:
            return None
        if isinstance(does, Recipe):
            return self._recipe(name, does, rest, may_bring_input=may_bring_input)
        if isinstance(does, PluginManifest):
            return self._plugin(name, does, rest, may_bring_input=may_bring_input)
        return self._model(name, does, rest, may_bring_input=may_bring_input)

    def _resolve(self, name: Token) -> Does | None:
        span = (name.start, name.end)
        try:
            if name.value in self.recipes:
                return self.recipes[name.value]
            plugin = name.value.removeprefix("plugin:")
            if plugin in self.plugins:
                return self.plugins[plugin]
        except LaoError as error:
            self.faults.found.extend(error.problems)
            return None
        if name.value.startswith("@"):
            return self._prompt(name)
        kind, colon, rest = name.value.partition(":")
        if kind + colon not in MODEL_KINDS:
            what = f"no recipe or plugin is called {name.value!r}"
            close = nearest(kind + colon, MODEL_KINDS) if colon else None
            mend = f"did you mean {close + rest!r}?" if close else ""
            known = [*self.recipes, *self.plugins, *MODEL_KINDS]
            mend = mend or did_you_mean(name.value, known)
            self.faults.add("unknown-recipe", what, span, mend=mend)
            return None
        model = parse_model(name.value) if rest.strip() else None
        if model is None:
            embedded = kind == "embedded" and rest
            what = f"{name.value!r} does not name a model"
            mend = f"write `{kind}:` and then the model's name or path"
            if embedded:
                mend = did_you_mean(rest, get_args(EmbeddedName))
            self.faults.add("unknown-model", what, span, mend=mend)
        return model

    def _prompt(self, name: Token) -> Prompt | None:
        path, span = name.value[1:], (name.start, name.end)
        try:
            text = self.read_text(path)
            parse_template(text)
        except TemplateError as error:
            what = f"line {error.line} of the template {path!r}: {error.what}"
            mend = "the material is {{ input }}; other braces go in {% raw %}"
            self.faults.add("invalid-template", what, span, mend=mend)
            return None
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            what = f"the template {path!r} cannot be read: {reason}"
            mend = "give the path of a text file, such as @prompts/tidy.md"
            self.faults.add("unreadable-template", what, span, mend=mend)
            return None
        return Prompt(name=path, text=text)

    def _plugin(
        self,
        name: Token,
        plugin: PluginManifest,
        rest: list[Token],
        *,
        may_bring_input: bool,
    ) -> Call:
        """Read the words of a plugin as those of a recipe with its parameters."""
        as_recipe = Recipe(
            name=plugin.name,
            description=plugin.description,
            main=_MAIN,
            parameters=_parameters(plugin),
        )
        call = self._recipe(name, as_recipe, rest, may_bring_input=may_bring_input)
        if call.settings.model is not None:
            what = f"the plugin {plugin.name!r} asks no other model"
            span = (name.start, name.end)
            self.faults.add("unknown-parameter", what, span, mend="drop --model")
        return replace(call, does=plugin)

    def _noun(self, name: str) -> str:
        return "recipe" if name in self.recipes else "plugin"

    def _recipe(
        self, name: Token, recipe: Recipe, rest: list[Token], *, may_bring_input: bool
    ) -> Call:
        known = recipe.parameters
        flags = {key for key, each in known.items() if isinstance(each.default, bool)}
        words, keyed = split_words(rest, flags, self.faults)
        settings = self._settings(keyed)
        own = self._main(recipe.main, keyed, may_bring_input=may_bring_input)
        self._refuse_unknown(recipe, keyed)
        free = [key for key in known if key != recipe.main and key not in keyed]
        required = [key for key in free if _is_required(known[key])]
        if may_bring_input and own is None and len(words) > len(required):
            own = words.pop(0)
        order = required + [key for key in free if key not in required]
        self._refuse_extra(name, words[len(order) :])
        for key in required[len(words) :]:
            noun = self._noun(recipe.name)
            what = f"the {noun} {recipe.name!r} is not given {key!r}"
            mend = f"add --{key} and a value: {known[key].description}".rstrip(": ")
            span = (name.start, name.end)
            self.faults.add("missing-parameter", what, span, mend=mend)
        values: dict[str, JsonValue] = {}
        spans = {"": (name.start, name.end)}
        for key, word in zip(order, words, strict=False):
            values[key], spans[key] = (
                _argument(known[key], word),
                (word.start, word.end),
            )
        for key, each in keyed.items():
            if key in known and key != recipe.main:
                values[key], spans[key] = _argument(known[key], each.value), each.span
        values = {key: values[key] for key in known if key in values}
        return Call(
            name=name,
            does=recipe,
            own=own,
            values=values,
            settings=settings,
            spans=spans,
        )

    def _model(
        self,
        name: Token,
        does: ModelBackend | Prompt,
        rest: list[Token],
        *,
        may_bring_input: bool,
    ) -> Call:
        words, keyed = split_words(rest, None, self.faults)
        if not isinstance(does, Prompt) and "model" in keyed:
            what = f"{name.value!r} is a model already"
            mend = "drop --model, or name a recipe or an @template instead"
            self.faults.add(
                "model-given-twice", what, keyed.pop("model").span, mend=mend
            )
        settings = self._settings(keyed)
        takes_prompt = not isinstance(does, Prompt) and sort_of(does) == "chat"
        instruction = words.pop(0).value if takes_prompt and words else ""
        own = words.pop(0) if may_bring_input and words else None
        self._refuse_extra(name, words)
        return Call(
            name=name,
            does=does,
            own=own,
            instruction=instruction,
            values={
                key: True if each.value is None else decoded(each.value.value)
                for key, each in keyed.items()
            },
            settings=settings,
            spans={
                "": (name.start, name.end),
                **{key: each.span for key, each in keyed.items()},
            },
        )

    def _settings(self, keyed: dict[str, Keyed]) -> Settings:
        """Take out of `keyed` what says how the step runs."""
        given = {key: keyed.pop(key) for key in SETTINGS if key in keyed}
        model, timeout, attempts = None, None, 1
        for key, each in given.items():
            value = each.value.value if each.value is not None else ""
            if not value:
                continue
            match key:
                case "model":
                    model = parse_model(value)
                    mend = "write ollama:NAME, llama.cpp:PATH or embedded:NAME"
                    fine = model is not None
                case "timeout":
                    timeout = read_seconds(value)
                    mend, fine = "write 500ms, 30s, 5m or 1h", bool(timeout)
                case _:
                    attempts = int(value) if re.fullmatch("[1-9][0-9]?", value) else 0
                    mend, fine = "write how often to try: 1 to 99", attempts > 0
            if not fine:
                what = f"{key!r} cannot be {value!r}"
                self.faults.add("invalid-value", what, each.span, mend=mend)
        return Settings(model=model, timeout=timeout, retry=Retry(attempts=attempts))

    def _main(
        self, main: str, keyed: Mapping[str, Keyed], *, may_bring_input: bool
    ) -> Token | None:
        each = keyed.get(main)
        if each is not None and not may_bring_input:
            what = f"{main!r} is already what comes down the pipe"
            mend = f"drop --{main}, or make this the first stage"
            self.faults.add("input-given-twice", what, each.span, mend=mend)
        return each.value if each is not None else None

    def _refuse_unknown(self, recipe: Recipe, keyed: Mapping[str, Keyed]) -> None:
        known = [*recipe.parameters, *SETTINGS]
        for key, each in keyed.items():
            if key not in recipe.parameters:
                noun = self._noun(recipe.name)
                what = f"the {noun} {recipe.name!r} has no parameter {key!r}"
                mend = did_you_mean(key, known)
                self.faults.add("unknown-parameter", what, each.span, mend=mend)

    def _refuse_extra(self, name: Token, words: list[Token]) -> None:
        if words:
            what = f"{name.value!r} does not know what to do with {words[0].value!r}"
            together = quote(" ".join(word.value for word in words))
            mend = f"drop it; a text of several words goes in quotes: {together[:60]}"
            span = (words[0].start, words[-1].end)
            self.faults.add("too-many-words", what, span, mend=mend)


def _parameters(plugin: PluginManifest) -> dict[str, Parameter]:
    """Return the parameters of a plugin as a recipe declares its own."""
    found = {_MAIN: Parameter(type=plugin.input)}
    for name, schema in plugin.properties.items():
        kind, default = schema.get("type"), schema.get("default")
        if kind == "boolean" and default is None:
            default = False  # so that it may stand without a value
        items = schema.get("items")
        texts = isinstance(items, dict) and items.get("type") == "string"
        types = {"string": TEXT, "array": list_of(TEXT) if texts else JSON}
        found[name] = Parameter(
            type=types.get(str(kind), JSON),
            description=str(schema.get("description", "")),
            default=default,
            optional=name not in plugin.required,
        )
    return found


def _argument(parameter: Parameter, word: Token | None) -> JsonValue:
    if word is None:
        return True
    if parameter.type == TEXT:
        return literal(word.value)
    if parameter.type == list_of(TEXT):
        parts = [part.strip() for part in word.value.split(",")]
        return [literal(part) for part in parts if part]
    return decoded(word.value)


def _is_required(parameter: Parameter) -> bool:
    return parameter.default is None and not parameter.optional
