# SPDX-License-Identifier: Apache-2.0
"""`lao cache`: the results that are kept so that nothing known is done twice."""

import json
import time
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from lao.cli.moments import full_moment, read_age
from lao.cli.options import common, settings_from
from lao.cli.run_words import one_line
from lao.cli.tables import size_words
from lao.cli.terminal import write_answer, write_note
from lao.config import Settings
from lao.errors import UsageError
from lao.history.kept_runs import has_history, open_history
from lao.units import parse_size

if TYPE_CHECKING:
    from lao.store.opening import Store

_JSON = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")


@click.group(name="cache", invoke_without_command=True)
@_JSON
@common
@click.pass_context
def command(context: click.Context, /, *, as_json: bool, **flags: object) -> int:
    """Say how much is kept of results; or forget some.

    \b
    lao cache info
    lao cache prune --older-than 30d
    lao cache prune --to 1GiB

    What is forgotten is made again when it is needed: that costs time, no more.
    """
    if context.invoked_subcommand is not None:
        return 0
    return _print_info(settings_from(flags), as_json=as_json)


@command.command(name="info")
@_JSON
@common
def info(*, as_json: bool, **flags: object) -> int:
    """Say how many results are kept, how large they are, and where."""
    return _print_info(settings_from(flags), as_json=as_json)


@command.command(name="prune")
@click.option("--older-than", metavar="AGE", help="Those unused for, for example, 30d.")
@click.option("--to", "most", metavar="SIZE", help="The least used, down to SIZE.")
@click.option("--all", "everything", is_flag=True, help="Every one of them.")
@common
def prune(
    older_than: str | None, most: str | None, *, everything: bool, **flags: object
) -> int:
    """Forget results: those long unused, the least used beyond a size, or all."""
    if [older_than is None, most is None, not everything].count(False) != 1:
        raise UsageError(
            "cache.no-rule",
            "`lao cache prune` needs to be told which results to forget",
            mend="give one of --older-than 30d, --to 1GiB, --all",
        )
    unused = None if older_than is None else time.time() - read_age(older_than)
    limit = None if most is None else _size(most)
    settings = settings_from(flags)
    removed, freed = 0, 0
    if has_history(settings):
        with open_history(settings) as store:
            before = store.results.info().bytes
            if limit is not None:
                removed = store.results.trim(limit)
            else:
                removed = store.results.prune(unused_since=unused)
            freed = before - store.results.info().bytes
            store.forget()
    if not flags["quiet"]:
        plural = "" if removed == 1 else "s"
        write_note(f"forgot {removed:,} result{plural}, {size_words(freed)}")
    return 0


def _size(text: str) -> int:
    found = parse_size(text)
    if found is None:
        raise UsageError(
            "usage.bad-size",
            f"{text!r} is not a size",
            mend="write it as 500MiB or 2GiB",
        )
    return found


# -- info -----------------------------------------------------------------------


class CacheInfo(Struct, frozen=True, kw_only=True):
    """What is kept. `oldest` is when the longest unused result was last used."""

    results: int = 0
    result_bytes: int = 0
    oldest: float | None = None
    disk_bytes: int = 0


def _print_info(settings: Settings, *, as_json: bool) -> int:
    found = CacheInfo()
    if has_history(settings):
        with open_history(settings) as store:
            found = _read_info(store)
    limit, folder = settings.cache_size, str(settings.folders.data)
    if as_json:
        report = {
            "results": found.results,
            "bytes": found.result_bytes,
            "limit": limit,
            "oldest_use": found.oldest,
            "disk_bytes": found.disk_bytes,
            "path": folder,
        }
        write_answer(json.dumps(report, ensure_ascii=False, indent=2) + "\n")
        return 0
    share = 100 * found.result_bytes / limit
    lines = [
        f"results   {found.results:,}",
        f"size      {size_words(found.result_bytes)} of {size_words(limit)} ({share:.0f} %)",
    ]
    if found.oldest is not None:
        lines.append(f"unused    since {full_moment(found.oldest)} at the longest")
    lines.append(f"on disk   {size_words(found.disk_bytes)}, runs included")
    lines.append(f"where     {one_line(folder, 4096)}")
    write_answer("".join(f"{line}\n" for line in lines))
    return 0


def _read_info(store: "Store") -> CacheInfo:
    results, usage = store.results.info(), store.usage()
    return CacheInfo(
        results=results.count,
        result_bytes=results.bytes,
        oldest=results.oldest,
        disk_bytes=usage.database_bytes + usage.blob_bytes,
    )
