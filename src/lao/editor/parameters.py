# SPDX-License-Identifier: Apache-2.0
"""What a person can set: of every step, of a recipe, of a plugin, of a kind of model."""

from collections.abc import Iterator, Mapping
from typing import Final

from lao.editor.palette_messages import ParameterView
from lao.editor.ports import SINGLE, must_be_given
from lao.workflow.plugins import PluginManifest
from lao.workflow.steps import Recipe
from lao.workflow.values import JsonValue

Options = tuple[ParameterView, ...]


def _of_step(
    *path: str, sort: str, about: str, default: JsonValue = None
) -> ParameterView:
    return ParameterView(
        name=".".join(path),
        path=list(path),
        type=sort,
        description=about,
        default=default,
    )


def _choice(*path: str, about: str, choices: list[str], default: str) -> ParameterView:
    return ParameterView(
        name=".".join(path),
        path=list(path),
        type="text",
        description=about,
        default=default,
        choices=choices,
    )


EVERY_STEP: Final[Options] = (
    _of_step("when", sort="template", about="The step is skipped where this is false"),
    _of_step("for_each", sort="template", about="A list: the step runs once per item"),
    ParameterView(
        name="retry.attempts",
        path=["retry", "attempts"],
        type="integer",
        description="Tries in all",
        default=1,
        minimum=1,
        maximum=100,
    ),
    _of_step("retry", "backoff", sort="duration", about="The first wait", default="1s"),
    _of_step("timeout", sort="duration", about="The longest one try may take"),
    _choice(
        "on_error",
        about="What to do when every try failed",
        choices=["fail", "skip"],
        default="fail",
    ),
    _choice(
        "cache",
        about="Whether a result that is known already is used",
        choices=["auto", "off", "refresh"],
        default="auto",
    ),
    _of_step("default", sort="json", about="The output when the step is skipped"),
    _choice(
        "output",
        "type",
        about="What must come out",
        choices=[*map(str, SINGLE[:2]), "list[text]", "list[json]"],
        default="text",
    ),
    _of_step("output", "schema", sort="schema", about="The shape of JSON output"),
)
"""What every step has."""

ASKED: Final[Options] = (
    _of_step("model", sort="model", about="The model to ask"),
    _of_step("prompt_template", sort="template", about="The prompt, with {{ names }}"),
    _of_step("system", sort="template", about="The system prompt"),
)
"""What a step that asks a language model has."""


_Bounds = tuple[float | None, float | None]


def _option(
    name: str,
    sort: str,
    about: str,
    bounds: _Bounds = (None, None),
    choices: tuple[str, ...] = (),
) -> ParameterView:
    least, most = bounds
    return ParameterView(
        name=name,
        path=["options", name],
        type=sort,
        description=about,
        minimum=least,
        maximum=most,
        choices=list(choices),
    )


_CHAT: Final[Options] = (
    _option("temperature", "number", "How much chance; 0 is none", (0, None)),
    _option("num_predict", "integer", "The most tokens; -1 is no limit", (-1, None)),
    _option("num_ctx", "integer", "Tokens that it keeps in view", (1, None)),
    _option("seed", "integer", "The same seed gives the same answer"),
    _option("top_p", "number", "The likeliest tokens, to this sum", (0, 1)),
    _option("top_k", "integer", "The likeliest tokens, this many", (0, None)),
    _option("min_p", "number", "Least likelihood of a token", (0, 1)),
    _option("typical_p", "number", "How typical a token is", (0, 1)),
    _option("repeat_penalty", "number", "Above 1 repeats less", (0, None)),
    _option("repeat_last_n", "integer", "Tokens that count as repeated", (-1, None)),
    _option("presence_penalty", "number", "Less of what was said"),
    _option("frequency_penalty", "number", "Less of what was said often"),
    _option("stop", "list[text]", "Texts that end the answer"),
    _option("num_gpu", "integer", "Layers on the graphics card", (-1, None)),
    _option("num_thread", "integer", "Processor threads", (1, None)),
)
_SPEECH_OUTPUT = _option(
    "output",
    "text",
    "Plain text, timed segments as JSON, or subtitles",
    choices=("text", "segments", "srt", "vtt"),
)
MODEL_OPTIONS: Final[Mapping[str, Options]] = {
    "ollama": _CHAT,
    "llama.cpp": _CHAT,
    "whisper.cpp": (
        _SPEECH_OUTPUT,
        _option("language", "text", "A code such as en, or auto"),
        _option("translate", "flag", "Into English"),
        _option("vad", "flag", "Leave silence out"),
        _option("vad_model_path", "path", "A voice activity model"),
        _option("beam_size", "integer", "Ways followed", (0, 8)),
        _option("temperature", "number", "How much chance", (0, 1)),
        _option("initial_prompt", "text", "Words to expect, such as names"),
        _option("num_thread", "integer", "Processor threads", (0, 64)),
    ),
    "embedded:speech": (_SPEECH_OUTPUT,),
    "embedded:summary": (
        _option("sentences", "integer", "The most sentences", (1, 50)),
        _option("style", "text", "How it is set", choices=("bullets", "paragraph")),
    ),
    "embedded:entities": (),
    "embedded:redact": (
        _option("kinds", "list[text]", "What to hide; everything if left out"),
        _option("mask", "text", "What stands for it", choices=("label", "block")),
    ),
}
"""The options of each kind of model, by the runtimes' own names."""


def of_recipe(recipe: Recipe) -> Iterator[ParameterView]:
    """Yield a recipe's parameters, in the order of its file."""
    for name, each in recipe.parameters.items():
        yield ParameterView(
            name=name,
            path=["with", name],
            type=_sort_of(each.default) or str(each.type),
            description=each.description,
            default=each.default,
            is_required=must_be_given(each),
            choices=list(each.choices),
        )


def _sort_of(default: JsonValue) -> str:
    """Return what a parameter of JSON is, as far as its default tells."""
    match default:
        case bool():
            return "flag"
        case int():
            return "integer"
        case float():
            return "number"
        case _:
            return ""


_SORTS: Final[Mapping[JsonValue, str]] = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "flag",
}


def of_plugin(manifest: PluginManifest) -> Iterator[ParameterView]:
    """Yield a plugin's parameters, as its manifest describes them."""
    key = "options" if manifest.kind == "model" else "with"
    for name, schema in manifest.properties.items():
        choices = schema.get("enum")
        kind = schema.get("type")
        yield ParameterView(
            name=name,
            path=[key, name],
            type=_SORTS.get(kind, "json") if isinstance(kind, str) else "json",
            description=_text(schema.get("description")),
            default=schema.get("default"),
            is_required=name in manifest.required and name not in manifest.defaults,
            choices=_texts(choices),
            minimum=_number(schema.get("minimum")),
            maximum=_number(schema.get("maximum")),
        )


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: JsonValue) -> list[str]:
    if not isinstance(value, list):
        return []
    texts = [each for each in value if isinstance(each, str)]
    return texts if len(texts) == len(value) else []


def _number(value: JsonValue) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None  # type: ignore[arg-type]  # asked above
