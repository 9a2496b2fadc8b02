# SPDX-License-Identifier: Apache-2.0
"""What `--each` says: which items there are, and which input each of them fills."""

from collections.abc import Collection, Mapping
from typing import Literal

from msgspec import Struct

from lao.errors import UsageError, did_you_mean, nearest
from lao.workflow.steps import Input

_ROWS = (".jsonl", ".ndjson")


class Each(Struct, frozen=True, kw_only=True):
    """What the items are: files of a pattern, paths from a pipe, or rows of JSON.

    `text` is how a person wrote it, `pattern` that without the input's name. `input`
    is what a path or a plain value fills. With `is_whole`, a row that is an object
    is the value of that input too; else it names inputs.
    """

    text: str
    pattern: str
    kind: Literal["files", "paths", "rows"]
    input: str | None = None
    is_whole: bool = False
    nul: bool = False


def named_input(text: str, declared: Collection[str]) -> str | None:
    """Return the input that `NAME=PATTERN` names.

    Raises:
        UsageError: what it names is nearly an input.
    """
    name, equals, _ = text.partition("=")
    if not equals:
        return None
    if name in declared:
        return name
    if nearest(name, declared):
        raise UsageError(
            "input.unknown",
            f"the workflow has no input called {name!r}",
            mend=f"{did_you_mean(name, declared)} (a pattern that begins so: ./{text})",
        )
    return None


def read_each(
    text: str,
    declared: Mapping[str, Input],
    given: Collection[str],
    *,
    nul: bool = False,
) -> Each:
    """Read `PATTERN`, `NAME=PATTERN`, `-` or the name of a JSONL file.

    `given` are the inputs that have a value for all items already.

    Raises:
        UsageError: it is not clear which input the items are for.
    """
    name = named_input(text, declared)
    pattern = text if name is None else text.partition("=")[2]
    kind = _kind(pattern)
    if nul and kind != "paths":
        raise UsageError(
            "batch.nul-without-stdin",
            "-0 says how paths on standard input are separated; none are read there",
            mend="drop -0, or write --each -",
        )
    return Each(
        text=text,
        pattern=pattern,
        kind=kind,
        input=name or _open_input(declared, given, is_needed=kind != "rows"),
        is_whole=name is not None,
        nul=nul,
    )


def _kind(pattern: str) -> Literal["files", "paths", "rows"]:
    if pattern == "-":
        return "paths"
    is_one_file = not any(character in pattern for character in "*?[")
    return "rows" if is_one_file and pattern.endswith(_ROWS) else "files"


def _open_input(
    declared: Mapping[str, Input], given: Collection[str], *, is_needed: bool
) -> str | None:
    """Return the one input that has no value yet: a needed one before an optional."""
    free = [name for name in declared if name not in given]
    needed = [
        name
        for name in free
        if declared[name].default is None and not declared[name].optional
    ]
    candidates = needed or free
    if len(candidates) == 1:
        return candidates[0]
    if not is_needed:
        return None
    if not declared:
        raise UsageError(
            "input.none", "the workflow takes no input", mend="drop --each"
        )
    if not free:
        raise UsageError(
            "input.given-twice",
            "every input has a value by --input, so none is left for --each",
            mend="drop the --input that each item is to fill",
        )
    raise UsageError(
        "batch.which-input",
        "it is not clear which input --each is for",
        mend=f"write --each NAME=PATTERN; {did_you_mean('', candidates)}",
    )
