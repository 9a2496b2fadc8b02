# SPDX-License-Identifier: Apache-2.0
"""`lao plugin check`: a plugin's manifest, its types, and one call in the sandbox."""

import asyncio
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct, field

from lao.backend_factory import worker_limits
from lao.cli.given import Given
from lao.cli.plugin_view import requests_of
from lao.cli.run_words import one_line, seconds_words
from lao.cli.terminal import write_answer, write_note
from lao.config import Settings
from lao.errors import LaoError, Problem, StepError, UsageError, did_you_mean
from lao.isolation.confinement import Confinement, confine
from lao.isolation.levels import NAMES
from lao.plugins.api import QuietReport
from lao.plugins.samples import sample_of
from lao.plugins.trial import Trial, trial_of
from lao.plugins.type_check import find_type_problems, type_checker
from lao.workers.clearing import held_folder
from lao.workflow.json_text import read_json
from lao.workflow.plugins import PluginManifest
from lao.workflow.steps import Input
from lao.workflow.values import FileValue, JsonValue, Value

Status = Literal["ok", "skipped", "failed"]
_MARKS: Final[Mapping[Status, str]] = {"ok": "✓", "skipped": "·", "failed": "✗"}
_LAYERS: Final = ("namespaces", "landlock", "seccomp", "gpu")
_USAGE: Final = UsageError.exit_code
_MOST_LINES: Final = 40


class Look(Struct, frozen=True, kw_only=True):
    """One thing that was looked at, and what it showed."""

    name: str
    status: Status
    what: str
    problems: tuple[Problem, ...] = ()
    exit_code: int = 0


class Asked(Struct, frozen=True, kw_only=True):
    """What the dry call works on: texts as a person typed them."""

    value: str | None = None
    parameters: Sequence[str] = ()
    is_called: bool = True
    is_granted: bool = False
    seconds: float = 60.0


class Looks(Struct):
    """What was looked at, told as it comes unless it is told as JSON at the end."""

    as_json: bool
    found: list[Look] = field(default_factory=list)

    def add(self, look: Look) -> None:
        """Take one, and tell it."""
        self.found.append(look)
        if self.as_json:
            return
        write_answer(
            f"{_MARKS[look.status]} {look.name:<9} {one_line(look.what, 400)}\n"
        )
        for problem in look.problems[:_MOST_LINES]:
            write_note(str(problem))
        if len(look.problems) > _MOST_LINES:
            write_note(f"… and {len(look.problems) - _MOST_LINES} more (see --json)")

    @property
    def exit_code(self) -> int:
        """That of the first thing that failed."""
        return next((each.exit_code for each in self.found if each.exit_code), 0)


def check_plugin(
    settings: Settings, source: Path, asked: Asked, *, as_json: bool
) -> int:
    """Look at a plugin, tell what was found, and return the exit code."""
    looks = Looks(as_json)
    programs = tuple(filter(None, [type_checker()]))
    with confine(
        endpoints=(), programs=programs, accept_none=settings.accept_no_isolation
    ) as confined:
        asyncio.run(_check(source, asked, confined, looks, settings))
    if as_json:
        write_answer(_as_json(looks.found))
    return looks.exit_code


async def _check(
    source: Path,
    asked: Asked,
    confined: Confinement,
    looks: Looks,
    settings: Settings,
) -> None:
    accept_none = settings.accept_no_isolation
    try:
        opening = trial_of(
            source,
            launcher=confined.launcher,
            accept_none=accept_none,
            limits=worker_limits(settings),
            kept=settings.folders.data,
        )
        async with opening as trial:
            looks.add(_manifest_look(trial.manifest))
            looks.add(await _types_look(trial, confined, is_called=asked.is_called))
            looks.add(await _call_look(trial, asked))
            looks.add(_sandbox_look(trial))
    except LaoError as error:
        looks.add(_failed("plugin", "it cannot be used as it is", error))


def _manifest_look(manifest: PluginManifest) -> Look:
    takes = f"{manifest.kind}: {manifest.input} → {manifest.output}"
    what = f"{manifest.name} {manifest.version}, {takes}"
    return Look(name="manifest", status="ok", what=what)


async def _types_look(trial: Trial, confined: Confinement, *, is_called: bool) -> Look:
    if type_checker() is None:
        what = "not looked at: mypy is not installed beside LAO"
        return Look(name="types", status="skipped", what=what)
    try:
        trial.require_isolation()  # mypy runs the plugins that its settings name
        problems = await find_type_problems(
            trial.folder,
            trial.manifest,
            launcher=confined.launcher,
            own_settings=is_called,
        )
    except LaoError as error:
        return _failed("types", "could not be looked at", error)
    if problems:
        plural = "" if len(problems) == 1 else "s"
        what = f"mypy --strict finds {len(problems)} problem{plural}"
        return Look(
            name="types",
            status="failed",
            what=what,
            problems=problems,
            exit_code=_USAGE,
        )
    return Look(name="types", status="ok", what="mypy --strict finds nothing")


async def _call_look(trial: Trial, asked: Asked) -> Look:
    if not asked.is_called:
        return Look(name="dry call", status="skipped", what="not made, as you asked")
    wanted = requests_of(trial.manifest)
    if wanted and not asked.is_granted:
        what = f"not made: it asks for more than its own folder ({'; '.join(wanted)}); --grant gives it that"
        return Look(name="dry call", status="skipped", what=what)
    began = time.monotonic()
    with held_folder(None) as folder:
        try:
            value = _value(trial.manifest, asked.value, folder)
            told = dict(_parameters(trial.manifest, asked.parameters))
            async with asyncio.timeout(asked.seconds):
                reply = await trial.call(value, QuietReport(), parameters=told)
        except TimeoutError:
            slow = StepError(
                "plugin.too-slow",
                f"the plugin did not answer within {seconds_words(asked.seconds)}",
                mend="give it more with --timeout, or less to do with --input",
            )
            return _failed("dry call", "failed", slow)
        except LaoError as error:
            is_its_own = error.code.partition(".")[0] == trial.manifest.name
            is_sample = is_its_own and asked.value is None
            hint = "; --input gives it something else to work on" if is_sample else ""
            return _failed("dry call", f"failed{hint}", error)
    took = seconds_words(time.monotonic() - began)
    what = f"{_shown(value, 22)} → {_shown(reply.value, 32)} in {took}"
    return Look(name="dry call", status="ok", what=what)


def _sandbox_look(trial: Trial) -> Look:
    """Return what the plugin's worker has proved of itself, if it was started."""
    proof = trial.proof()
    if proof is None:
        what = f"{trial.level} {NAMES[trial.level]} is what this machine has"
        return Look(name="sandbox", status="skipped", what=what)
    held = ", ".join(name for name in _LAYERS if proof.layers.get(name))
    what = f"{proof.level} {NAMES[proof.level]}, as its process proved: {held}"
    return Look(name="sandbox", status="ok", what=what)


def _value(manifest: PluginManifest, given: str | None, folder: Path) -> JsonValue:
    """Return what the call works on: what a person gave, or a sample."""
    if given is None:
        return sample_of(manifest.input, folder)
    taken = Given({"input": Input(type=manifest.input)}, folder)
    taken.take([f"input={given}"], stdin="asked")
    return _plain(taken.values["input"])


def _plain(value: Value) -> JsonValue:
    match value:
        case FileValue():
            return value.path
        case list():
            return [_plain(each) for each in value]
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case _:
            return value


def _parameters(
    manifest: PluginManifest, given: Sequence[str]
) -> Iterator[tuple[str, JsonValue]]:
    """Yield parameters as a person typed them: JSON, unless a text is wanted."""
    for each in given:
        name, equals, text = each.partition("=")
        if not equals or name not in manifest.properties:
            raise UsageError(
                "plugin.unknown-parameter",
                f"the plugin has no parameter {name!r}",
                mend=f"write --with NAME=VALUE; {did_you_mean(name, manifest.properties)}",
            )
        if manifest.properties[name].get("type") == "string":
            yield name, text
            continue
        try:
            yield name, read_json(text)
        except ValueError:
            yield name, text


def _failed(name: str, what: str, error: LaoError) -> Look:
    return Look(
        name=name,
        status="failed",
        what=what,
        problems=error.problems,
        exit_code=error.exit_code,
    )


def _shown(value: JsonValue, most: int) -> str:
    return one_line(json.dumps(value, ensure_ascii=False), most)


def _problem(problem: Problem) -> dict[str, str]:
    where = "" if problem.where is None else str(problem.where)
    return {
        "code": problem.code,
        "what": problem.what,
        "where": where,
        "mend": problem.mend,
    }


def _as_json(looks: Sequence[Look]) -> str:
    found = [
        {
            "name": each.name,
            "status": each.status,
            "what": each.what,
            "problems": [_problem(problem) for problem in each.problems],
        }
        for each in looks
    ]
    return json.dumps(found, ensure_ascii=False, indent=2) + "\n"
