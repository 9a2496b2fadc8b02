# SPDX-License-Identifier: Apache-2.0
"""How a workflow file writes a local model, under `models` or inside a step."""

from collections.abc import Mapping
from typing import Final, get_args

from lao.errors import RefusedByPolicy
from lao.policy import LoopbackEndpoint
from lao.workflow.local_models import (
    Custom,
    Embedded,
    EmbeddedName,
    Installed,
    LlamaCpp,
    ModelBackend,
    Ollama,
    WhisperCpp,
)
from lao.workflow.nodes import Node, Problems
from lao.workflow.shapes import (
    FAILED,
    Choice,
    Either,
    Failed,
    Field,
    Flag,
    Integer,
    Json,
    ListOf,
    MapOf,
    OneOfByKind,
    Record,
    Reference,
    Refined,
    Refusal,
    Shape,
    Text,
)

_REMOTE: Final = frozenset(
    [
        "anthropic",
        "api",
        "azure",
        "bedrock",
        "claude",
        "cohere",
        "deepseek",
        "fireworks",
        "gemini",
        "google",
        "gpt",
        "groq",
        "http",
        "https",
        "huggingface",
        "litellm",
        "mistral",
        "openai",
        "openrouter",
        "perplexity",
        "remote",
        "replicate",
        "rest",
        "together",
        "url",
        "vertex",
        "vllm",
        "web",
        "xai",
    ]
)


def _refuse_remote(kind: str) -> Refusal | None:
    words = kind.lower().replace("_", "-").replace(".", "-").split("-")
    if not _REMOTE.intersection(words) and "://" not in kind:
        return None
    return Refusal(
        "policy.no-remote-kind",
        f"there is no remote kind such as {kind!r}: "
        "LAO runs models on this machine only",
        "use a local kind: " + ", ".join(_KINDS),
    )


def _endpoint(text: str, node: Node, problems: Problems) -> LoopbackEndpoint | Failed:
    try:
        return LoopbackEndpoint(text)
    except RefusedByPolicy as error:
        refused = error.problem
        problems.add(refused.code, refused.what, node.place, refused.mend)
        return FAILED


NAMED_TEXT: Final = Text(min_length=1)
OPTIONS: Final = MapOf(Json())
_OPTIONS_FIELD = Field("options", OPTIONS, "What the runtime is told, as it names it")
_PATH = Text(expects="a path", min_length=1)
_MODEL_PATH = Field(
    "model_path", _PATH, "The model's file; relative to the workflow file", True
)
_KEEP_ALIVE: Shape[str | int] = Either(
    {
        "text": Text(expects='a time such as "5m"', pattern=r"-?[0-9]+(ms|s|m|h)"),
        "number": Integer(expects="whole seconds"),
    }
)
_THINK: Shape[str | bool] = Either(
    {"flag": Flag(), "text": Choice(("low", "medium", "high"))}
)
_ENDPOINT = Refined(
    Text(expects="the address of a server on this machine"),
    _endpoint,
    {"pattern": r"^(http://(127\.0\.0\.1|\[::1\]):[1-9][0-9]{0,4}|unix:/.+)$"},
)
_OLLAMA = Record(
    Ollama,
    [
        Field(
            "model", NAMED_TEXT, "The model's name, as `ollama list` prints it", True
        ),
        Field(
            "endpoint",
            _ENDPOINT,
            "http://127.0.0.1:PORT, http://[::1]:PORT or unix:/path",
        ),
        _OPTIONS_FIELD,
        Field("keep_alive", _KEEP_ALIVE, "How long the server keeps the model loaded"),
        Field("think", _THINK, "Whether, or how much, a thinking model thinks"),
        Field("mode", Choice(("chat", "generate")), "Which of the server's doors"),
    ],
    "A model on an Ollama server of this machine.",
)
_WHISPER = Record(
    WhisperCpp,
    [
        _MODEL_PATH,
        Field("program", _PATH, "A whisper-cli to run instead of the library"),
        _OPTIONS_FIELD,
    ],
    "A whisper.cpp speech model.",
)
_LLAMA = Record(
    LlamaCpp, [_MODEL_PATH, _OPTIONS_FIELD], "A GGUF file, run by llama.cpp."
)
_EMBEDDED = Record(
    Embedded,
    [
        Field("name", Choice(get_args(EmbeddedName)), "Which of them", True),
        _OPTIONS_FIELD,
    ],
    "A model that ships with LAO.",
)
_CUSTOM = Record(
    Custom,
    [
        Field(
            "plugin",
            _PATH,
            "A Python file of yours: `path.py` or `path.py:Class`",
            True,
        ),
        Field("readable", ListOf(_PATH), "Further files and folders that it may read"),
        _OPTIONS_FIELD,
    ],
    "A model in a Python file of yours, run in a locked worker.",
)
_INSTALLED = Record(
    Installed,
    [
        Field("name", NAMED_TEXT, "Its name, as `lao plugins` prints it", True),
        _OPTIONS_FIELD,
    ],
    "A model that is a plugin, run in a locked worker.",
)
_KINDS: Mapping[str, Record[ModelBackend]] = {
    "ollama": _OLLAMA,
    "whisper.cpp": _WHISPER,
    "llama.cpp": _LLAMA,
    "embedded": _EMBEDDED,
    "custom": _CUSTOM,
    "plugin": _INSTALLED,
}
MODEL: Final[Reference[ModelBackend]] = Reference(
    "model",
    OneOfByKind(_KINDS, _refuse_remote, "a model: a mapping with a `kind`"),
)
