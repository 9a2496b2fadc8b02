# SPDX-License-Identifier: Apache-2.0
"""The local kinds of model: a closed union. There is no remote kind, by type.

Adding a kind here makes every `match` that ends in `assert_never` fail to
type-check until it says what the new kind means; a remote kind would have nothing
to say that `LoopbackEndpoint` allows.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from lao.policy import LoopbackEndpoint
from lao.workflow.values import JsonValue

Options = Mapping[str, JsonValue]


class Ollama(Struct, frozen=True, kw_only=True):
    """A model on an Ollama server of this machine (`endpoint` None: the configured one).

    `think` is None (the model's default), a boolean, or "low" | "medium" | "high".
    `keep_alive` is a Go duration ("5m") or seconds. `mode` chooses the endpoint.
    """

    model: str
    endpoint: LoopbackEndpoint | None = None
    options: Options = field(default_factory=dict)
    keep_alive: str | int | None = None
    think: bool | str | None = None
    mode: Literal["chat", "generate"] = "chat"
    kind: Literal["ollama"] = "ollama"


class WhisperCpp(Struct, frozen=True, kw_only=True):
    """A whisper.cpp model file; `program` runs `whisper-cli` at that path instead."""

    model_path: str
    program: str | None = None
    options: Options = field(default_factory=dict)
    kind: Literal["whisper.cpp"] = "whisper.cpp"


class LlamaCpp(Struct, frozen=True, kw_only=True):
    """A GGUF file, run by llama.cpp in a worker process."""

    model_path: str
    options: Options = field(default_factory=dict)
    kind: Literal["llama.cpp"] = "llama.cpp"


EmbeddedName = Literal["speech", "summary", "entities", "redact"]


class Embedded(Struct, frozen=True, kw_only=True):
    """A model that ships with LAO and needs no download."""

    name: EmbeddedName
    options: Options = field(default_factory=dict)
    kind: Literal["embedded"] = "embedded"


class Custom(Struct, frozen=True, kw_only=True):
    """A `LocalModel` in a Python file of the user's: `plugin` is `path.py[:Class]`.

    `readable` are further files and folders that it may read.
    """

    plugin: str
    readable: tuple[str, ...] = ()
    options: Options = field(default_factory=dict)
    kind: Literal["custom"] = "custom"


class Installed(Struct, frozen=True, kw_only=True):
    """A plugin that was added with `lao plugin add`, by its name."""

    name: str
    options: Options = field(default_factory=dict)
    kind: Literal["plugin"] = "plugin"


ModelBackend = Ollama | WhisperCpp | LlamaCpp | Embedded | Custom | Installed


def label(model: ModelBackend) -> str:
    """Return a short name for people, such as `ollama:llama3.2`."""
    match model:
        case Ollama():
            return f"ollama:{model.model}"
        case WhisperCpp() | LlamaCpp():
            return f"{model.kind}:{model.model_path}"
        case Embedded():
            return f"embedded:{model.name}"
        case Custom():
            return f"custom:{model.plugin}"
        case Installed():
            return f"plugin:{model.name}"


Sort = Literal["chat", "speech", "text", "any"]


def sort_of(model: ModelBackend) -> Sort:
    """Return what a model is good for; "text" models read text but take no prompt."""
    match model:
        case Ollama() | LlamaCpp():
            return "chat"
        case WhisperCpp():
            return "speech"
        case Embedded():
            return "speech" if model.name == "speech" else "text"
        case Custom() | Installed():
            return "any"


def parse_model(text: str) -> ModelBackend | None:
    """Read a model as the command line writes it; None if it is none.

    `ollama:NAME`, `llama.cpp:PATH`, `whisper.cpp:PATH`, `embedded:NAME`,
    `custom:PATH` and `plugin:NAME` say their kind; `….gguf` is llama.cpp's, `ggml-….bin` is
    whisper.cpp's, and every other name is a model of Ollama.
    """
    kind, colon, rest = text.partition(":")
    if colon and rest:
        match kind:
            case "ollama":
                return Ollama(model=rest)
            case "llama.cpp":
                return LlamaCpp(model_path=rest)
            case "whisper.cpp":
                return WhisperCpp(model_path=rest)
            case "custom":
                return Custom(plugin=rest)
            case "plugin":
                return Installed(name=rest)
            case "embedded":
                return _embedded(rest)
            case _:
                pass
    if text.endswith(".gguf"):
        return LlamaCpp(model_path=text)
    if text.endswith(".bin"):
        return WhisperCpp(model_path=text)
    return Ollama(model=text) if text.strip() else None


def _embedded(name: str) -> Embedded | None:
    match name:
        case "speech" | "summary" | "entities" | "redact":
            return Embedded(name=name)
        case _:
            return None
