# SPDX-License-Identifier: Apache-2.0
"""Streaming the answer to a terminal while the model makes it."""

import sys

from lao.cli.terminal import is_terminal, write_answer
from lao.events import Event, FallbackChosen, StepRetried, TextProduced
from lao.planning.plan import Infer, Plan
from lao.workflow.template import Template


class AnswerStream:
    """An event sink that prints the pieces of the one text that will be the answer.

    It prints only on a terminal, only when the answer is the text of one model step,
    and stops for good when that step starts over.
    """

    def __init__(self, plan: Plan, output: str | None, *, wanted: bool) -> None:
        self._step = answering_step(plan, output)
        self._live = wanted and self._step is not None and is_terminal(sys.stdout)
        self._printed = ""

    @property
    def step(self) -> str | None:
        """The step whose text is printed while it is made, if there is one."""
        return self._step if self._live else None

    def __call__(self, event: Event) -> None:
        """Print a piece."""
        fact = event.fact
        if not self._live or getattr(fact, "step", None) != self._step:
            return
        match fact:
            case TextProduced():
                write_answer(fact.text)
                self._printed += fact.text
            case StepRetried() | FallbackChosen():
                if self._printed:
                    write_answer("\n")
                self._live, self._printed = False, ""
            case _:
                return

    def rest_of(self, text: str) -> str:
        """Return what of the final answer is not on the terminal yet."""
        if not self._printed:
            return text
        if text.startswith(self._printed):
            return text[len(self._printed) :]
        return "\n" + text


def answering_step(plan: Plan, output: str | None) -> str | None:
    """Return the step whose text is the whole answer, if there is one."""
    names = [output] if output is not None else list(plan.outputs)
    tree = plan.outputs.get(names[0]) if len(names) == 1 else None
    if not isinstance(tree, Template) or tree.reference is None:
        return None
    step = next(
        (each for name, each in plan.steps.items() if (name,) == tree.reference), None
    )
    if step is None or step.for_each is not None or not isinstance(step.work, Infer):
        return None
    return step.id if step.output.kind == "text" else None
