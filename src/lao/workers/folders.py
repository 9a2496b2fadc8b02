# SPDX-License-Identifier: Apache-2.0
"""Where things lie in the private folder of a worker; both sides of the pipe know it."""

from pathlib import Path

from msgspec import Struct


class WorkerFolder(Struct, frozen=True):
    """The folder of one worker: `scratch` and `inbox`."""

    root: Path

    @property
    def scratch(self) -> Path:
        """Where the worker works, and may write."""
        return self.root / "scratch"

    @property
    def inbox(self) -> Path:
        """What the worker may only read."""
        return self.root / "inbox"

    def request_file(self, request: int) -> Path:
        """Return where a request lies that is too long for a frame."""
        return self.inbox / f"request-{request}.json"

    def input_files(self, request: int) -> Path:
        """Return the folder of the copies of a request's files."""
        return self.inbox / f"files-{request}"

    def reply_file(self, request: int) -> Path:
        """Return where its reply lies, if that is too long."""
        return self.scratch / f"reply-{request}.json"
