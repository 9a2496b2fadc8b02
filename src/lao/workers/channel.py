# SPDX-License-Identifier: Apache-2.0
"""One worker process and its pipes: started, and surely ended with its whole group."""

import asyncio
import os
import shutil
import signal
import stat
import tempfile
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from lao.isolation import worker_command, worker_environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A running worker: frames in and out, and whatever it prints.

    Its stdout and stderr are one pipe apart from the frames, so that a model that
    prints does no harm.
    """

    process: Process
    scratch: Path
    requests: asyncio.StreamWriter
    replies: asyncio.StreamReader
    printed: asyncio.StreamReader

    def kill(self) -> None:
        """End the process and all that it started in its group."""
        _kill_group(self.process.pid)


@asynccontextmanager
async def open_channel(scratch: Path) -> AsyncIterator[Channel]:
    """Start a worker; at the end kill its process group, reap it, close the pipes.

    Call it from the thread that lives as long as LAO: PDEATHSIG fires at the end of
    the *thread* that spawned, and asyncio spawns in the thread of its loop.
    """
    with ExitStack() as ours:
        with ExitStack() as theirs:
            their_requests, requests = _pipe(reads=theirs, writes=ours)
            replies, their_replies = _pipe(reads=ours, writes=theirs)
            printed, their_output = _pipe(reads=ours, writes=theirs)
            inherited = (their_requests.fileno(), their_replies.fileno())
            process = await asyncio.create_subprocess_exec(
                *worker_command(*inherited),
                stdin=DEVNULL,
                stdout=their_output,
                stderr=their_output,
                env=worker_environment(scratch),
                cwd=scratch,
                pass_fds=inherited,
                start_new_session=True,
            )
        try:
            yield Channel(
                process=process,
                scratch=scratch,
                requests=await _writer(requests, ours),
                replies=await _reader(replies, ours),
                printed=await _reader(printed, ours),
            )
        finally:
            _kill_group(process.pid)
            await process.wait()


def _kill_group(leader: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _pipe(*, reads: ExitStack, writes: ExitStack) -> tuple[FileIO, FileIO]:
    """Return the two ends of a new pipe, each closed by the stack of its side."""
    source, sink = os.pipe()
    reader = reads.enter_context(FileIO(source, "r"))
    writer = writes.enter_context(FileIO(sink, "w"))
    return reader, writer


async def _reader(pipe: FileIO, stack: ExitStack) -> asyncio.StreamReader:
    stream = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream), pipe
    )
    stack.callback(transport.close)
    return stream


async def _writer(pipe: FileIO, stack: ExitStack) -> asyncio.StreamWriter:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_write_pipe(
        lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), pipe
    )
    stack.callback(_abort, transport)
    return asyncio.StreamWriter(transport, protocol, None, loop)


def _abort(transport: asyncio.WriteTransport) -> None:
    """Close at once; what was not written has no reader any more."""
    if not transport.is_closing():  # a lost transport cannot be aborted
        transport.abort()


@contextmanager
def scratch_directory(parent: Path | None) -> Iterator[Path]:
    """Make a private directory, and remove it whatever is in it."""
    scratch = Path(tempfile.mkdtemp(prefix="lao-worker-", dir=parent))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        if scratch.exists():  # a folder in it was made unreadable
            for folder, folders, _ in os.walk(scratch):
                for name in folders:
                    with suppress(OSError):
                        (Path(folder) / name).chmod(stat.S_IRWXU)
            shutil.rmtree(scratch, ignore_errors=True)
