# SPDX-License-Identifier: Apache-2.0
"""The options of whisper.cpp models: read once, strictly, for both ways to run them."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from lao.backends.opening import open_model_file
from lao.errors import ModelUnavailable, did_you_mean
from lao.workflow.inference import ModelProblem
from lao.workflow.values import JsonValue

_NAMES = (
    "output",
    "language",
    "translate",
    "vad",
    "vad_model_path",
    "beam_size",
    "temperature",
    "initial_prompt",
    "num_thread",
)
# whisper.cpp's own codes: ISO 639, and a few that it has no two letters for.
_LANGUAGES = (
    "af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl "
    "gu ha haw he hi hr ht hu hy id is it ja jw ka kk km kn ko la lb ln lo lt lv mg mi "
    "mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd si sk sl sn so sq sr "
    "su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo yue zh"
)
_USUAL_THREADS = min(4, os.cpu_count() or 1)  # whisper.cpp's own choice
_MOST_THREADS = 64
_MOST_BEAMS = 8  # whisper.cpp's own limit
_VAD_START = b"lmgg\x0a\x00\x00\x00silero-16k"


class WhisperOptions(Struct, frozen=True, kw_only=True):
    """What a step asks of whisper.cpp; `language` may be "auto".

    `vad` leaves silence out: by a voice activity model if `vad_model` is given,
    otherwise by loudness.
    """

    language: str = "auto"
    translate: bool = False
    vad: bool = False
    vad_model: str = ""
    beam_size: int = 0
    temperature: float = 0.0
    initial_prompt: str = ""
    threads: int = _USUAL_THREADS

    def parameters(self, *, language: str, multilingual: bool) -> dict[str, Any]:
        """Return pywhispercpp's parameters: all of them, for it keeps the last ones."""
        return {
            "language": language,
            "translate": self.translate and multilingual,
            "temperature": self.temperature,
            "initial_prompt": self.initial_prompt,
            "n_threads": self.threads,
            "vad": bool(self.vad_model),
            "vad_model_path": self.vad_model,
        }

    def arguments(self) -> list[str]:
        """Return the arguments of `whisper-cli`."""
        found = ["-l", self.language, "-t", str(self.threads)]
        found += ["-tp", str(self.temperature)] if self.temperature else []
        found += ["-bs", str(self.beam_size)] if self.beam_size else []
        found += ["-tr"] if self.translate else []
        found += ["--prompt", self.initial_prompt] if self.initial_prompt else []
        found += ["--vad", "-vm", self.vad_model] if self.vad_model else []
        return found


def read_options(options: Mapping[str, JsonValue]) -> WhisperOptions:
    """Read a step's options.

    Raises:
        ModelProblem: `whisper.unknown-option`, `.bad-option`, `.unknown-language`.
    """
    for name in options:
        if name not in _NAMES:
            raise ModelProblem(
                "whisper.unknown-option",
                f"whisper.cpp models have no option {name!r}",
                mend=did_you_mean(name, _NAMES),
            )
    vad_model = _text(options, "vad_model_path")
    if vad_model:
        require_vad_model(vad_model)
    return WhisperOptions(
        language=_language(options),
        translate=_flag(options, "translate"),
        vad=_flag(options, "vad") or bool(vad_model),
        vad_model=vad_model,
        beam_size=int(_number(options, "beam_size", usual=0, most=_MOST_BEAMS)),
        temperature=_number(options, "temperature", usual=0, most=1),
        initial_prompt=_text(options, "initial_prompt"),
        threads=_threads(options),
    )


def require_vad_model(path: str) -> None:
    """Refuse what is no voice activity model: whisper.cpp would hang on it.

    Raises:
        ModelProblem: `whisper.not-a-vad-model`, or what `open_model_file` says.
    """
    try:
        with open_model_file(Path(path)) as file:
            start = file.read(len(_VAD_START))
    except ModelUnavailable as error:
        raise as_problem(error) from error
    if start != _VAD_START:
        raise ModelProblem(
            "whisper.not-a-vad-model",
            f"{path!r} is not a voice activity model of whisper.cpp",
            mend="give a ggml-silero-….bin file, or leave `vad_model_path` out",
            unavailable=True,
        )


def as_problem(error: ModelUnavailable) -> ModelProblem:
    """Return an error of ours as a model in a worker must raise it."""
    found = error.problem
    return ModelProblem(found.code, found.what, mend=found.mend, unavailable=True)


def _language(options: Mapping[str, JsonValue]) -> str:
    language = (_text(options, "language") or "auto").lower()
    if language != "auto" and language not in _LANGUAGES.split():
        raise ModelProblem(
            "whisper.unknown-language",
            f"whisper.cpp knows no language {language!r}",
            mend="give a code such as en, de or ja, or auto",
        )
    return language


def _threads(options: Mapping[str, JsonValue]) -> int:
    wanted = _number(options, "num_thread", usual=0, most=_MOST_THREADS)
    return int(wanted) or _USUAL_THREADS


def _flag(options: Mapping[str, JsonValue], name: str) -> bool:
    value = options.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise _bad(name, value, "true or false")


def _text(options: Mapping[str, JsonValue], name: str) -> str:
    value = options.get(name)
    if value is None or (isinstance(value, str) and "\0" not in value):
        return value or ""
    raise _bad(name, value, "a text")


def _number(
    options: Mapping[str, JsonValue], name: str, *, usual: float, most: float
) -> float:
    value = options.get(name)
    if value is None:
        return usual
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _bad(name, value, "a number")
    if 0 <= value <= most:
        return value
    raise _bad(name, value, f"a number from 0 to {most:g}")


def _bad(name: str, value: JsonValue, wanted: str) -> ModelProblem:
    return ModelProblem(
        "whisper.bad-option", f"the option {name!r} is {value!r}; it takes {wanted}"
    )
