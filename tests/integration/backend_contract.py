# SPDX-License-Identifier: Apache-2.0
"""What every backend that serves a language model must do.

A test module subclasses `BackendContract` and gives the fixtures that raise here.
The model behind `backend` must be the tiny canned one (`tests.models`).
"""

import asyncio
import json

import jsonschema_rs
import pytest
from tests.models import CANNED_ANSWER
from tests.promptness import promised, within

from lao.errors import ModelUnavailable
from lao.roles import Backend
from lao.workflow.inference import ModelRequest

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 60},
        "ok": {"type": "boolean"},
    },
    "required": ["name", "ok"],
    "additionalProperties": False,
}
LONG_ANSWER = {"type": "array", "items": {"type": "boolean"}, "minItems": 400}


class Heard:
    """A `Report` that keeps what it is told."""

    cancelled = False

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.first = asyncio.Event()

    def text(self, piece: str) -> None:
        self.pieces.append(piece)
        self.first.set()

    def progress(self, done: float, total: float, unit: str) -> None:
        pass


class _Given:
    """The fixtures that a subclass gives."""

    @pytest.fixture
    def backend(self) -> Backend:
        """Return a backend for the canned model."""
        pytest.fail("a subclass gives `backend`")

    @pytest.fixture
    def embedder(self, backend: Backend) -> Backend:
        """Return a backend that embeds; the same one unless a subclass says so."""
        return backend

    @pytest.fixture
    def missing(self) -> Backend:
        """Return a backend for a model that does not exist."""
        pytest.fail("a subclass gives `missing`")


class AnswerContract(_Given):
    """What a backend answers."""

    async def test_the_pieces_join_to_the_known_answer(self, backend):
        heard = Heard()
        reply = await backend.infer(ModelRequest(prompt="Hello"), heard)
        assert reply.value == CANNED_ANSWER
        assert "".join(heard.pieces) == CANNED_ANSWER
        assert len(heard.pieces) > 1
        assert reply.made_by
        assert (reply.tokens_out or 0) > 0

    async def test_an_answer_fits_the_schema_it_was_asked_for(self, backend):
        request = ModelRequest(prompt="Who?", wants="json", schema=PERSON)
        reply = await backend.infer(request, Heard())
        value = reply.value
        answer = json.loads(value) if isinstance(value, str) else value
        jsonschema_rs.validate(PERSON, answer, offline=True)

    async def test_an_embedding_is_a_list_of_floats(self, embedder):
        request = ModelRequest(prompt="Hello", input="Hello", wants="embedding")
        value = (await embedder.infer(request, Heard())).value
        assert len(value) > 1
        assert all(isinstance(number, float) for number in value)

    async def test_a_missing_model_is_unavailable(self, missing):
        with pytest.raises(ModelUnavailable):
            await missing.infer(ModelRequest(prompt="Hello"), Heard())
        with pytest.raises(ModelUnavailable):
            await missing.describe()
        with pytest.raises(ModelUnavailable):
            await missing.identify()

    async def test_a_description_names_the_content(self, backend):
        description = await backend.describe()
        assert description.digest.startswith("sha256:")
        assert len(description.digest) == len("sha256:") + 64
        assert await backend.identify() == description.digest

    async def test_closing_twice_is_safe(self, backend):
        await backend.infer(ModelRequest(prompt="Hello"), Heard())
        await backend.close()
        await backend.close()


class CancelContract(_Given):
    """How a backend lets go."""

    @promised
    async def test_a_cancelled_answer_stops_within_a_second(self, backend):
        heard = Heard()
        request = ModelRequest(prompt="Go on", wants="json", schema=LONG_ANSWER)
        answering = asyncio.create_task(backend.infer(request, heard))
        await heard.first.wait()
        answering.cancel()
        with within(1.0), pytest.raises(asyncio.CancelledError):
            await answering
        await self.check_that_it_answers_again(backend)

    async def check_that_it_answers_again(self, backend: Backend) -> None:
        """Check that a cancelled request left the model free."""
        reply = await backend.infer(ModelRequest(prompt="Hello"), Heard())
        assert reply.value == CANNED_ANSWER


class BackendContract(AnswerContract, CancelContract):
    """The contract of `lao.roles.Backend`, run on a real model."""
