# SPDX-License-Identifier: Apache-2.0
"""`lao verify`: proves the locality promise on this machine."""

import json
import shutil
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from lao.cli.options import common
from lao.cli.terminal import is_terminal, write_answer, write_note

if TYPE_CHECKING:
    from lao.verify.proving import Report

_NOT_PROVED = 1
_WITHOUT_TERMINAL = 100  # columns
_NARROWEST, _WIDEST = 72, 132


@click.command(name="verify")
@click.option(
    "--quick", is_flag=True, help="Only network and files, in one kind of process."
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@common
def command(*, quick: bool, as_json: bool, **flags: object) -> int:
    """Prove that what LAO starts cannot reach the network, your files or you.

    First many attempts are made in a process that nothing locks, to see that they work
    at all; then in every kind of process that LAO has. They are made on listeners, files
    and a process that are there for nothing else. What is yours, such as your home
    folder, is at most listed; nothing of it is changed, and nothing leaves this machine.

    Exit code 0 if everything that the level of this machine promises held; otherwise 1.
    """
    from lao.cli.verify_page import page
    from lao.verify.proving import prove

    is_heard = is_terminal(sys.stderr) and not flags.get("quiet")

    def tell(what: str) -> None:
        if is_heard:
            write_note(f"trying: {what}")

    report = prove(quick=quick, tell=tell)
    if as_json:
        write_answer(_as_json(report))
    else:
        write_answer(page(report, width=_width()))
    return 0 if report.holds else _NOT_PROVED


def _width() -> int:
    columns = shutil.get_terminal_size((_WITHOUT_TERMINAL, 24)).columns
    return max(_NARROWEST, min(columns, _WIDEST))


def _as_json(report: "Report") -> str:
    from lao import __version__

    machine = report.machine
    found = {
        "lao": __version__,
        "kernel": report.kernel,
        "level": report.level,
        "holds": report.holds,
        "machine": {
            "architecture": machine.arch,
            "landlock": machine.landlock_abi,
            "seccomp": machine.seccomp,
            "bwrap": machine.bwrap,
        },
        "controls": {
            "succeeded": report.shown,
            "of": len(report.attempts),
            "outcomes": {n: asdict(outcome) for n, outcome in report.controls.items()},
        },
        "processes": {
            kind: {"level": proof.level, "layers": dict(proof.layers)}
            for kind, proof in report.proofs.items()
        },
        "findings": [asdict(each) for each in report.findings],
        "not_started": dict(report.failures),
        "nothing_shown": list(report.gaps),
        "seconds": round(report.seconds, 2),
    }
    return json.dumps(found, ensure_ascii=False, indent=2) + "\n"
