# SPDX-License-Identifier: Apache-2.0
"""What the locks cost a command: at its start, per connection, and per request.

    python benchmarks/locality.py [ROUNDS]

Each round is a fresh process that is confined and one that is not, in turns, so that a
busy moment meets both; the figures are medians over ROUNDS (default 9). CPU time is
that of all processes together: the command, its helpers, bubblewrap's trial. The
targets are LAO's own.
"""

import asyncio
import json
import resource
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager

import lao.cli.execution
import lao.workers.pool  # noqa: F401  (what a command has imported by then)
from lao.backends import loopback
from lao.policy import LoopbackEndpoint

BATCHES = 25
BATCH = 20
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
START_CPU_MS = 40
REQUEST_RATIO = 1.05


def cpu_seconds() -> float:
    """Return the CPU time of this process and of its children that were reaped."""
    spent = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    found = map(resource.getrusage, spent)
    return sum(used.ru_utime + used.ru_stime for used in found)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while (await reader.readuntil(b"\r\n\r\n")).strip():
        writer.write(ANSWER)


async def _serve(listener: socket.socket) -> None:
    async with await asyncio.start_server(_answer, sock=listener, backlog=1000) as it:
        await it.serve_forever()


@contextmanager
def server() -> Iterator[str]:
    """Run a model server in a process of its own; give its endpoint."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        command = [sys.executable, __file__, "serve", str(listener.fileno())]
        with subprocess.Popen(
            command, pass_fds=[listener.fileno()], stderr=subprocess.DEVNULL
        ) as process:
            try:
                yield f"http://127.0.0.1:{port}"
            finally:
                process.kill()


async def _microseconds(act: Callable[[], Awaitable[object]]) -> float:
    """Return the time of one act, in the fastest of many batches.

    Other work on the machine only ever adds to it.
    """
    times = []
    for _ in range(BATCHES):
        began = time.perf_counter()
        for _ in range(BATCH):
            await act()
        times.append((time.perf_counter() - began) / BATCH * 1e6)
    return min(times)


async def _exchange(url: str, connect: loopback.Connect) -> dict[str, float]:
    endpoint = LoopbackEndpoint(url)

    async def dial() -> None:
        (await connect(endpoint)).close()

    client = loopback.LoopbackClient(endpoint, connect=connect)

    async def ask() -> None:
        await client.request_json("GET", "/", within=5)

    found = {
        "connection, µs": await _microseconds(dial),
        "request, µs": await _microseconds(ask),
    }
    await client.close()
    return found


def plain(url: str) -> dict[str, float]:
    """Return what a connection and a request cost a process that may connect."""
    return asyncio.run(_exchange(url, loopback.connect_directly))


def confined(url: str) -> dict[str, float]:
    """Return what they cost a process that is locked."""
    from lao.isolation.confinement import confine  # noqa: PLC0415

    with confine(endpoints=(LoopbackEndpoint(url),), programs=()) as given:
        if given.connect is None:
            sys.exit("this machine can lock nothing")
        return asyncio.run(_exchange(url, given.connect))


def start(url: str) -> dict[str, float]:
    """Return what it costs to be confined: CPU time of all processes together."""
    cpu, wall = [cpu_seconds()], [time.perf_counter()]
    from lao.isolation.confinement import confine  # noqa: PLC0415

    cpu.append(cpu_seconds())
    wall.append(time.perf_counter())
    with confine(endpoints=(LoopbackEndpoint(url),), programs=()):
        wall.append(time.perf_counter())
    cpu.append(cpu_seconds())
    return {
        "imports: CPU ms": (cpu[1] - cpu[0]) * 1e3,
        "processes and locks: CPU ms": (cpu[2] - cpu[1]) * 1e3,
        "together: CPU ms": (cpu[2] - cpu[0]) * 1e3,
        "together: wall ms": (wall[2] - wall[0]) * 1e3,
    }


def trial(_url: str) -> dict[str, float]:
    """Return what it costs to try bubblewrap, which is a part of the above."""
    from lao.isolation.levels import look, probe  # noqa: PLC0415

    look()
    before = cpu_seconds(), time.perf_counter()
    probe()
    return {
        "bubblewrap's trial alone: CPU ms": (cpu_seconds() - before[0]) * 1e3,
        "bubblewrap's trial alone: wall ms": (time.perf_counter() - before[1]) * 1e3,
    }


def _in_a_process(subject: str, url: str) -> dict[str, float]:
    command = [sys.executable, __file__, subject, url]
    ended = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: dict[str, float] = json.loads(ended.stdout)
    return found


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(r[name] for r in rounds) for name in rounds[0]}


def compare(rounds: int) -> None:
    """Measure in turns and print two tables."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in SUBJECTS}
    with server() as url:
        for _ in range(rounds):
            for subject, found in runs.items():
                found.append(_in_a_process(subject, url))
    cost = {subject: _medians(found) for subject, found in runs.items()}
    print(f"{'being confined':<34} {'median':>8}")
    for name, value in (cost["start"] | cost["trial"]).items():
        is_target = name == "together: CPU ms"
        target = f"   target ≤ {START_CPU_MS}" if is_target else ""
        print(f"{name:<34} {value:>8.1f}{target}")
    print(f"\n{'each':<16} {'plain':>8} {'confined':>9} {'ratio':>7}")
    for name, value in cost["plain"].items():
        held = cost["confined"][name]
        target = f"   target ≤ {REQUEST_RATIO}" if name.startswith("request") else ""
        print(f"{name:<16} {value:>8.0f} {held:>9.0f} × {held / value:>5.2f}{target}")


SUBJECTS: Mapping[str, Callable[[str], dict[str, float]]] = {
    "plain": plain,
    "confined": confined,
    "start": start,
    "trial": trial,
}


def main() -> None:
    """Measure, or be one of the processes that are measured."""
    match sys.argv[1:]:
        case ["serve", descriptor]:
            asyncio.run(_serve(socket.socket(fileno=int(descriptor))))
        case [subject, url]:
            json.dump(SUBJECTS[subject](url), sys.stdout)
        case [rounds]:
            compare(int(rounds))
        case _:
            compare(9)


if __name__ == "__main__":
    main()
