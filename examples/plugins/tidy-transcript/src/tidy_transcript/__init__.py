# SPDX-License-Identifier: Apache-2.0
"""A preprocessor: a transcript as a person would have written it down."""

from collections.abc import Mapping

from lao.plugins.api import JsonValue, ModelProblem
from tidy_transcript.tidying import joined, without_fillers, without_times

__all__ = ["TidyTranscript"]


class TidyTranscript:
    """Tidies one transcript; says nothing that it did not say before."""

    def transform(
        self, value: JsonValue, parameters: Mapping[str, JsonValue]
    ) -> JsonValue:
        """Return the transcript without what reading it aloud would leave out."""
        text = str(value)
        if parameters["times"] == "remove":
            text = without_times(text)
        lines = text.splitlines()
        if parameters["lines"] == "join":
            lines = list(joined(lines))
        fillers = parameters["fillers"]
        words = list(map(str, fillers)) if isinstance(fillers, list) else []
        tidy = "\n".join(without_fillers(line, words) for line in lines).strip()
        if text.strip() and not tidy:
            raise ModelProblem(
                "tidy-transcript.nothing-left",
                "the transcript holds nothing but time marks and filler words",
                mend="give a shorter list of `fillers`",
            )
        return tidy
