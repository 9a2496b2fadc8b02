# SPDX-License-Identifier: Apache-2.0
"""LAO's HTTP client beside a raw asyncio connection: CPU time of the client alone.

    python -m benchmarks.http_streaming [--rounds N] [--quick]

The server is a process of its own that answers from a table: one small JSON value, or
200 lines of NDJSON in chunks, at once ("burst") or 1 ms apart ("paced", as tokens
come, so that each line is a read of its own). A line costs what the whole answer
costs beyond a request, divided by its lines. Both clients keep one connection and
decode every line; the floor trusts whatever it is sent and bounds nothing.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from benchmarks.figures import Effort, Figure, run_alone
from benchmarks.processes import ROOT, found_by, subject_of

from lao.backends.loopback import LoopbackClient
from lao.policy import LoopbackEndpoint

GROUP = "http"
LINES = 200
PAUSE = 0.001
VALUE = {"model": "m", "created_at": "2026-01-01T00:00:00Z", "response": " token"}
LINE = json.dumps(VALUE).encode() + b"\n"
BODY = {"model": "m", "prompt": "hello", "stream": True}
RAW = "raw asyncio"
LAO = "LAO"
REQUEST = "a request"
PACED = "a streamed line, paced"
BURST = "a streamed line, in a burst"
TARGETS = {REQUEST: 1.5, PACED: 1.5}


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while head := await _head(reader):
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        await reader.readexactly(length)
        path = head.split(maxsplit=2)[1]
        if path == b"/one":
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(LINE), LINE)
            )
            continue
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        for _ in range(LINES):
            writer.write(b"%x\r\n%s\r\n" % (len(LINE), LINE))
            if path == b"/paced":
                await asyncio.sleep(PAUSE)
        writer.write(b"0\r\n\r\n")
    writer.close()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


async def _serve() -> None:
    async with await asyncio.start_server(_answer, "127.0.0.1", 0) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


@contextmanager
def running_server() -> Iterator[int]:
    """Run the server; yield its port."""
    command = [sys.executable, "-m", "benchmarks.http_streaming", "serve"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            yield int(next(iter(process.stdout or ())))
        finally:
            process.kill()


class Client(Protocol):
    """What is measured."""

    async def one(self) -> object:
        """Post, and return the value that came back."""
        ...

    async def lines(self, path: str) -> list[object]:
        """Post, and return the values that were streamed back."""
        ...

    async def close(self) -> None:
        """Close the connection."""
        ...


class Raw:
    """What a program would do that knows its server: no bounds, no checks."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader, self._writer = reader, writer

    async def one(self) -> object:
        """Post, and return the value that came back."""
        headers = await self._post("/one")
        length = int(headers[b"content-length"])
        return json.loads(await self._reader.readexactly(length))

    async def lines(self, path: str) -> list[object]:
        """Post, and return the values that were streamed back."""
        await self._post(path)
        found: list[object] = []
        rest = b""
        while size := int((await self._reader.readline()).split(b";")[0], 16):
            chunk = await self._reader.readexactly(size + 2)
            *whole, rest = (rest + chunk[:-2]).split(b"\n")
            found += [json.loads(line) for line in whole]
        await self._reader.readline()
        return found

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        await self._writer.wait_closed()

    async def _post(self, path: str) -> dict[bytes, bytes]:
        body = json.dumps(BODY).encode()
        self._writer.write(
            b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (path.encode(), len(body), body)
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        status, *headers = head[:-4].split(b"\r\n")
        if status.split()[1] != b"200":
            raise ValueError(status)
        pairs = (each.partition(b":") for each in headers)
        return {name.strip().lower(): value.strip() for name, _, value in pairs}


class Lao:
    """LAO's only HTTP client."""

    def __init__(self, port: int) -> None:
        endpoint = LoopbackEndpoint(f"http://127.0.0.1:{port}")
        self._client = LoopbackClient(endpoint)

    async def one(self) -> object:
        """Post, and return the value that came back."""
        _, value = await self._client.request_json("POST", "/one", BODY, within=30)
        return value

    async def lines(self, path: str) -> list[object]:
        """Post, and return the values that were streamed back."""
        async with self._client.stream_lines("POST", path, BODY) as lines:
            return [line async for line in lines]

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()


async def opened(name: str, port: int) -> Client:
    """Return a client with a connection to the server."""
    if name == LAO:
        return Lao(port)
    return Raw(*await asyncio.open_connection("127.0.0.1", port))


async def _cpu_us(
    act: Callable[[], Awaitable[object]], expected: object, times: int
) -> float:
    """Return the CPU µs of an act: the median. SystemExit on a wrong answer."""
    found = []
    for _ in range(times + 2):
        began = time.process_time()
        answer = await act()
        found.append(time.process_time() - began)
        if answer != expected:
            sys.exit(f"wrong answer: {str(answer)[:200]}")
    return statistics.median(found[2:]) * 1e6


async def _subject(name: str, port: int, *, times: int) -> dict[str, list[float]]:
    client = await opened(name, port)
    values = [VALUE] * LINES
    request = await _cpu_us(client.one, VALUE, 40 * times)
    paced = await _cpu_us(lambda: client.lines("/paced"), values, times)
    burst = await _cpu_us(lambda: client.lines("/burst"), values, 4 * times)
    return {
        REQUEST: [request],
        PACED: [(paced - request) / LINES],
        BURST: [(burst - request) / LINES],
    }


def measure(effort: Effort) -> Iterator[Figure]:
    """Measure both clients in turns."""
    samples: dict[tuple[str, str], list[float]] = {}
    times = 3 if effort.quick else 6
    with running_server() as port:
        for _ in effort.turns(GROUP):
            for client in (RAW, LAO):
                found = found_by("http_streaming", client, str(port), str(times))
                for what, values in found.items():
                    samples.setdefault((what, client), []).extend(values)
    for (what, client), values in samples.items():
        is_floor = client == RAW
        yield Figure(
            group=GROUP,
            name=f"{client}: {what}",
            unit="CPU µs",
            samples=tuple(values),
            floor="" if is_floor else f"{RAW}: {what}",
            target=None if is_floor else TARGETS.get(what),
        )


def main() -> None:
    """Serve, be a subject, or measure."""
    if sys.argv[1:] == ["serve"]:
        asyncio.run(_serve())
    elif subject := subject_of(sys.argv[1:]):
        name, port, times = subject
        print(json.dumps(asyncio.run(_subject(name, int(port), times=int(times)))))
    else:
        run_alone(measure)


if __name__ == "__main__":
    main()
