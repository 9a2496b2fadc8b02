# SPDX-License-Identifier: Apache-2.0
"""Gives a worker the files of its requests: as copies, in a folder that it can only read.

So the worker needs no right to the place where they come from, and what it reads cannot
change meanwhile.
"""

import asyncio
import errno
import os
import shutil
import stat
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Final

from lao.errors import StepError
from lao.files import open_regular
from lao.workers import failures
from lao.workers.clearing import held_folder
from lao.workers.folders import WorkerFolder
from lao.workers.frames import Frame
from lao.workers.payload import is_in_file, pack, unpack
from lao.workers.strict_json import FrameError, decode_json
from lao.workflow.values import JsonValue

_PIECE: Final = 16 << 20  # between two looks at whether the copy is still wanted
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Inbox:
    """The parent's side of a worker's inbox; `readable` needs no copy.

    State: the requests that brought something which is still there.
    """

    def __init__(self, folder: WorkerFolder, readable: Sequence[str]) -> None:
        self._folder = folder
        self._readable = readable
        self._brought: set[int] = set()

    async def take(self, request: int, files: Sequence[str]) -> Mapping[str, str]:
        """Copy the files of a request; return where each is now.

        Raises:
            StepError: `worker.no-input-file`, `worker.disk-full`.
        """
        wanted = [path for path in files if not _is_beneath(path, self._readable)]
        if not wanted:
            return {}
        self._brought.add(request)
        stop = threading.Event()
        try:
            return await asyncio.to_thread(self._copy_all, request, wanted, stop)
        finally:
            stop.set()

    def pack(self, header: dict[str, JsonValue], value: JsonValue) -> Frame:
        """Return the frame of a request; a long one goes into a file.

        Raises:
            StepError: it cannot be sent (`worker.bad-request`).
        """
        request = int(str(header["id"]))
        try:
            file = partial(self._folder.request_file, request)
            frame = pack(header, value, file=file)
        except (FrameError, OSError) as error:
            self._brought.add(request)
            raise failures.not_sendable(str(error)).error() from None
        if is_in_file(frame):
            self._brought.add(request)
        return frame

    def forget(self, request: int) -> None:
        """Remove what a request brought."""
        if request not in self._brought:
            return
        self._brought.remove(request)
        self._folder.request_file(request).unlink(missing_ok=True)
        shutil.rmtree(self._folder.input_files(request), ignore_errors=True)

    def _copy_all(
        self, request: int, paths: Sequence[str], stop: threading.Event
    ) -> Mapping[str, str]:
        copies = {}
        for number, path in enumerate(dict.fromkeys(paths)):
            place = self._folder.input_files(request) / str(number)
            target = place / Path(path).name
            try:
                place.mkdir(parents=True)
                _copy(path, target, stop)
            except (OSError, ValueError) as error:
                raise _not_copied(path, error) from error
            copies[path] = str(target)
        return copies


async def carried(frame: Frame, folder: WorkerFolder, limit: int) -> JsonValue:
    """Return what a reply carries, which may lie in a file; see `unpack`."""
    if not is_in_file(frame):
        return decode_json(frame.body)
    file = folder.reply_file(int(str(frame.header["id"])))
    return await asyncio.to_thread(_taken, frame, file, limit)


def _taken(frame: Frame, file: Path, limit: int) -> JsonValue:
    found = unpack(frame, file=file, limit=limit)
    file.unlink(missing_ok=True)
    return found


def moved(value: JsonValue, copies: Mapping[str, str]) -> JsonValue:
    """Return a request in which the paths that it is about are those of the copies."""
    if not copies or not isinstance(value, dict):
        return value
    about = {name: _moved(value[name], copies) for name in ("input", "files")}
    return {**value, **about}


def _moved(value: JsonValue, copies: Mapping[str, str]) -> JsonValue:
    match value:
        case str():
            return copies.get(value, value)
        case list() | tuple():
            return [_moved(item, copies) for item in value]
        case dict():
            return {name: _moved(item, copies) for name, item in value.items()}
        case _:
            return value


@contextmanager
def worker_folder(parent: Path | None = None) -> Iterator[WorkerFolder]:
    """Make the private folder of a worker; remove it whatever is in it."""
    with held_folder(parent) as root:
        folder = WorkerFolder(root)
        folder.scratch.mkdir(mode=stat.S_IRWXU)
        folder.inbox.mkdir(mode=stat.S_IRWXU)
        yield folder


def _is_beneath(path: str, places: Sequence[str]) -> bool:
    whole = Path(os.path.normpath(path))
    return any(whole.is_relative_to(place) for place in places)


def _copy(path: str, target: Path, stop: threading.Event) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with (
        open_regular(path) as source,
        FileIO(os.open(target, flags, stat.S_IRUSR | stat.S_IWUSR), "w") as sink,
    ):
        while not stop.is_set() and _copy_piece(source, sink):
            pass


def _copy_piece(source: FileIO, sink: FileIO) -> bool:
    """Copy some bytes, within the kernel where it can; whether there were any.

    `copy_file_range` shares the blocks where the file system can, and copies else;
    `sendfile` also copies from one file system to another.
    """
    for copy in _ways_of_the_kernel():
        # By hand where it cannot: an old kernel, a special file.
        try:
            if copy(source.fileno(), sink.fileno(), _PIECE):
                return True
        except OSError as error:
            if error.errno in _FULL:
                raise
    data = source.read(1 << 20)
    rest = memoryview(data)
    while rest:
        rest = rest[sink.write(rest) :]
    return bool(data)


def _ways_of_the_kernel() -> Iterator[Callable[[int, int, int], int]]:
    if sys.platform == "linux":
        yield os.copy_file_range
        yield _send


def _send(source: int, sink: int, count: int) -> int:
    return os.sendfile(sink, source, None, count)


def _not_copied(path: str, error: OSError | ValueError) -> StepError:
    if isinstance(error, OSError) and error.errno in _FULL:
        return StepError(
            "worker.disk-full",
            f"there is no room for the copy of {path!r} that the model is to read",
            mend=f"make room in {tempfile.gettempdir()}, or set TMPDIR to a folder on "
            "a larger disk",
        )
    return StepError(
        "worker.no-input-file",
        f"the file {path!r} cannot be given to the model: {error}",
        mend="check the path and its permissions",
    )
