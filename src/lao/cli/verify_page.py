# SPDX-License-Identifier: Apache-2.0
"""The report of `lao verify` for people: every attempt, then the sum, then what it means."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from lao.cli.run_words import one_line, seconds_words
from lao.cli.tables import table, width_of
from lao.isolation.levels import NAMES
from lao.verify.attempt import AREAS
from lao.verify.judging import Finding
from lao.verify.proving import Report

_SIGNS: Final = {
    "worker": "w",
    "server": "s",
    "program": "p",
    "orchestrator": "O",
    "broker": "B",
    "spawner": "S",
}
_AREAS: Final = (*AREAS, "its lock", "its requests")
_MARKS: Final = {"held": "✓", "open": "✗", "left open": "○", "not shown": "·"}
_VERDICTS: Final = {"open": "IT WORKED", "left open": "no layer here stops it"}
_HOW_WIDTH: Final = 23
_LEGEND: Final = (
    "w: worker (a model in Python, a custom model, a plugin) · s: server (a worker that "
    "listens on a unix socket: llama.cpp) · p: program (whisper-cli, ffmpeg) · "
    "O: orchestrator (LAO itself) · B: broker (connects to model servers) · "
    "S: spawner (starts the processes). ✓ held · ✗ open · ○ left open"
)
_COVERED: Final = (
    "Covered: every kind of process that LAO starts, and LAO's own, as they are started "
    "on this machine, with this kernel, in this run. Another kernel, container or "
    "version wants another run."
)
_NOT_COVERED: Final = (
    "Not covered: what your own model server does with a prompt; your program, where it "
    "calls LAO's Python API; swap, hibernation, the clipboard and graphics memory; "
    "covert channels, such as timing, between processes of this machine. An attempt "
    "is one way in; that none of these works does not show that there is no other."
)
_METADATA: Final = (
    "Left open at this level: whether a file elsewhere exists, its size, times and owner, "
    "and where a link leads, can be asked for where the path is known; no content can be "
    "read. With bubblewrap installed, and allowed, the level is L3, which closes this too."
)
_FILES_OPEN: Final = (
    "Left open at this level: this kernel has no Landlock, or an old one, so that a worker "
    "can read and change your files. It can send nothing itself, but it could leave "
    "something behind that runs later, without a lock. Linux 6.7 or newer closes this."
)


def page(report: Report, *, width: int) -> str:
    """Return the whole report; nothing in it is obeyed by a terminal."""
    parts = [
        _head(report, width),
        *_areas(report, width),
        "\n".join(_wrapped(_LEGEND, width)) + "\n",
        _unshown(report, width),
        _sums(report),
        _meaning(report, width),
    ]
    return "\n".join(part for part in parts if part)


def _head(report: Report, width: int) -> str:
    machine = report.machine
    layers = [f"Landlock {machine.landlock_abi}" if machine.landlock_abi else ""]
    layers += ["seccomp" if machine.seccomp else "", "namespaces" * bool(machine.bwrap)]
    words = ", ".join(filter(None, layers))
    level = f"{report.level} {NAMES[report.level]}"
    lines = [f"{level} · Linux {one_line(report.kernel, 40)} · {words}"]
    lines += _wrapped(
        f"Controls: where nothing is locked, {report.shown} of {len(report.attempts)} "
        "attempts succeed. Only these can show anything.",
        width,
    )
    return "\n".join(lines) + "\n"


def _areas(report: Report, width: int) -> Iterator[str]:
    """Yield a table for each area: what was tried, where, and what held."""
    for area in _AREAS:
        found = [e for e in report.findings if e.area == area and _is_shown(e)]
        if found:
            lines = [_row(group, width) for group in _alike(found)]
            yield "\n".join([area, *lines]) + "\n"


def _is_shown(finding: Finding) -> bool:
    return finding.verdict != "not shown"


def _alike(findings: Sequence[Finding]) -> Iterable[list[Finding]]:
    """Put together what is the same in several kinds of process."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for each in findings:
        key = (each.attempt, each.verdict, each.layer, each.errno)
        groups.setdefault(key, []).append(each)
    order = list(dict.fromkeys(each.attempt for each in findings))
    return sorted(groups.values(), key=lambda group: order.index(group[0].attempt))


def _row(group: Sequence[Finding], width: int) -> str:
    """Return a line: mark, what was tried, in which kinds, what refused it."""
    first = group[0]
    kinds = _kinds([each.kind for each in group])
    how = _VERDICTS.get(first.verdict, "")
    if first.verdict == "held":
        how = f"{first.layer} {first.errno.removeprefix('worker.')}"
    room = width - len("  ✓   ") - len(_SIGNS) - len("  ") - _HOW_WIDTH
    phrase = one_line(first.phrase, room)
    phrase += " " * (room - width_of(phrase))
    how = one_line(how, _HOW_WIDTH)
    return f"  {_MARKS[first.verdict]} {phrase}  {kinds}  {how}".rstrip()


def _kinds(names: Sequence[str]) -> str:
    """Return kinds of process as letters, each always in the same column."""
    return "".join(sign if kind in names else " " for kind, sign in _SIGNS.items())


def _unshown(report: Report, width: int) -> str:
    """Say of what nothing is known here, and why; once for all kinds."""
    found = [each for each in report.findings if not _is_shown(each)]
    if not found:
        return ""
    reasons: dict[str, list[str]] = {}
    for each in found:
        phrases = reasons.setdefault(one_line(each.why, 120), [])
        if each.phrase not in phrases:
            phrases.append(each.phrase)
    lines = ["not shown here"]
    for why, phrases in reasons.items():
        lines += _wrapped(f"· {'; '.join(phrases)}: {why}", width, indent="  ")
    return "\n".join(lines) + "\n"


def _sums(report: Report) -> str:
    """Return how many attempts held, of those that show anything, by kind and area."""
    kinds = [k for k in _SIGNS if any(e.kind == k for e in report.findings)]
    rows = []
    for area in _AREAS:
        cells = [_sum(report, kind, area) for kind in kinds]
        if any(cells):
            rows.append((area, *cells))
    total = [_sum(report, kind, None) for kind in kinds]
    return table(("HELD", *kinds), [*rows, ("all", *total)])


def _sum(report: Report, kind: str, area: str | None) -> str:
    found = [
        each
        for each in report.findings
        if each.kind == kind and area in (None, each.area) and _is_shown(each)
    ]
    held = sum(1 for each in found if each.verdict == "held")
    return f"{held} of {len(found)}" if found else ""


def _meaning(report: Report, width: int) -> str:
    """Return the verdict, and what it does and does not cover."""
    lines = [f"{'✓' if report.holds else '✗'} {_verdict(report)}"]
    for kind, why in report.failures.items():
        lines += _wrapped(f"✗ {kind}: nothing could be tried: {one_line(why)}", width)
    if report.gaps:
        gaps = ", ".join(report.gaps)
        lines += _wrapped(f"✗ nothing could be shown about: {gaps}", width)
    lines += [f"✗ {each.kind}: {one_line(each.phrase)}" for each in report.broken]
    left = [each for each in report.findings if each.verdict == "left open"]
    if left:
        stopped_by = {each.name: each.stopped_by for each in report.attempts}
        has_files = any("landlock" in stopped_by[each.attempt] for each in left)
        lines += ["", *_wrapped(_FILES_OPEN if has_files else _METADATA, width)]
    lines += ["", *_wrapped(_COVERED, width), "", *_wrapped(_NOT_COVERED, width)]
    return "\n".join(lines) + "\n"


def _verdict(report: Report) -> str:
    seconds = seconds_words(report.seconds)
    if report.holds:
        return f"everything that {report.level} promises held ({seconds})"
    return f"not everything that {report.level} promises is proved ({seconds})"


def _wrapped(text: str, width: int, *, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent + "  " * bool(indent),
    )
