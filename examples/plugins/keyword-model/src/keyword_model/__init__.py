# SPDX-License-Identifier: Apache-2.0
"""A model: the key phrases of a text, in a few milliseconds and without a download."""

from collections.abc import Mapping
from pathlib import Path

from keyword_model.phrases import candidates, ranked
from lao.plugins.api import (
    JsonValue,
    ModelDescription,
    ModelProblem,
    ModelReply,
    ModelRequest,
    Report,
)

__all__ = ["KeywordModel"]

_MADE_BY = "key phrases by RAKE"
_STOP_WORDS = Path(__file__).with_name("stop_words.txt")


class KeywordModel:
    """Ranks the phrases of a text. As text: a phrase a line; as JSON: with scores."""

    def load(self, options: Mapping[str, JsonValue]) -> None:
        """Read the stop words: called once, before the first request."""
        del options  # they come again with each request
        self._stop_words = frozenset(_STOP_WORDS.read_text("utf-8").split())

    def describe(self) -> ModelDescription:
        """Say what the model is."""
        return ModelDescription(
            name="keyword-model",
            made_by=_MADE_BY,
            details={"stop_words": len(self._stop_words), "language": "en"},
        )

    def infer(self, request: ModelRequest, report: Report) -> ModelReply:
        """Answer one request."""
        text = request.input if request.input is not None else request.prompt
        if not isinstance(text, str) or not text.strip():
            raise ModelProblem(
                "keyword-model.no-text",
                "there is no text to find phrases in",
                mend="give the step an `input` of type text",
            )
        if request.wants == "embedding":
            raise ModelProblem("keyword-model.no-vector", "this model makes no vectors")

        def tell(done: int) -> None:
            if report.cancelled:
                raise ModelProblem("keyword-model.cancelled", "nobody waits any more")
            report.progress(done, len(text), "characters")

        ignored = self._stop_words.union(_words(request.options["ignore"]))
        top = request.options["top"]
        assert isinstance(top, int)  # the manifest says so, and LAO looks
        best = ranked(candidates(text, ignored, tell))[:top]
        if request.wants == "text":
            return ModelReply(
                value="".join(f"{phrase}\n" for phrase, _ in best), made_by=_MADE_BY
            )
        found: list[JsonValue] = [
            {"phrase": phrase, "score": score} for phrase, score in best
        ]
        return ModelReply(value=found, made_by=_MADE_BY)


def _words(given: JsonValue) -> set[str]:
    words = given if isinstance(given, list) else []
    return {word for each in words for word in str(each).lower().split()}
