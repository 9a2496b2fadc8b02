# SPDX-License-Identifier: Apache-2.0
"""Runs a native program of this machine in a locked process, to its end.

The program gets an argument list and an allow-listed environment, never a shell and
never standard input. It works in a scratch directory, may read what it is given, and
dies with its caller: when it is cancelled, when the limits are passed, when LAO ends.
"""

import asyncio
import os
import re
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from lao.errors import ModelUnavailable, StepError
from lao.isolation.launching import ChildLauncher, Launcher
from lao.isolation.levels import level_of
from lao.isolation.orders import Order
from lao.policy import Proof, WorkerLimits
from lao.workers import failures
from lao.workers.channel import Channel, open_channel
from lao.workers.folders import WorkerFolder
from lao.workers.frames import Frame, encode
from lao.workers.greeting import hear_hello
from lao.workers.pipes import PipeReader
from lao.workers.strict_json import FrameError, encode_json
from lao.workers.watching import overuse

_SILENCE_SECONDS = 1.0  # for a grandchild to close the output after the program ended
_KEPT_LINES = 20
_LONGEST_LINE = 4096
_LINE_ENDS = re.compile(rb"[\r\n]+")

OnLine = Callable[[str], None]


class ProgramEnd(Struct, frozen=True, kw_only=True):
    """How a program ended: its exit code (negative: a signal), its last lines.

    `proof` is what its process had proved before it became the program.
    """

    code: int
    lines: tuple[str, ...]
    proof: Proof | None = None

    @property
    def last_line(self) -> str:
        """The last line that it printed, cleaned; possibly empty."""
        return self.lines[-1] if self.lines else ""


def _ignore(_line: str) -> None:
    """Hear a line, and do nothing."""


async def run_program(  # noqa: PLR0913  (one act; most have defaults)
    argv: Sequence[str],
    *,
    folder: WorkerFolder,
    readable: Sequence[str] = (),
    limits: WorkerLimits | None = None,
    launcher: Launcher | None = None,
    on_line: OnLine = _ignore,
) -> ProgramEnd:
    """Run `argv` (an absolute path first) in the scratch directory of `folder`.

    It may read `readable`, its libraries and what is in the folder, and nothing else.
    `on_line` hears each line of its stdout and stderr, cleaned. Cancel it, or put a
    timeout around it, to kill the program with all that it started.

    Raises:
        ModelUnavailable: `program.missing`, `program.not-executable`,
            `isolation.spawner-gone`.
        StepError: `program.flood`, or `worker.out-of-memory`, `.scratch-full`,
            `.too-many-threads`, `.start-failed`.
        RefusedByPolicy: `isolation.none`, `isolation.lock-failed`,
            `policy.program-not-in-plan`.
    """
    require_program(Path(argv[0]))
    limits = limits or WorkerLimits()
    order = Order(
        run="lao.workers.program_child",
        scratch=str(folder.scratch),
        inbox=str(folder.inbox),
        limits=limits,
        profile="program",
        readable=tuple(readable),
        program=argv[0],
    )
    try:
        async with open_channel(order, launcher or ChildLauncher(), folder) as channel:
            body = encode_json(list(argv))
            channel.requests.write(encode(Frame(header={"op": "run"}, body=body)))
            proof = await _locked(channel, limits)
            end = await _until_it_ends(channel, limits, on_line)
            return replace(end, proof=proof)
    except OSError as error:
        raise failures.start_failed(str(error)).error() from error


async def _locked(channel: Channel, limits: WorkerLimits) -> Proof | None:
    """Return what the process proved; None if it ended, and its last words tell why."""
    try:
        async with asyncio.timeout(limits.start_seconds):
            layers = await hear_hello(channel.replies)
    except TimeoutError:
        why = f"it said nothing for {limits.start_seconds:g} s"
        raise failures.start_failed(why).error() from None
    except (FrameError, OSError):
        return None
    return Proof(level=level_of(layers), layers=layers)


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
    if failures.is_lock_failure(code, output.last_line):
        raise failures.lock_failed(f": {output.last_line}").error()
    return ProgramEnd(code=code, lines=tuple(output.lines))


async def _watch(channel: Channel, limits: WorkerLimits) -> None:
    raise (await overuse(channel, limits)).error()


class _Output:
    """What a program prints, line by line; its end is kept."""

    def __init__(self, stream: PipeReader, limit: int, on_line: OnLine) -> None:
        self._stream = stream
        self._left = limit
        self._on_line = on_line
        self._unfinished = b""
        self.lines: deque[str] = deque(maxlen=_KEPT_LINES)

    async def listen(self) -> None:
        """Hear everything, to the end of the output."""
        while data := await self._stream.read():
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

    @property
    def last_line(self) -> str:
        """The last line so far; possibly empty."""
        return self.lines[-1] if self.lines else ""

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
