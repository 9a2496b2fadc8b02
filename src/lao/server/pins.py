# SPDX-License-Identifier: Apache-2.0
"""Which steps of a workflow file give the output of an earlier run, until further notice.

One small JSON file for each workflow file, in LAO's own data folder: pins are a
person's, not the workflow's.
"""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from lao.errors import LaoError
from lao.files import ABSENT, read_regular

_LARGEST: Final = 1 << 20


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What a file of pins holds. `source` is there for people who look into it."""

    source: str
    pins: dict[str, str]


class Pins:
    """The pins of all workflow files. Without a folder they last as long as this.

    State: those without a folder.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._passing: dict[str, dict[str, str]] = {}

    def of(self, source: Path) -> dict[str, str]:
        """Return the run of each pinned step; none where they cannot be read."""
        if self._folder is None:
            return dict(self._passing.get(str(source), {}))
        try:
            content = read_regular(self._file(source), limit=_LARGEST)
            return msgspec.json.decode(content, type=_Kept).pins
        except (*ABSENT, OSError, msgspec.DecodeError):
            return {}

    def set(self, source: Path, step: str, run: str | None) -> dict[str, str]:
        """Pin a step to its output in a run, or take its pin away; return all pins.

        Raises:
            LaoError: that cannot be kept (`editor.pins-not-kept`).
        """
        pins = self.of(source)
        pins.pop(step, None)
        if run is not None:
            pins[step] = run
        if self._folder is None:
            self._passing[str(source)] = dict(pins)
        else:
            self._write(source, pins)
        return pins

    def _file(self, source: Path) -> Path:
        digest = sha256(os.fsencode(source)).hexdigest()
        return (self._folder or Path()) / f"{digest[:32]}.json"

    def _write(self, source: Path, pins: Mapping[str, str]) -> None:
        """Write the file whole, or not at all; no pins need no file."""
        file = self._file(source)
        part = file.with_name(f".{secrets.token_hex(8)}.part")
        kept = _Kept(
            source=os.fsencode(source).decode("utf-8", "replace"), pins={**pins}
        )
        try:
            if not pins:
                file.unlink(missing_ok=True)
                return
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            with os.fdopen(os.open(part, flags, 0o600), "wb") as written:
                written.write(msgspec.json.encode(kept))
                written.flush()
                os.fsync(written.fileno())
            part.replace(file)
        except OSError as error:
            raise LaoError(
                "editor.pins-not-kept",
                f"the pins cannot be written: {error.strerror or error}",
                mend="look at the data folder and the disk: `lao runs path` names it",
            ) from error
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)
