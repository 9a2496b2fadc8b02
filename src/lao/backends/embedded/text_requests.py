# SPDX-License-Identifier: Apache-2.0
"""What the text models share: reading a request, and naming a model by its source."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from importlib.resources import files

from lao.errors import did_you_mean
from lao.workflow.inference import ModelProblem, ModelRequest, Report
from lao.workflow.values import JsonValue

_PACKAGE = "lao.backends.embedded"


def read_text(request: ModelRequest, *, model: str) -> str:
    """Return the text that a request is about.

    Text is taken as it is, a list of texts as lines, an object by its `text`. A
    request without input gives its prompt.

    Raises:
        ModelProblem: `embedded.not-text`, `embedded.no-embedding`.
    """
    if request.wants == "embedding":
        raise ModelProblem(
            "embedded.no-embedding",
            f"{model} makes no embeddings",
            mend="use a model that makes embeddings",
        )
    found = _as_text(request.prompt if request.input is None else request.input)
    if found is None:
        raise ModelProblem(
            "embedded.not-text",
            f"{model} works on text, and its input is {_kind_of(request.input)}",
            mend="choose the text with the transform `select`, or put the input "
            "in a template",
        )
    return found


def _as_text(value: JsonValue) -> str | None:
    match value:
        case str():
            return value
        case {"text": str(text)}:
            return text
        case list():
            lines = [line for line in value if isinstance(line, str)]
            return "\n".join(lines) if len(lines) == len(value) else None
        case _:
            return None


def _kind_of(value: JsonValue) -> str:
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case list():
            return "a list with more than texts in it"
        case _:
            return "an object without a `text`"


def merged_options(
    loaded: Mapping[str, JsonValue],
    asked: Mapping[str, JsonValue],
    known: Sequence[str],
) -> dict[str, JsonValue]:
    """Return the options of a request over those of the model, all of them known.

    An option that is null is one left out.

    Raises:
        ModelProblem: `embedded.unknown-option`.
    """
    options = {**loaded, **asked}
    for name in options:
        if name not in known:
            raise ModelProblem(
                "embedded.unknown-option",
                f"there is no option {name!r} here",
                mend=did_you_mean(name, known) if known else "leave it out",
            )
    return {name: value for name, value in options.items() if value is not None}


def bad_option(name: str, value: JsonValue, wanted: str) -> ModelProblem:
    """Return the complaint about an option's value."""
    shown = repr(value)
    shown = shown if len(shown) <= 60 else f"{shown[:60]}…"
    return ModelProblem(
        "embedded.bad-option",
        f"the option {name!r} is {shown}",
        mend=f"give {wanted}",
    )


def choice(options: Mapping[str, JsonValue], name: str, allowed: Sequence[str]) -> str:
    """Return the option `name`, one of `allowed`, whose first is the default."""
    value = options.get(name, allowed[0])
    if not isinstance(value, str) or value not in allowed:
        raise bad_option(name, value, "one of: " + ", ".join(allowed))
    return value


def stop_if_cancelled(report: Report) -> None:
    """End the request when nobody wants its answer any more."""
    if report.cancelled:
        raise ModelProblem("worker.cancelled", "the request was cancelled")


def source_digest(names: Iterable[str]) -> str:
    """Return "sha256:…" over files of this package: another rule, another name."""
    total = sha256()
    folder = files(_PACKAGE)
    for name in sorted({*names, "text_requests.py"}):
        content = folder.joinpath(name).read_bytes()
        total.update(f"{name}\0{len(content)}\0".encode())
        total.update(content)
    return f"sha256:{total.hexdigest()}"
