# SPDX-License-Identifier: Apache-2.0
"""What Ollama's and the connection's failures mean, in LAO's words: one place."""

import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final, assert_never

from lao.backends.http1 import TransportError
from lao.backends.loopback import HttpStatusError
from lao.errors import (
    LaoError,
    ModelUnavailable,
    RefusedByPolicy,
    StepError,
    nearest,
)
from lao.policy import LoopbackEndpoint

_SHOWN: Final = 300


@contextmanager
def translated(endpoint: LoopbackEndpoint, model: str = "") -> Iterator[None]:
    """Turn what the client raises within the block into LAO's errors."""
    try:
        yield
    except TransportError as problem:
        raise _from_transport(problem, endpoint) from problem
    except HttpStatusError as problem:
        words = words_of(problem.answer)
        raise _from_status(problem.status, words, model) from problem


def words_of(answer: object) -> str:
    """Return the server's own words about a failure."""
    if isinstance(answer, dict):
        answer = answer.get("error", answer)
    return str(answer).strip()[:_SHOWN]


def model_not_found(model: str, known: Iterable[str] = ()) -> ModelUnavailable:
    """Say that the server has no such model; `known` are those that it has."""
    close = nearest(model, known)
    guess = f"did you mean {close!r}? Otherwise " if close else ""
    return ModelUnavailable(
        "ollama.model-not-found",
        f"Ollama has no model {model!r}",
        mend=f"{guess}fetch it yourself: `ollama pull {shlex.quote(model)}`",
    )


def remote_model(model: str, why: str) -> RefusedByPolicy:
    """Say that a model would run elsewhere."""
    return RefusedByPolicy(
        "policy.remote-model",
        f"the model {model!r} does not run on this machine: {why}",
        mend="choose a model that `lao models` does not mark as refused",
    )


def server_error(words: str) -> StepError:
    """Say that the server failed; also in the middle of a stream, under status 200."""
    if _is_about_length(words):
        return prompt_too_long(words)
    return StepError(
        "ollama.server-error",
        f"Ollama failed: {words!r}",
        mend="look into the server's log",
        retryable=True,
    )


def prompt_too_long(why: str) -> StepError:
    """Say that the prompt does not fit; LAO never lets a server cut it silently."""
    return StepError(
        "ollama.prompt-too-long",
        f"the prompt does not fit the model's context: {why}",
        mend="raise `options: { num_ctx: … }` of the model, or split the input",
    )


def stream_cut() -> StepError:
    """Say that a stream ended without Ollama's closing line."""
    return StepError(
        "ollama.stream-cut",
        "Ollama's answer stopped before its end",
        mend="try again; the model may have got stuck repeating itself",
        retryable=True,
    )


def _is_about_length(words: str) -> bool:
    lowered = words.lower()
    return "exceed" in lowered and ("context" in lowered or "length" in lowered)


def _from_transport(problem: TransportError, endpoint: LoopbackEndpoint) -> LaoError:
    match problem.fault:
        case "unreachable":
            return ModelUnavailable(
                "ollama.not-running",
                f"no Ollama server answers at {endpoint} ({problem})",
                mend="start it with `ollama serve`, or give the model its endpoint",
                retryable=True,
            )
        case "cut":
            code, retryable = "ollama.connection-lost", True
        case "stalled":
            code, retryable = "ollama.stalled", True
        case "malformed":
            code, retryable = "ollama.malformed-answer", False
        case "too-large":
            code, retryable = "ollama.answer-too-large", False
        case _:
            assert_never(problem.fault)
    return StepError(
        code,
        f"the answer of {endpoint} is unusable: {problem}",
        mend="check that an Ollama server listens there, and its log",
        retryable=retryable,
    )


def _from_status(status: int, words: str, model: str) -> LaoError:
    if status in {401, 403}:
        return remote_model(model, f"Ollama answered {status} {words!r}")
    if status == 404:
        return model_not_found(model)
    if status == 503:
        return ModelUnavailable(
            "ollama.busy",
            f"Ollama is busy: {words!r}",
            mend="wait, or lower the number of parallel steps",
            retryable=True,
        )
    if status >= 500 or _is_about_length(words):
        return server_error(words)
    return StepError(
        "ollama.bad-request",
        f"Ollama refused the request ({status}): {words!r}",
        mend="check the model's options, and what the model can do: `ollama show`",
    )
