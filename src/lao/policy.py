# SPDX-License-Identifier: Apache-2.0
"""What a run may reach and how much it may use."""

import os
import re
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from lao.errors import RefusedByPolicy

_TCP = re.compile(r"http://(127\.0\.0\.1|\[::1\]):([1-9][0-9]{0,4})", re.ASCII)
_UNIX = re.compile(r"unix:((?:/[^/\x00-\x1f\x7f-\x9f]+)+)")
_LONGEST_UNIX = 107  # bytes: what the kernel's `sockaddr_un` holds


class LoopbackEndpoint(Struct, frozen=True):
    """The address of a model server on this machine; nothing else can be one.

    The text is matched whole and never resolved: `http://127.0.0.1:PORT`,
    `http://[::1]:PORT` or `unix:/absolute/path`. A URL parser would accept
    `http://127.0.0.1:80@evil/` and its many relatives; a pattern does not. So one
    address has one text.

    Raises:
        RefusedByPolicy: the text is anything else (`policy.endpoint-not-loopback`).
    """

    url: str

    def __post_init__(self) -> None:
        """Refuse whatever the patterns do not match whole."""
        unix = _UNIX.fullmatch(self.url)
        if unix is not None and _is_canonical(unix[1]):
            return
        match = _TCP.fullmatch(self.url)
        if match is None or int(match[2]) > 65535:
            raise RefusedByPolicy(
                "policy.endpoint-not-loopback",
                f"the endpoint {self.url!r} is not an address of this machine",
                mend="write http://127.0.0.1:PORT, http://[::1]:PORT or "
                "unix:/path/to/socket; LAO speaks to nothing else",
            )

    @property
    def address(self) -> tuple[str, int] | str:
        """`(numeric host, port)`, or the path of a unix socket."""
        if self.url.startswith("unix:"):
            return self.url.removeprefix("unix:")
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        return host.strip("[]"), int(port)

    def __str__(self) -> str:
        """Return the text it was made from."""
        return self.url


def _is_canonical(path: str) -> bool:
    """Whether a path can be given to the kernel, and leads where its words say."""
    try:
        size = len(os.fsencode(path))
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return size <= _LONGEST_UNIX and not {".", ".."}.intersection(path.split("/"))


DEFAULT_ENDPOINT = LoopbackEndpoint("http://127.0.0.1:11434")


class WorkerLimits(Struct, frozen=True, kw_only=True):
    """What one worker process may use. Sizes in bytes, times in seconds."""

    memory: int | None = None
    cpu_seconds: int | None = None
    file_size: int = 2 << 30
    open_files: int = 256
    threads: int = 512
    output: int = 64 << 20
    start_seconds: float = 120.0
    cancel_seconds: float = 0.7


class RunLimits(Struct, frozen=True, kw_only=True):
    """What one run may use."""

    parallel_steps: int = 64
    per_model: int = 1
    output_bytes: int = 64 << 20
    list_length: int = 1_000_000
    prompt_bytes: int = 32 << 20
    for_each_window: int = 32


Level = Literal["L0", "L1", "L2", "L3"]
"""How much the kernel enforces: none, reduced, standard, sealed."""


class Proof(Struct, frozen=True, kw_only=True):
    """What one process's self-check read back from the kernel, and the level it makes.

    `layers` has a name for each layer: a boolean, Landlock's ABI (0: none), or the
    limits by name.
    """

    level: Level
    layers: Mapping[str, object]


class Locality(Struct, frozen=True, kw_only=True):
    """What a run is told about where its data can go.

    `level` is what every worker must prove before it works; `proof` is that of the
    process that carries out the run, None where it is not locked.
    """

    words: str = ""
    level: Level | Literal[""] = ""
    proof: Proof | None = None
