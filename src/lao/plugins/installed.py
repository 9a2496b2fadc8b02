# SPDX-License-Identifier: Apache-2.0
"""The plugins of this user: one folder each below `<data>/plugins`.

Folders are looked at when a plugin is asked for; only names are read before.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from lao.errors import RefusedByPolicy, UsageError, did_you_mean
from lao.plugins.folder import unreadable
from lao.plugins.manifest import MANIFEST, read_manifest
from lao.plugins.manifest_shape import PLUGIN_NAME
from lao.plugins.reach import require_reach
from lao.plugins.trust import (
    Trust,
    TrustRecord,
    changed,
    contents_of_folder,
    digest_of,
    digest_of_folder,
    require_private,
    trust_in,
    write_trust,
)
from lao.workflow.plugins import PluginManifest

VENDOR: Final = "vendor"
"""The folder, in a plugin's own, of the packages that it brings with it."""
_NAME: Final = re.compile(PLUGIN_NAME)


class InstalledPlugin(Struct, frozen=True, kw_only=True):
    """A plugin as it lies there now.

    `digest` is empty, and `trust` never "trusted", where the folder holds something
    that no plugin may hold.
    """

    name: str
    folder: Path
    manifest: PluginManifest
    trust: Trust
    digest: str


def plugins_folder(data: Path) -> Path:
    """Return where plugins are kept; it need not exist."""
    return data / "plugins"


def import_roots(folder: Path) -> tuple[Path, ...]:
    """Return where the packages of a plugin lie: its own, then those it brings."""
    own = folder / "src"
    roots = (own if own.is_dir() else folder, folder / VENDOR)
    return tuple(root for root in roots if root.is_dir())


class Manifests(Mapping[str, PluginManifest]):
    """The manifests of the installed plugins, each read when it is asked for."""

    def __init__(self, data: Path) -> None:
        self._folder = plugins_folder(data)
        self._read: dict[str, PluginManifest] = {}

    def __getitem__(self, name: str) -> PluginManifest:
        """Return the manifest.

        Raises:
            KeyError: there is no such plugin.
            InvalidWorkflow: its manifest is wrong, with every problem found.
        """
        if name not in self._read:
            if not _is_plugin(self._folder, name):
                raise KeyError(name)
            self._read[name] = manifest_of(self._folder, name)
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_names(self._folder))

    def __len__(self) -> int:
        return len(_names(self._folder))

    def __contains__(self, name: object) -> bool:
        """Whether there is a plugin of that name; nothing of it is read."""
        return isinstance(name, str) and _is_plugin(self._folder, name)


class _Installed(Mapping[str, InstalledPlugin]):
    """The installed plugins; asking for one reads all its files."""

    def __init__(self, data: Path) -> None:
        self._folder = plugins_folder(data)

    def __getitem__(self, name: str) -> InstalledPlugin:
        if not _is_plugin(self._folder, name):
            raise KeyError(name)
        return look_at(self._folder, name)

    def __iter__(self) -> Iterator[str]:
        return iter(_names(self._folder))

    def __len__(self) -> int:
        return len(_names(self._folder))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and _is_plugin(self._folder, name)


def installed(data: Path) -> Mapping[str, InstalledPlugin]:
    """Return the plugins below a data folder, by name.

    Names alone cost nothing; asking for a plugin reads its manifest and all its files.
    Its manifest may be wrong: `InvalidWorkflow`, with every problem found.
    """
    return _Installed(data)


def trust(data: Path, name: str, *, expected: str | None = None) -> str:
    """Trust a plugin as it is now, and return its digest.

    `expected` is the digest of what a person was shown.

    Raises:
        UsageError: there is no such plugin, or the record cannot be written.
        RefusedByPolicy: it holds what no plugin may hold, asks to read what none can,
            or is no longer as expected.
        InvalidWorkflow: its manifest is wrong.
    """
    folder = plugins_folder(data)
    require_plugin(folder, name)
    manifest = manifest_of(folder, name)
    require_reach(manifest, data)
    require_private(folder)
    files = contents_of_folder(folder / name)
    digest = digest_of(files)
    if expected is not None and digest != expected:
        raise changed(name)
    record = TrustRecord(digest=digest, version=manifest.version, files=files)
    write_trust(folder, name, record)
    return digest


def look_at(folder: Path, name: str) -> InstalledPlugin:
    """Return the plugin of that name in a folder of plugins."""
    try:
        digest = digest_of_folder(folder / name)
    except RefusedByPolicy:
        digest = ""
    manifest = manifest_of(
        folder, name
    )  # later: who trusts it looks at the files again
    return InstalledPlugin(
        name=name,
        folder=folder / name,
        manifest=manifest,
        trust=trust_in(folder, name, digest),
        digest=digest,
    )


def manifest_of(folder: Path, name: str) -> PluginManifest:
    """Return the manifest of an installed plugin, which must go by its folder's name.

    Raises:
        InvalidWorkflow: it is wrong.
        RefusedByPolicy: it calls itself something else (`plugin.changed`).
    """
    manifest = read_manifest(folder / name)
    if manifest.name != name:
        raise changed(name)
    return manifest


def require_plugin(folder: Path, name: str) -> None:
    """Complain if there is no plugin of that name.

    Raises:
        UsageError: `plugin.unknown`.
    """
    if not _is_plugin(folder, name):
        raise UsageError(
            "plugin.unknown",
            f"no plugin is called {name!r}",
            mend=did_you_mean(name, _names(folder))
            if _names(folder)
            else "`lao plugin add PATH` adds one",
        )


def _is_plugin(folder: Path, name: str) -> bool:
    if not _NAME.fullmatch(name):
        return False
    place = folder / name
    try:
        return not place.is_symlink() and (place / MANIFEST).is_file()
    except PermissionError as error:
        raise unreadable(str(place), error) from error


def _names(folder: Path) -> list[str]:
    """Return what is there; nothing where it cannot be looked at."""
    try:
        found = [each.name for each in folder.iterdir()]
        return sorted(name for name in found if _is_plugin(folder, name))
    except (OSError, UsageError):
        return []


def require_listable(folder: Path) -> None:
    """Tell a folder of plugins that cannot be looked at from one without any.

    Raises:
        UsageError: `plugin.unreadable`.
    """
    try:
        for each in folder.iterdir():
            each.lstat()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise unreadable(str(folder), error) from error
