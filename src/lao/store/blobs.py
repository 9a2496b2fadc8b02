# SPDX-License-Identifier: Apache-2.0
"""Large values as files named by their digest: written whole, verified when read."""

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from lao.errors import StoreError
from lao.store.complaints import translated

BLOB_BYTES = 64 << 10
"""What is larger lives in a file of its own."""

_PART = ".part"


def digest_of(data: bytes) -> str:
    """Return the name of a content."""
    return sha256(data).hexdigest()


class Blobs(Struct, frozen=True):
    """A folder of files, two levels deep, each named by the SHA-256 of its content.

    Files come and go only inside a transaction of the database, so that nobody
    removes one as another takes it for granted. `sync`: they survive power loss.
    """

    folder: Path
    sync: bool = False

    def put(self, digest: str, data: bytes) -> None:
        """Keep a content; the same one is kept once. A damaged copy is replaced."""
        path = self.path(digest)
        with translated(path):
            if not _holds(path, digest):
                self._write(data, path)

    def get(self, digest: str) -> bytes:
        """Return a content.

        Raises:
            StoreError: `store.blob-missing` or `store.blob-damaged`.
        """
        path = self.path(digest)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise StoreError(
                "store.blob-missing",
                f"a kept value is gone: {str(path)!r} ({error.strerror})",
                mend="remove the run, and run again",
            ) from error
        if digest_of(data) != digest:
            raise StoreError(
                "store.blob-damaged",
                f"a kept value has changed on disk: {str(path)!r}",
                mend="remove the run, and run again",
            )
        return data

    def path(self, digest: str) -> Path:
        """Return where a content lies, or would lie."""
        return self.folder / digest[:2] / digest

    def files(self) -> Iterator[Path]:
        """Yield every file, also what a crash left half-written."""
        try:
            shelves = [each.path for each in os.scandir(self.folder) if each.is_dir()]
        except FileNotFoundError:
            return
        for shelf in shelves:
            yield from map(Path, (each.path for each in os.scandir(shelf)))

    def _write(self, data: bytes, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_name(path.name + _PART)
        try:
            # A crash may have left one; nobody else writes now.
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            with open(os.open(part, flags, 0o600), "wb") as file:  # noqa: PTH123
                file.write(data)
                file.flush()
                if self.sync:
                    os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        if self.sync:
            _sync_folder(path.parent)


def _holds(path: Path, digest: str) -> bool:
    try:
        return digest_of(path.read_bytes()) == digest
    except FileNotFoundError:
        return False


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
