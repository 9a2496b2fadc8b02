# SPDX-License-Identifier: Apache-2.0
"""Where a recording lies that came through a pipe: models read files."""

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from lao.cli.going_on import can_go_on
from lao.config import Settings
from lao.workers.clearing import held_folder, sweep

if TYPE_CHECKING:
    from lao.store.opening import Store

IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108  (a private folder is made in it)


class Scratch:
    """A folder for one run. Used as `with`; made by whoever puts something in it.

    It lies beside the journal and stays for a run that can still go on; that of an
    ephemeral run lies in memory, where the system has such a place.
    """

    def __init__(
        self, settings: Settings, run: str, store: "Store | None" = None
    ) -> None:
        self._is_ephemeral = settings.ephemeral
        self._run = run
        self._store = store
        self._held = ExitStack()
        self.folder = _folder(settings, run)

    def __enter__(self) -> Self:
        """Make the folder of an ephemeral run; all its temporary files go there.

        Those of ephemeral runs that were killed are removed, whatever run this is.
        """
        place = IN_MEMORY if IN_MEMORY.is_dir() else None
        sweep(place)
        if self._is_ephemeral:
            self.folder = self._held.enter_context(held_folder(place))
            tempfile.tempdir = str(self.folder)
        return self

    def __exit__(self, *failure: object) -> None:
        """Remove the folder, unless the run may need it again."""
        if self._is_ephemeral:
            tempfile.tempdir = None
            self._held.close()
        elif not can_go_on(self._store, self._run):
            shutil.rmtree(self.folder, ignore_errors=True)


def forget_scratch(settings: Settings, run: str) -> None:
    """Remove the folder of a run that is done."""
    shutil.rmtree(_folder(settings, run), ignore_errors=True)


def _folder(settings: Settings, run: str) -> Path:
    return settings.folders.data / "spool" / run
