# SPDX-License-Identifier: Apache-2.0
"""`lao doctor`: what works here, and what to do about the rest."""

import asyncio
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
from msgspec.structs import asdict, replace

from lao.cli.options import common, settings_from
from lao.cli.run_words import one_line
from lao.cli.terminal import write_answer
from lao.config import Settings

if TYPE_CHECKING:
    from lao.cli.findings import Finding

_MARKS = {"ok": "✓", "note": "·", "gap": "!", "broken": "✗"}
_BROKEN = 1


@click.command(name="doctor")
@click.option("--paths", is_flag=True, help="Print only where LAO keeps things.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@common
def command(*, paths: bool, as_json: bool, **flags: object) -> int:
    """Say what works on this machine, and what to do about each gap.

    Exit code 0 as long as LAO itself works; 1 if something it cannot do without is
    broken.
    """
    settings = settings_from(flags)
    if paths:
        write_answer(_paths(settings, as_json=as_json))
        return 0
    from lao.cli.confined import confined
    from lao.cli.diagnosis import configured_models, diagnose

    models = configured_models(settings)
    looking = replace(settings, accept_no_isolation=True)  # to say that there is none
    with confined(looking, models, asks_server=True) as confinement:
        findings = asyncio.run(diagnose(settings, confinement))
    if as_json:
        listed = [asdict(each) for each in findings]
        write_answer(json.dumps(listed, ensure_ascii=False, indent=2) + "\n")
    else:
        write_answer(_page(findings))
    return _BROKEN if any(each.status == "broken" for each in findings) else 0


def _page(findings: Sequence["Finding"]) -> str:
    lines: list[str] = []
    area = ""
    width = max(len(each.name) for each in findings)
    for each in findings:
        if each.area != area:
            area = each.area
            lines += ["", area] if lines else [area]
        mark = _MARKS[each.status]
        lines.append(f"  {mark} {each.name:<{width}}  {one_line(each.what, 400)}")
        if each.mend:
            lines.append(f"    {'':<{width}}  → {one_line(each.mend, 400)}")
    return "\n".join(lines) + "\n"


def _paths(settings: Settings, *, as_json: bool) -> str:
    folders = settings.folders
    found = {
        "config": str(folders.config / "config.toml"),
        "recipes": str(folders.config / "recipes"),
        "data": str(folders.data),
        "cache": str(folders.cache),
    }
    if as_json:
        return json.dumps(found, ensure_ascii=False, indent=2) + "\n"
    return "".join(
        f"{name:<8} {one_line(path, 4096)}\n" for name, path in found.items()
    )
