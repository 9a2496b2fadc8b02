# SPDX-License-Identifier: Apache-2.0
"""Asks a text model as a worker does."""

from dataclasses import dataclass

from lao.workflow.inference import LocalModel, ModelReply, ModelRequest
from lao.workflow.values import JsonValue


@dataclass
class Listener:
    """A report that is cancelled after some looks at it."""

    looks_left: int = 1_000_000

    @property
    def cancelled(self) -> bool:
        self.looks_left -= 1
        return self.looks_left < 0

    def text(self, piece: str) -> None:
        """Ignore a piece."""

    def progress(self, done: float, total: float, unit: str) -> None:
        """Ignore progress."""


def ask(model: LocalModel, text: JsonValue, **options: JsonValue) -> ModelReply:
    """Return the model's reply to a text."""
    request = ModelRequest(input=text, options=options)
    return model.infer(request, Listener())
