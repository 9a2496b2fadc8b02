# SPDX-License-Identifier: Apache-2.0
"""Workflow files to measure the editor with: chains side by side, the first steps stream."""

from collections.abc import Iterator

MODEL = "bench"
STREAMS = 3
"""How many steps a model writes, side by side, at the heads of the chains."""

_COLUMN, _ROW = 300, 260


def graph(
    steps: int, *, pieces: int = 100, per_second: int = 100, characters: int = 0
) -> str:
    """Return a file of so many steps, each with its place.

    The models are asked for so many pieces, as `token_server` understands it; every
    tenth step is a recipe, the others fill in a template.
    """
    asked = f"{pieces} pieces, {per_second} a second, {characters} characters"
    return "\n".join((*_head(), *_steps(steps, asked), *_places(steps), ""))


def _head() -> Iterator[str]:
    yield "lao: 1"
    yield "name: graph"
    yield "inputs:"
    yield "  topic: { type: text, default: rain }"
    yield "models:"
    yield f"  writer: {{ kind: ollama, model: {MODEL} }}"


def _steps(count: int, asked: str) -> Iterator[str]:
    yield "steps:"
    for number in range(count):
        yield f"  - id: s{number}"
        above = f"{{{{ s{number - STREAMS} }}}}"
        if number < STREAMS:
            yield "    model: writer"
            yield f'    prompt_template: "{asked}, of {{{{ inputs.topic }}}} {number}"'
        elif number % 10 == 0:
            yield "    uses: summarize"
            yield f'    with: {{ text: "{above}", length: short }}'
        else:
            yield f'    input: "{number} follows {above}"'


def _places(count: int) -> Iterator[str]:
    yield "ui:"
    yield f"  inputs/topic: [{-_COLUMN}, 0]"
    for number in range(count):
        column, row = divmod(number, STREAMS)
        yield f"  s{number}: [{column % 12 * _COLUMN}, {(column // 12 * STREAMS + row) * _ROW}]"
