# SPDX-License-Identifier: Apache-2.0
"""Keeps what native code prints to standard error while it works."""

import os
import tempfile
from types import TracebackType
from typing import Self


class StderrCapture:
    """A `with` block that catches file descriptor 2 of the whole process.

    A file takes the output, since nobody would empty a pipe while native code holds
    the interpreter. At the end the output goes where it should have gone.
    """

    def __enter__(self) -> Self:
        """Send descriptor 2 to a file without a name."""
        self._file = tempfile.TemporaryFile(dir=".")
        self._stderr = os.dup(2)
        os.dup2(self._file.fileno(), 2)
        return self

    def text(self) -> str:
        """Return what has been printed so far."""
        end = os.fstat(self._file.fileno()).st_size
        return os.pread(self._file.fileno(), end, 0).decode(errors="replace")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give descriptor 2 back, and what was printed to it."""
        os.dup2(self._stderr, 2)
        os.close(self._stderr)
        os.write(2, self.text().encode())
        self._file.close()
