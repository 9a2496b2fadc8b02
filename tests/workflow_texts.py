# SPDX-License-Identifier: Apache-2.0
"""Workflow files as people write them: any style, comments, blank lines, line ends.

A file follows from a number: hypothesis drawing every choice takes 20 times as long.
"""

import json
import random
from dataclasses import dataclass, field

from hypothesis import strategies as st

WORDS = [
    "alpha",
    "beta",
    "Grüße",
    "日本",
    "yes",
    "null",
    "1e3",
    "a b",
    "🎉",
    "it's",
    "x",
]
SCALARS = [
    *(0, 1, -7, 0.5, True, False, None, *WORDS),
    *("{{ inputs.x }}", "a: b", "a # b", '"', "", " ", "a, b"),
]
COMMENTS = ["# note", "#", "# a: b", "#  - id: ghost", "# {{ s0 }} 'x\"", "# ünï 🎉"]


@dataclass(slots=True)
class Pen:
    """Writes lines, and makes the choices that a person makes."""

    chances: random.Random
    lines: list[str] = field(default_factory=list)
    comments: int = 0

    def one_of(self, *choices):
        return self.chances.choice(choices)

    def chance(self) -> bool:
        return self.chances.random() < 0.25

    def comment(self) -> str:
        self.comments += 1
        return f"{self.one_of(*COMMENTS)} §{self.comments}"

    def line_end(self) -> str:
        return f"{self.one_of(' ', '   ')}{self.comment()}" if self.chance() else ""

    def between(self, column: int) -> None:
        """Leave a blank line, comments, or nothing."""
        while self.chance():
            if self.chance():
                self.lines.append("")
            else:
                margin = " " * self.one_of(0, column, column + 2)
                self.lines.append(margin + self.comment())

    def text(self, value: str) -> str:
        """Return a text on one line, in quotes of some sort or none."""
        plain = value.isalpha() and value not in ("null", "yes")
        styles = ["double", *(["plain", "plain"] if plain else [])]
        if "\n" not in value:
            styles.append("single")
        match self.one_of(*styles):
            case "plain":
                return value
            case "single":
                return "'" + value.replace("'", "''") + "'"
            case _:
                return json.dumps(value, ensure_ascii=False)

    def inline(self, value: object) -> str:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            pad = self.one_of("", " ")
            pairs = [f"{self.text(k)}: {self.inline(v)}" for k, v in value.items()]
            return f"{{{pad}{', '.join(pairs)}{pad}}}"
        if isinstance(value, list):
            return f"[{', '.join(self.inline(held) for held in value)}]"
        return json.dumps(value)

    def entry(self, head: str, value: object, column: int) -> None:
        """Write `value` behind `head`, which ends with `:` or `-`."""
        inner = column + 2
        block = value and self.one_of(True, False)
        if isinstance(value, dict) and block:
            self.lines.append(head + self.line_end())
            self.mapping(value, inner)
        elif isinstance(value, list) and block:
            self.lines.append(head + self.line_end())
            dash = self.one_of(column, inner) if head.endswith(":") else inner
            for item in value:
                self.between(dash)
                self.entry(" " * dash + "-", item, dash)
        elif isinstance(value, str) and "\n" in value and value.strip("\n") and block:
            self.block_text(head, value, inner)
        else:
            gap = self.one_of(" ", " ", "  ")
            self.lines.append(f"{head}{gap}{self.inline(value)}{self.line_end()}")

    def block_text(self, head: str, value: str, column: int) -> None:
        margin = " " * (column + self.one_of(0, 2))
        lines = value.rstrip("\n").split("\n")
        ending = len(value) - len(value.rstrip("\n"))
        chomping = ("-", "", "+")[min(ending, 2)]
        sign = self.one_of("|", ">") if " " not in value else "|"
        self.lines.append(f"{head} {sign}{chomping}{self.line_end()}")
        for line in lines:
            self.lines.append(margin + line if line else "")
            if sign == ">":
                self.lines.append("")
        if sign == ">":
            self.lines.pop()
        self.lines += [""] * (ending - 1)

    def mapping(self, value: dict[str, object], column: int) -> None:
        for name, held in value.items():
            self.between(column)
            self.entry(" " * column + name + ":", held, column)

    def step(self, step: dict[str, object], dash: int) -> None:
        self.between(dash)
        first = len(self.lines)
        for name, held in step.items():
            if len(self.lines) > first:
                self.between(dash + 2)
            self.entry(" " * (dash + 2) + name + ":", held, dash + 2)
        self.lines[first] = " " * dash + "-" + self.lines[first][dash + 1 :]

    def value(self, depth: int = 2) -> object:
        """Return any JSON value."""
        sort = self.one_of("scalar", "scalar", "list", "dict") if depth else "scalar"
        count = self.one_of(0, 1, 2, 3)
        if sort == "list":
            return [self.value(depth - 1) for _ in range(count)]
        if sort == "dict":
            names = ("k", "temperature", "long_key")[:count]
            return {name: self.value(depth - 1) for name in names}
        return self.one_of(*SCALARS)


TEXTS = [
    "one line",
    "two\nlines\n",
    "# no comment\n- x\n",
    "a\n\nb",
    "{{ s0 }}\nand # {{ s1.f }}\n",
    "keep\n\n",
]
EXTRAS = ("options", "with", "input", "future_key")


def workflow_text(seed: int, count: int) -> str:
    """Return the text of a file with `count` steps, called s0, s1, and so on."""
    pen = Pen(random.Random(seed))  # noqa: S311  (no secret)
    pen.between(0)
    pen.lines.append(f"lao: 1{pen.line_end()}")
    pen.lines.append(f"name: {pen.text(pen.one_of(*WORDS))}{pen.line_end()}")
    if pen.chance():
        pen.between(0)
        pen.entry("models:", {"m": pen.value()}, 0)
    pen.between(0)
    pen.lines.append(f"steps:{pen.line_end()}")
    dash = pen.one_of(0, 2, 4)
    for number in range(count):
        step = {"id": f"s{number}", "timeout": pen.one_of("5m", "1h")}
        if pen.one_of(True, False):
            step["prompt_template"] = pen.one_of(*TEXTS)
        for name in pen.chances.sample(EXTRAS, pen.one_of(0, 1, 2)):
            step[name] = pen.value()
        pen.step(step, dash)
    if pen.chance() and count > 1:
        pen.between(0)
        pen.entry("connections:", [["s0", "s1"]], 0)
    if pen.chance():
        pen.between(0)
        pen.entry("outputs:", {"o": "{{ s0 }}"}, 0)
    if pen.chance():
        pen.between(0)
        pen.entry("ui:", {"s0": [1, 2]}, 0)
    pen.between(0)
    newline = pen.one_of("\n", "\n", "\r\n")
    end = newline if pen.one_of(True, True, False) else ""
    mark = "\ufeff" if pen.chance() else ""
    return mark + newline.join(pen.lines) + end


WORKFLOW_TEXTS = st.builds(workflow_text, st.integers(0, 2**32), st.integers(1, 4))
