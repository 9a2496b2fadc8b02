# SPDX-License-Identifier: Apache-2.0
"""Options that several commands share, and the settings that they make."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

import click

from lao.config import Settings, load_settings
from lao.errors import UsageError
from lao.units import parse_duration

if TYPE_CHECKING:
    from lao.durable import Selection

F = TypeVar("F", bound=Callable[..., object])
COLORS = {"auto": None, "always": True, "never": False}


def common(function: F) -> F:
    """Add what every command has: -q, -v, --color, --debug."""
    for option in (
        click.option("--debug", is_flag=True, help="Show tracebacks."),
        click.option(
            "--color",
            type=click.Choice(list(COLORS)),
            default="auto",
            help="Colours on stderr.",
        ),
        click.option("-v", "--verbose", is_flag=True, help="Tell more."),
        click.option("-q", "--quiet", is_flag=True, help="Tell only errors."),
    ):
        function = option(function)
    return function


def running(function: F) -> F:
    """Add what `run` and `chain` share."""
    for option in (
        click.option(
            "--ephemeral",
            is_flag=True,
            help="Keep nothing: no journal, no cache, no temporary file on disk.",
        ),
        click.option(
            "--no-cache", is_flag=True, help="Use no kept result and keep none."
        ),
        click.option(
            "--refresh",
            metavar="STEP",
            multiple=True,
            help="Run STEP although its result is known.",
        ),
        click.option(
            "--from",
            "start",
            metavar="STEP",
            help="Run STEP, and whatever depends on it, anew.",
        ),
        click.option(
            "--until", metavar="STEP", help="Run STEP and what it needs; no more."
        ),
        click.option(
            "--require-no-cloud",
            is_flag=True,
            default=None,
            help="Refuse an Ollama server that has not switched its cloud off.",
        ),
        click.option(
            "--accept-no-isolation",
            is_flag=True,
            default=None,
            help="Run although the kernel here cannot lock a worker; not advised.",
        ),
        click.option(
            "--per-model",
            type=click.IntRange(1, 64),
            help="Requests in flight per model.  [default: 1]",
        ),
        click.option(
            "--timeout", metavar="DURATION", help="Give up after, for example, 5m."
        ),
        click.option("--no-stream", is_flag=True, help="Print the answer when whole."),
        click.option(
            "--events", metavar="FILE", help="Write every event as NDJSON; - is stdout."
        ),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON report."),
        click.option("--output", metavar="NAME", help="Print only this output."),
        click.option(
            "--model",
            "models",
            metavar="M|NAME=M",
            multiple=True,
            help="Use model M, or use it for NAME of the workflow's `models:`.",
        ),
        click.option(
            "--input",
            "-i",
            "inputs",
            metavar="X|NAME=X",
            multiple=True,
            help="A text, NAME=TEXT, NAME=PATH, @FILE, NAME=@FILE, or - for stdin.",
        ),
    ):
        function = option(function)
    return function


def settings_from(flags: Mapping[str, object]) -> Settings:
    """Return the settings with a command's flags over them."""
    return load_settings(
        color=COLORS[str(flags.get("color", "auto"))],
        debug=True if flags.get("debug") else None,
        ephemeral=True if flags.get("ephemeral") else None,
        require_no_cloud=flags.get("require_no_cloud"),
        accept_no_isolation=flags.get("accept_no_isolation"),
        per_model=flags.get("per_model"),
    )


def selection_from(flags: Mapping[str, object]) -> "Selection":
    """Return which steps to run, and which of them anew."""
    from lao.durable import Selection  # the whole engine: not for every command

    refresh, start, until = flags.get("refresh"), flags.get("start"), flags.get("until")
    return Selection(
        no_cache=bool(flags.get("no_cache")),
        refresh=tuple(map(str, refresh)) if isinstance(refresh, tuple) else (),
        start=str(start) if start is not None else None,
        until=str(until) if until is not None else None,
    )


def seconds_from(text: str | None) -> float | None:
    """Read a duration such as `90s`.

    Raises:
        UsageError: it is none.
    """
    if text is None:
        return None
    seconds = parse_duration(text)
    if seconds is None or seconds <= 0:
        raise UsageError(
            "usage.bad-duration",
            f"{text!r} is not a duration",
            mend="write it as 500ms, 30s, 5m or 1h",
        )
    return seconds
