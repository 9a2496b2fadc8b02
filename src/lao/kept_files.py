# SPDX-License-Identifier: Apache-2.0
"""A folder of files that can be made anew: small, private, bounded, never in the way.

What is damaged, or could be somebody else's, is not there; what cannot be written is
not kept. The oldest files go when there are too many.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Final
from uuid import uuid4

from msgspec import Struct

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NOT_OWN: Final = 0o077
_DIGEST: Final = 32  # bytes; each file begins with the digest of the rest


class KeptFiles(Struct, frozen=True, kw_only=True):
    """Files by name in a folder of one's own. `writes` False leaves it as it is.

    A file larger than `most_bytes` / 4 is not kept: it would push out all others.
    """

    folder: Path
    writes: bool = True
    most_files: int = 256
    most_bytes: int = 32 << 20

    def find(self, name: str) -> bytes | None:
        """Return the content of a file; None where there is none that can be trusted."""
        try:
            with self._opened() as folder:
                content = self._read(name, folder)
        except OSError:
            return None
        digest, rest = content[:_DIGEST], content[_DIGEST:]
        return rest if sha256(rest).digest() == digest else None

    def keep(self, name: str, content: bytes) -> None:
        """Keep a file under a name. Where that cannot be done, nothing happens."""
        if not self.writes or len(content) > self._largest:
            return
        with suppress(OSError):
            self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.mkdir(mode=0o700, exist_ok=True)
            with self._opened() as folder:
                _write(name, sha256(content).digest() + content, folder)
                self._drop_oldest(folder)

    @property
    def _largest(self) -> int:
        return self.most_bytes // 4

    @contextmanager
    def _opened(self) -> Iterator[int]:
        descriptor = os.open(self.folder, _FOLDER)
        try:
            _require_own(os.fstat(descriptor))
            yield descriptor
        finally:
            os.close(descriptor)

    def _read(self, name: str, folder: int) -> bytes:
        descriptor = os.open(name, _READ, dir_fd=folder)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            _require_own(found)
            if not stat.S_ISREG(found.st_mode):
                raise PermissionError(name)
            return file.read(self._largest + _DIGEST)

    def _drop_oldest(self, folder: int) -> None:
        found: list[tuple[int, str, int]] = []
        for name in os.listdir(folder):
            with suppress(FileNotFoundError):  # another process dropped it
                about = os.stat(name, dir_fd=folder, follow_symlinks=False)
                found.append((about.st_mtime_ns, name, about.st_size))
        count, size = len(found), sum(each[2] for each in found)
        for _, name, of_file in sorted(found):
            if count <= self.most_files and size <= self.most_bytes:
                return
            with suppress(OSError):
                os.unlink(name, dir_fd=folder)
            count, size = count - 1, size - of_file


def _require_own(found: os.stat_result) -> None:
    if found.st_uid != os.geteuid() or found.st_mode & _NOT_OWN:
        raise PermissionError("others may write or read here")


def _write(name: str, content: bytes, folder: int) -> None:
    part = f".{uuid4().hex}"
    descriptor = os.open(part, _WRITE, 0o600, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.replace(part, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        with suppress(OSError):
            os.unlink(part, dir_fd=folder)
        raise
