# SPDX-License-Identifier: Apache-2.0
"""Models are of a closed set of local kinds, and are named in one line."""

from typing import get_args

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import fields

from lao.workflow.local_models import (
    Custom,
    Embedded,
    Installed,
    LlamaCpp,
    ModelBackend,
    Ollama,
    WhisperCpp,
    label,
    parse_model,
    sort_of,
)


def test_there_is_no_remote_kind():
    """A new kind belongs here only if it cannot reach beyond this machine."""
    kinds = {
        each.default
        for kind in get_args(ModelBackend)
        for each in fields(kind)
        if each.name == "kind"
    }
    local = {"ollama", "whisper.cpp", "llama.cpp", "embedded", "custom", "plugin"}
    assert kinds == local


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("llama3.2", Ollama(model="llama3.2")),
        ("llama3.2:1b", Ollama(model="llama3.2:1b")),
        ("ollama:qwen3:4b", Ollama(model="qwen3:4b")),
        ("models/x.gguf", LlamaCpp(model_path="models/x.gguf")),
        ("llama.cpp:x", LlamaCpp(model_path="x")),
        ("ggml-base.bin", WhisperCpp(model_path="ggml-base.bin")),
        ("whisper.cpp:x", WhisperCpp(model_path="x")),
        ("embedded:summary", Embedded(name="summary")),
        ("custom:own.py:Mine", Custom(plugin="own.py:Mine")),
        ("plugin:word-count", Installed(name="word-count")),
        ("embedded:nope", None),
        ("", None),
        (" ", None),
    ],
)
def test_a_model_is_read_as_the_command_line_writes_it(text, model):
    assert parse_model(text) == model


@given(st.text())
def test_any_text_is_a_local_model_or_none(text):
    model = parse_model(text)
    assert model is None or isinstance(model, ModelBackend)
    if model is not None and text.strip() == text:
        assert parse_model(label(model)) == model


@pytest.mark.parametrize(
    ("text", "sort"),
    [
        ("m", "chat"),
        ("x.gguf", "chat"),
        ("x.bin", "speech"),
        ("embedded:speech", "speech"),
        ("embedded:redact", "text"),
        ("custom:own.py", "any"),
        ("plugin:own", "any"),
    ],
)
def test_what_a_model_is_good_for(text, sort):
    assert sort_of(parse_model(text)) == sort
