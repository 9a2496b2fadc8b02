# SPDX-License-Identifier: Apache-2.0
"""Trust in a plugin: a digest of all its files, which any change ends.

The record stands beside the plugin's folder, `NAME.trust.json`: what writes into the
folder does not reach it.
"""

import json
import os
import shlex
import stat
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct, field
from msgspec.structs import asdict, replace

from lao.errors import LaoError, RefusedByPolicy, UsageError
from lao.files import ABSENT, read_regular
from lao.plugins.folder import Entry, unreadable, walk_folder

Trust = Literal["trusted", "untrusted", "changed"]

UNFINISHED: Final = ".trust-"
"""How the name of a record begins that is still being written."""
_LARGEST_RECORD: Final = 32 << 20


class TrustRecord(Struct, frozen=True, kw_only=True):
    """What a person trusted, and which version it called itself.

    `files` has each path with its mode and digest, as `contents_of_folder` tells them:
    so that it can be said what has changed since. Without a digest the trust was
    withdrawn: it is known what was trusted, and nothing is.
    """

    digest: str
    version: str
    files: Mapping[str, str] = field(default_factory=dict)


class Changes(Struct, frozen=True, kw_only=True):
    """The paths that differ from those of what was trusted."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


def digest_of_folder(folder: Path) -> str:
    """Return "sha256:…" of every file's path, mode and content. Reads all: blocks.

    Raises:
        RefusedByPolicy: it holds a link or a device, or too much.
        UsageError: it cannot be read.
    """
    return digest_of(contents_of_folder(folder))


def contents_of_folder(folder: Path) -> Mapping[str, str]:
    """Return each path with its mode and the digest of its content; raises as above."""
    return {entry.path: _told(entry) for entry in walk_folder(folder)}


def digest_of(contents: Mapping[str, str]) -> str:
    """Return the digest of a whole folder."""
    whole = sha256()
    for path, told in sorted(contents.items()):
        data = os.fsencode(path)  # its length parts it from the rest
        whole.update(b"%d:%b %b\n" % (len(data), data, told.encode()))
    return f"sha256:{whole.hexdigest()}"


def _told(entry: Entry) -> str:
    content = "folder" if entry.is_folder else _digest(entry)
    return f"{stat.S_IMODE(entry.found.st_mode):o} {content}"


def _digest(entry: Entry) -> str:
    hasher = sha256()
    for part in entry.content():
        hasher.update(part)
    return hasher.hexdigest()


def read_trust(plugins: Path, name: str) -> TrustRecord | None:
    """Return what was trusted of a plugin; None if nothing, or nothing that can be read."""
    try:
        found = json.loads(read_regular(_record(plugins, name), limit=_LARGEST_RECORD))
    except (OSError, ValueError, RecursionError):
        return None
    match found:
        case {"digest": str(digest), "version": str(version), "files": {**files}}:
            told = {str(path): str(each) for path, each in files.items()}
            return TrustRecord(digest=digest, version=version, files=told)
        case _:
            return None


def trust_in(plugins: Path, name: str, digest: str) -> Trust:
    """Return how a plugin with that digest stands."""
    record = read_trust(plugins, name)
    if record is None or not record.digest:
        return "untrusted"
    return "trusted" if record.digest == digest else "changed"


def changes(trusted: Mapping[str, str], now: Mapping[str, str]) -> Changes:
    """Return what differs between two folders, by path."""
    both = trusted.keys() & now.keys()
    return Changes(
        added=tuple(sorted(now.keys() - both)),
        removed=tuple(sorted(trusted.keys() - both)),
        changed=tuple(sorted(path for path in both if trusted[path] != now[path])),
    )


def write_trust(plugins: Path, name: str, record: TrustRecord) -> None:
    """Trust what has that digest; whole or not at all.

    Raises:
        LaoError: the data folder cannot be written.
    """
    text = json.dumps(asdict(record))
    try:
        descriptor, path = tempfile.mkstemp(prefix=UNFINISHED, dir=plugins)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(path).replace(_record(plugins, name))
    except OSError as error:
        raise not_written(plugins, error) from error


def require_private(plugins: Path) -> None:
    """Refuse where another user could write the record of what this one trusts.

    Raises:
        RefusedByPolicy: `plugin.exposed-folder`.
        UsageError: the folder cannot be looked at.
    """
    for folder in (plugins.parent, plugins):
        try:
            found = folder.stat()
        except OSError as error:
            raise unreadable(str(folder), error) from error
        if found.st_uid not in (os.geteuid(), 0) or found.st_mode & stat.S_IWOTH:
            raise RefusedByPolicy(
                "plugin.exposed-folder",
                f"the folder {str(folder)!r} can be written by others, who could "
                "trust a plugin in your name",
                mend=f"make it yours alone: chmod 700 {shlex.quote(str(folder))}; "
                "then look at your plugins again",
            )


def withdraw_trust(plugins: Path, name: str) -> None:
    """Trust a plugin no more, and keep in mind what was trusted.

    Raises:
        LaoError: the data folder cannot be written.
    """
    record = read_trust(plugins, name)
    if record is not None:
        write_trust(plugins, name, replace(record, digest=""))


def forget_trust(plugins: Path, name: str) -> None:
    """Trust a plugin no more.

    Raises:
        LaoError: the data folder cannot be written.
    """
    try:
        _record(plugins, name).unlink()
    except ABSENT:
        pass
    except OSError as error:
        raise not_written(plugins, error) from error


def not_written(plugins: Path, error: OSError) -> LaoError:
    """Return the complaint about a data folder that cannot be written."""
    return UsageError(
        "plugin.not-written",
        f"the folder {str(plugins)!r} cannot be written: {error.strerror or error}",
        mend="check its rights, and whether the disk is full",
    )


def untrusted(name: str) -> RefusedByPolicy:
    """Return the refusal of a plugin that nobody has trusted yet."""
    return RefusedByPolicy(
        "plugin.untrusted",
        f"the plugin {name!r} is not trusted yet, so its code does not run",
        mend=f"`lao plugin trust {name}` shows what it asks for, and asks you",
    )


def changed(name: str) -> RefusedByPolicy:
    """Return the refusal of a plugin whose files are not those that were trusted."""
    return RefusedByPolicy(
        "plugin.changed",
        f"the files of the plugin {name!r} are not those that were trusted",
        mend="if you changed them, `lao plugin trust "
        f"{name}` trusts them as they are; if not, add the plugin again",
    )


def _record(plugins: Path, name: str) -> Path:
    return plugins / f"{name}.trust.json"
