# SPDX-License-Identifier: Apache-2.0
"""The options of a llama.cpp model: Ollama's names, checked, in llama.cpp's words."""

from collections.abc import Mapping
from typing import Final

from lao.errors import did_you_mean
from lao.workflow.inference import ModelProblem
from lao.workflow.values import JsonValue

Options = Mapping[str, JsonValue]

LOAD_OPTIONS: Final = frozenset({"num_ctx", "num_gpu", "num_thread"})
"""Options that a model is loaded with; a change of one loads it anew."""

_LARGEST: Final = (1 << 31) - 1
_FLOATS: Final = {
    "frequency_penalty": "frequency_penalty",
    "min_p": "min_p",
    "presence_penalty": "presence_penalty",
    "repeat_penalty": "repeat_penalty",
    "temperature": "temperature",
    "top_p": "top_p",
    "typical_p": "typical_p",
}
_INTEGERS: Final = {
    "num_predict": "max_tokens",
    "repeat_last_n": "repeat_last_n",
    "seed": "seed",
    "top_k": "top_k",
}


def sampling(options: Options) -> dict[str, JsonValue]:
    """Return the options of one request as llama.cpp's chat completion takes them.

    llama.cpp itself overlooks unknown names and some wrong types.

    Raises:
        ModelProblem: `llama.unknown-option` or `llama.bad-option`.
    """
    body: dict[str, JsonValue] = {}
    for name, value in options.items():
        if name in LOAD_OPTIONS:
            continue  # the model has been loaded with it
        if name in _FLOATS:
            body[_FLOATS[name]] = _number(name, value)
        elif name in _INTEGERS:
            body[_INTEGERS[name]] = integer(options, name)
        elif name == "stop":
            body["stop"] = _texts(value)
        else:
            raise _unknown(name)
    limit = body.get("max_tokens")
    if limit == -1:  # as in Ollama: no limit
        del body["max_tokens"]
    elif isinstance(limit, int) and limit < 1:
        raise _bad("num_predict", limit, "a number from 1, or -1 for no limit")
    return body


def integer(options: Options, name: str, *, least: int | None = None) -> int | None:
    """Return a whole number among `options`; None if it is not given.

    Raises:
        ModelProblem: `llama.bad-option`.
    """
    value = options.get(name)
    if value is None:
        return None
    lowest = -_LARGEST if least is None else least
    if (
        isinstance(value, int)
        and not isinstance(value, bool)
        and lowest <= value <= _LARGEST
    ):
        return value
    wanted = "a whole number" if least is None else f"a whole number from {least}"
    raise _bad(name, value, wanted)


def _number(name: str, value: JsonValue) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _bad(name, value, "a number")
    return value


def _texts(value: JsonValue) -> list[JsonValue]:
    texts: list[JsonValue] = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str) and text for text in texts):
        raise _bad("stop", value, "a text, or a list of texts")
    return texts


def _bad(name: str, value: JsonValue, wanted: str) -> ModelProblem:
    return ModelProblem(
        "llama.bad-option",
        f"the option {name!r} cannot be {value!r}",
        mend=f"give it {wanted}",
    )


def _unknown(name: str) -> ModelProblem:
    known = {*LOAD_OPTIONS, *_FLOATS, *_INTEGERS, "stop"}
    return ModelProblem(
        "llama.unknown-option",
        f"llama.cpp models have no option {name!r}",
        mend=did_you_mean(name, known),
    )
