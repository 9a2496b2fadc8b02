# SPDX-License-Identifier: Apache-2.0
"""The models that other tests are built on give their known answers."""

import numpy as np
import pytest
from tests.models import (
    CANNED_ANSWER,
    CANNED_TRANSCRIPT,
    make_tiny_gguf,
    make_tiny_whisper,
)

from lao.backends.llama_worker import LlamaModel
from lao.workflow.inference import ModelRequest


class Silent:
    cancelled = False

    def text(self, piece):
        pass

    def progress(self, done, total, unit):
        pass


@pytest.fixture
def ask(tmp_path, monkeypatch):
    pytest.importorskip("xllamacpp")
    monkeypatch.chdir(tmp_path)  # the socket goes there

    def ask(path, **options):
        model = LlamaModel()
        model.load({"model_path": str(path), "num_thread": 1, "num_ctx": 512})
        return model.infer(ModelRequest(prompt="Hello", options=options), Silent())

    return ask


@pytest.mark.parametrize("seed", range(5))
def test_the_canned_model_gives_its_answer_at_a_high_temperature(ask, tiny_gguf, seed):
    assert ask(tiny_gguf, temperature=1.0, seed=seed).value == CANNED_ANSWER


def test_the_random_model_says_something_else_each_time(ask, tmp_path):
    path = make_tiny_gguf(tmp_path / "random.gguf", mode="random")
    answers = {ask(path, seed=seed, num_predict=8).value for seed in range(3)}
    assert len(answers) == 3


def test_the_whisper_model_hears_its_transcript_in_silence(tiny_whisper):
    pywhispercpp = pytest.importorskip("pywhispercpp.model")
    model = pywhispercpp.Model(
        str(tiny_whisper),
        n_threads=1,
        print_progress=False,
        redirect_whispercpp_logs_to=None,
    )
    segments = model.transcribe(np.zeros(16000, np.float32))
    assert " ".join(s.text.strip() for s in segments) == CANNED_TRANSCRIPT


@pytest.mark.parametrize("make", [make_tiny_gguf, make_tiny_whisper])
def test_a_model_has_the_same_bytes_every_time(make, tmp_path):
    assert make(tmp_path / "a").read_bytes() == make(tmp_path / "b").read_bytes()
