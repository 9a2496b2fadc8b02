# SPDX-License-Identifier: Apache-2.0
"""Runs a native program of this machine in a locked process, to its end.

The program gets an argument list and an allow-listed environment, never a shell and
never standard input. It works in a scratch directory and dies with its caller: when
it is cancelled, when the limits are passed, when LAO ends.
"""

import asyncio
import os
import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lao.errors import ModelUnavailable, StepError
from lao.isolation import boot_message
from lao.isolation.limits import resident_bytes, scratch_is_too_large
from lao.policy import WorkerLimits
from lao.workers import failures
from lao.workers.channel import Channel, open_channel
from lao.workers.frames import Frame, encode, encode_json

_WATCH_SECONDS = 0.25
_SILENCE_SECONDS = 1.0  # for a grandchild to close the output after the program ended
_KEPT_LINES = 20
_LONGEST_LINE = 4096
_LINE_ENDS = re.compile(rb"[\r\n]+")

OnLine = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramEnd:
    """How a program ended: its exit code (negative: a signal), its last lines."""

    code: int
    lines: tuple[str, ...]

    @property
    def last_line(self) -> str:
        """The last line that it printed, cleaned; possibly empty."""
        return self.lines[-1] if self.lines else ""


def _ignore(_line: str) -> None:
    """Hear a line, and do nothing."""


async def run_program(
    argv: Sequence[str],
    *,
    scratch: Path,
    limits: WorkerLimits | None = None,
    on_line: OnLine = _ignore,
) -> ProgramEnd:
    """Run `argv` (an absolute path first) in the directory `scratch`.

    `on_line` hears each line of its stdout and stderr, cleaned. Cancel it, or put a
    timeout around it, to kill the program with all that it started.

    Raises:
        ModelUnavailable: `program.missing`, `program.not-executable`.
        StepError: `program.flood`, or `worker.out-of-memory`, `.scratch-full`.
    """
    require_program(Path(argv[0]))
    limits = limits or WorkerLimits()
    async with open_channel(scratch) as channel:
        channel.requests.write(boot_message(limits, run="lao.workers.program_child"))
        body = encode_json(list(argv))
        channel.requests.write(encode(Frame(header={"op": "run"}, body=body)))
        return await _until_it_ends(channel, limits, on_line)


async def _until_it_ends(
    channel: Channel, limits: WorkerLimits, on_line: OnLine
) -> ProgramEnd:
    output = _Output(channel.printed, limits.output, on_line)
    try:
        async with asyncio.TaskGroup() as duties:
            watching = duties.create_task(_watch(channel, limits))
            listening = duties.create_task(output.listen())
            code = await channel.process.wait()
            await asyncio.wait({listening}, timeout=_SILENCE_SECONDS)
            watching.cancel()
            listening.cancel()
    except ExceptionGroup as group:
        raise group.exceptions[0] from None
    return ProgramEnd(code=code, lines=tuple(output.lines))


async def _watch(channel: Channel, limits: WorkerLimits) -> None:
    """Look at memory and at the scratch directory four times a second."""
    while True:
        await asyncio.sleep(_WATCH_SECONDS)
        held = resident_bytes(channel.process.pid) or 0
        if limits.memory is not None and held > limits.memory:
            used = f"the program used {held} bytes, of {limits.memory} allowed"
            raise failures.out_of_memory(used).error()
        if await asyncio.to_thread(scratch_is_too_large, channel.scratch, limits):
            raise failures.scratch_too_large().error()


class _Output:
    """What a program prints, line by line; its end is kept."""

    def __init__(
        self, stream: asyncio.StreamReader, limit: int, on_line: OnLine
    ) -> None:
        self._stream = stream
        self._left = limit
        self._on_line = on_line
        self._unfinished = b""
        self.lines: deque[str] = deque(maxlen=_KEPT_LINES)

    async def listen(self) -> None:
        """Hear everything, to the end of the output."""
        while data := await self._stream.read(1 << 16):
            self._left -= len(data)
            if self._left < 0:
                raise StepError(
                    "program.flood",
                    "the program printed more than it may",
                    mend="check that it is the program that you mean",
                )
            *whole, rest = _LINE_ENDS.split(self._unfinished + data)
            self._unfinished = rest[-_LONGEST_LINE:]
            for line in whole:
                self._take(line)
        self._take(self._unfinished)

    def _take(self, data: bytes) -> None:
        line = failures.clean(data[-_LONGEST_LINE:].decode(errors="replace"))
        if line:
            self.lines.append(line)
            self._on_line(line)


def require_program(path: Path) -> None:
    """Complain about what is no program.

    Raises:
        ModelUnavailable: `program.missing`, `program.not-executable`.
    """
    if not path.is_file():
        raise ModelUnavailable(
            "program.missing",
            f"there is no program {str(path)!r}",
            mend="check the path; it must be absolute",
        )
    if not os.access(path, os.X_OK):
        raise ModelUnavailable(
            "program.not-executable",
            f"{str(path)!r} is not a program that may be run",
            mend=f"check the path, or make it executable: chmod +x {path.name}",
        )
