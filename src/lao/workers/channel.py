# SPDX-License-Identifier: Apache-2.0
"""One worker process and its pipes: started, and surely ended with its whole group."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from io import FileIO

from msgspec import Struct

from lao.isolation.launching import Launched, Launcher
from lao.isolation.limits import usage_of
from lao.isolation.orders import Order
from lao.workers.folders import WorkerFolder
from lao.workers.frame_reader import FrameReader
from lao.workers.pipes import PIECE, PipeReader

_GONE_SECONDS = 0.5
_F_SETPIPE_SZ = 1031
_PIPE_BYTES = 1 << 18


class Channel(Struct, frozen=True, kw_only=True):
    """A running worker: frames in and out, and whatever it prints.

    Its stdout and stderr are one pipe apart from the frames, so that a model that
    prints does no harm.
    """

    process: Launched
    folder: WorkerFolder
    requests: asyncio.StreamWriter
    replies: FrameReader
    printed: PipeReader

    @property
    def is_congested(self) -> bool:
        """Whether what was written has to wait, or went nowhere."""
        transport = self.requests.transport
        return transport.get_write_buffer_size() > 0 or transport.is_closing()

    def kill(self) -> None:
        """End the process and all that it started."""
        self.process.kill()


@asynccontextmanager
async def open_channel(
    order: Order, launcher: Launcher, folder: WorkerFolder
) -> AsyncIterator[Channel]:
    """Start a worker; at the end kill it with all its kin, and close the pipes."""
    with ExitStack() as ours:
        with ExitStack() as theirs:
            their_requests, requests = _pipe(reads=theirs, writes=ours)
            replies, their_replies = _pipe(reads=ours, writes=theirs)
            printed, their_output = _pipe(reads=ours, writes=theirs)
            pipes = (
                their_requests.fileno(),
                their_replies.fileno(),
                their_output.fileno(),
            )
            process = await launcher.launch(order, pipes)
        try:
            yield Channel(
                process=process,
                folder=folder,
                requests=await _writer(requests, ours),
                replies=FrameReader(replies),
                printed=PipeReader(printed, hasty=PIECE + 1),  # nobody hurries
            )
        finally:
            worker = process.pid
            process.kill()
            await process.wait()
            await _until_gone(worker)


async def _until_gone(pid: int) -> None:
    """Wait for the end of a killed worker whose bubblewrap has ended before it."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_GONE_SECONDS):
            while usage_of(pid) is not None:  # noqa: ASYNC110  (nothing tells us)
                await asyncio.sleep(0.001)


def _pipe(*, reads: ExitStack, writes: ExitStack) -> tuple[FileIO, FileIO]:
    """Return the two ends of a new pipe, each closed by the stack of its side."""
    source, sink = os.pipe()
    with suppress(OSError):  # the user may have no more; a smaller one works too
        fcntl.fcntl(sink, _F_SETPIPE_SZ, _PIPE_BYTES)
    reader = reads.enter_context(FileIO(source, "r"))
    writer = writes.enter_context(FileIO(sink, "w"))
    return reader, writer


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
