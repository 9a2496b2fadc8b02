# SPDX-License-Identifier: Apache-2.0
"""Adds a plugin: unpacks a folder or a wheel, and nothing else. No code runs.

A plugin is filled in a folder that has no plugin's name and put in its place when it
is whole: nobody ever sees a half of one.
"""

import fcntl
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from lao.errors import LaoError, UsageError
from lao.plugins.folder import walk_folder
from lao.plugins.installed import (
    VENDOR,
    import_roots,
    manifest_of,
    plugins_folder,
    require_plugin,
)
from lao.plugins.manifest import MANIFEST, read_manifest
from lao.plugins.reach import require_reach
from lao.plugins.trust import (
    UNFINISHED,
    digest_of_folder,
    forget_trust,
    not_written,
    read_trust,
    withdraw_trust,
)
from lao.plugins.unpacking import Unpacker
from lao.plugins.versions import order_of
from lao.plugins.wheels import unpack_wheel
from lao.recipes import find_recipes
from lao.workflow.plugins import PluginManifest

WHEELS: Final = "wheels"
_FILLING: Final = ".adding-"
_REPLACED: Final = ".replaced-"
_LONG: Final = 60.0  # seconds; a record of trust is written within one
Change = Literal["new", "upgrade", "downgrade", "same"]


class Added(Struct, frozen=True, kw_only=True):
    """A plugin that is there now; `previous` is the version that was there before."""

    name: str
    version: str
    previous: str | None
    change: Change


def add_plugin(
    source: Path,
    data: Path,
    *,
    wheels: Sequence[Path] = (),
    allow_downgrade: bool = False,
    taken: Collection[str] = (),
) -> Added:
    """Add the plugin in a folder or a wheel to those below the data folder.

    `wheels` are further ones that it needs, besides those in its own folder `wheels`;
    they are unpacked into its folder `vendor`. `taken` are names that it cannot have;
    those of LAO's recipes are among them anyway. Trust ends unless nothing changed.

    Raises:
        UsageError: it cannot be read or written, is no plugin, has a recipe's name,
            or is older than what is there.
        InvalidWorkflow: its manifest is wrong, with every problem found.
        RefusedByPolicy: it holds what no plugin may hold, or too much, or asks to
            read what no plugin can (`plugin.reads-too-much`).
    """
    plugins = plugins_folder(data)
    with _changing(plugins) as staging:
        _fill(staging, source, wheels)
        manifest = read_manifest(staging, shown=source)
        require_reach(manifest, data)
        _require_free(manifest.name, taken)
        _require_entry(staging, manifest)
        previous = _version_of(plugins, manifest.name)
        change = _change(manifest.version, previous)
        if change == "downgrade" and not allow_downgrade:
            raise _is_downgrade(manifest, previous)
        _put_in_place(staging, plugins, manifest.name)
    return Added(
        name=manifest.name,
        version=manifest.version,
        previous=previous,
        change=change,
    )


def remove_plugin(data: Path, name: str) -> None:
    """Remove a plugin, and the trust in it.

    Raises:
        UsageError: there is no such plugin, or its folder cannot be written.
    """
    plugins = plugins_folder(data)
    if not plugins.is_dir():
        require_plugin(plugins, name)
    with _changing(plugins) as staging:
        require_plugin(plugins, name)
        forget_trust(plugins, name)
        (plugins / name).rename(staging / name)


@contextmanager
def _changing(plugins: Path) -> Iterator[Path]:
    """Give a new folder to fill, gone at the end; one process at a time has one."""
    try:
        for folder in (plugins.parent, plugins):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as stack:
            lock = os.open(plugins / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
            stack.callback(os.close, lock)
            fcntl.flock(lock, fcntl.LOCK_EX)
            _finish_earlier(plugins)
            filling = tempfile.mkdtemp(prefix=_FILLING, dir=plugins)
            stack.callback(shutil.rmtree, filling, ignore_errors=True)
            staging = Path(filling) / "new"
            staging.mkdir(mode=0o700)
            yield staging
    except OSError as error:
        raise not_written(plugins, error) from error


def _finish_earlier(plugins: Path) -> None:
    """Remove what a process left that ended halfway; put back what it had replaced."""
    for path in plugins.iterdir():
        if path.name.startswith(_REPLACED):
            target = plugins / path.name.removeprefix(_REPLACED)
            if not target.exists():
                path.rename(target)
        if path.name.startswith((_FILLING, _REPLACED)):
            shutil.rmtree(path, ignore_errors=True)
        elif path.name.startswith(UNFINISHED) and _is_old(path):
            path.unlink(missing_ok=True)


def _is_old(path: Path) -> bool:
    """Whether a file is not one that another process writes just now."""
    with suppress(FileNotFoundError):
        return abs(time.time() - path.lstat().st_mtime) > _LONG
    return False


def _fill(staging: Path, source: Path, wheels: Sequence[Path]) -> None:
    unpacker = Unpacker(staging)
    if source.is_dir():
        for entry in walk_folder(source.resolve(), leave_out=_is_left_out):
            if not entry.is_folder:
                unpacker.write(entry.path, entry.content())
    elif source.suffix == ".whl":
        unpack_wheel(source, unpacker)
    else:
        raise UsageError(
            "plugin.bad-source",
            f"{str(source)!r} is neither a folder nor a wheel",
            mend=f"give the folder that holds {MANIFEST}, or a file that ends in .whl",
        )
    own = sorted((staging / WHEELS).glob("*.whl"))
    for wheel in (*own, *wheels):
        unpack_wheel(wheel, unpacker, below=VENDOR)
    shutil.rmtree(staging / WHEELS, ignore_errors=True)


def _is_left_out(name: str) -> bool:
    """Whether a name is that of a tool's own files, and not of a plugin's."""
    return name.startswith(".") or name == "__pycache__"


def _require_free(name: str, taken: Collection[str]) -> None:
    if name in taken or name in find_recipes():
        raise UsageError(
            "plugin.name-taken",
            f"a recipe is called {name!r} already, and a workflow could not tell them "
            "apart",
            mend=f"give the plugin another `name` in its {MANIFEST}",
        )


def _require_entry(folder: Path, manifest: PluginManifest) -> None:
    """Look whether the module that the manifest names can be there at all."""
    top = manifest.entry.partition(":")[0].partition(".")[0]
    if top == "lao" or top in sys.stdlib_module_names:
        what = f"the plugin's package is called {top!r}, as one of Python or LAO is"
        raise UsageError("plugin.no-entry", what, mend="give it another name")
    for root in import_roots(folder):
        if (root / top).is_dir() or any(root.glob(f"{top}.*")):
            return
    raise UsageError(
        "plugin.no-entry",
        f"the manifest's `entry` names the package {top!r}, which is not there",
        mend=f"put it beside {MANIFEST}, or under src/; is it in the wheel?",
    )


def _version_of(plugins: Path, name: str) -> str | None:
    try:
        require_plugin(plugins, name)
        return manifest_of(plugins, name).version
    except LaoError:  # there is none, or one that nobody could use
        return None


def _change(version: str, previous: str | None) -> Change:
    if previous is None:
        return "new"
    before, now = order_of(previous), order_of(version)
    if before == now:
        return "same"
    return "upgrade" if before < now else "downgrade"


def _put_in_place(staging: Path, plugins: Path, name: str) -> None:
    record = read_trust(plugins, name)
    if record is not None and record.digest != digest_of_folder(staging):
        withdraw_trust(plugins, name)
    target, before = plugins / name, plugins / f"{_REPLACED}{name}"
    if os.path.lexists(target):
        target.rename(before)
    staging.rename(target)
    shutil.rmtree(before, ignore_errors=True)


def _is_downgrade(manifest: PluginManifest, previous: str | None) -> UsageError:
    return UsageError(
        "plugin.downgrade",
        f"{manifest.name!r} is there in version {previous}, which is newer than "
        f"{manifest.version}",
        mend="add --downgrade if you want the older one",
    )
