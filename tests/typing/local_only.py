# SPDX-License-Identifier: Apache-2.0
"""What mypy must accept, and must refuse (strict: an ignore without need is an error)."""

from typing import assert_never, assert_type

from lao.policy import LoopbackEndpoint
from lao.workflow.local_models import (
    Custom,
    Embedded,
    Installed,
    LlamaCpp,
    ModelBackend,
    Ollama,
    WhisperCpp,
    parse_model,
)


def every_kind_of_model_is_named(model: ModelBackend) -> str:
    match model:
        case Ollama() | WhisperCpp() | LlamaCpp() | Embedded() | Custom():
            return model.kind
        case Installed():
            return model.name
        case _:
            assert_never(model)


def a_kind_left_out_is_refused(model: ModelBackend) -> str:
    match model:
        case WhisperCpp() | LlamaCpp() | Embedded() | Custom() | Installed():
            return model.kind
        case _:
            assert_never(model)  # type: ignore[arg-type]  # Ollama is left


def an_endpoint_is_not_a_text() -> None:
    Ollama(model="llama3.2", endpoint=LoopbackEndpoint("http://127.0.0.1:11434"))
    Ollama(model="llama3.2", endpoint="http://example.org")  # type: ignore[arg-type]


def a_model_is_not_changed_after_it_was_checked(model: Ollama) -> None:
    model.model = "another"  # type: ignore[misc]


def a_name_may_be_no_model() -> None:
    assert_type(parse_model("llama3.2"), ModelBackend | None)
