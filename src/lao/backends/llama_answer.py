# SPDX-License-Identifier: Apache-2.0
"""Puts a streamed answer of llama.cpp together, and translates its complaints."""

from collections.abc import Mapping
from typing import Any

from lao.workflow.inference import ModelProblem, Report

Chunk = dict[str, Any]  # decoded JSON of llama.cpp


class Answer:
    """Called with each chunk of a chat completion; True asks llama.cpp to stop.

    xllamacpp prints an exception of its callback and goes on, so exceptions are kept
    for `text` to raise.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._pieces: list[str] = []
        self._finish: str | None = None
        self._failure: BaseException | None = None
        self.tokens_in: int | None = None
        self.tokens_out: int | None = None

    def __call__(self, chunk: Chunk) -> bool:
        """Take one chunk."""
        try:
            self._take(chunk)
        except BaseException as error:  # noqa: BLE001  (see the class)
            self._failure = error
        return self._failure is not None or self._report.cancelled

    def text(self, *, complete: bool) -> str:
        """Return the whole answer, once the call is over.

        Raises:
            ModelProblem: llama.cpp complained, or the answer was cut short though it
                had to be `complete`.
        """
        if self._failure is not None:
            raise self._failure
        if complete and self._finish == "length":
            raise ModelProblem(
                "llama.cut-short",
                "the answer was cut short, and half of a JSON value is useless",
                mend="raise `num_predict` or `num_ctx`, or bound the lengths of texts "
                "and lists in the schema",
            )
        return "".join(self._pieces)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know about the answer."""
        if self._finish != "length":
            return ()
        return ("the answer was cut short at num_predict or at the end of num_ctx",)

    def _take(self, chunk: Chunk) -> None:
        if "error" in chunk:
            raise problem_of(chunk["error"])
        if usage := chunk.get("usage"):
            self.tokens_in = usage["prompt_tokens"]
            self.tokens_out = usage["completion_tokens"]
        if progress := chunk.get("prompt_progress"):
            done, total = progress["processed"], progress["total"]
            self._report.progress(done, total, "prompt tokens")
        for choice in chunk.get("choices", ()):
            self._finish = choice.get("finish_reason") or self._finish
            # `reasoning_content` stays out: it is not part of the answer.
            if piece := choice["delta"].get("content"):
                self._pieces.append(piece)
                self._report.text(piece)


def problem_of(error: Mapping[str, Any]) -> ModelProblem:
    """Return llama.cpp's error object as a complaint."""
    message = str(error.get("message", "no reason given"))
    is_long = error.get("type") == "exceed_context_size_error"
    if is_long or "too large to process" in message:
        return ModelProblem(
            "llama.prompt-too-long",
            f"the prompt does not fit the model's context: {message}",
            mend="raise `options: { num_ctx: … }` of the model, or split the input",
        )
    return bad_request(message)


def bad_request(message: str) -> ModelProblem:
    """Return llama.cpp's words about a request that it refuses."""
    return ModelProblem(
        "llama.bad-request",
        f"llama.cpp refused the request: {message}",
        mend="check the step's schema and options",
    )
