# SPDX-License-Identifier: Apache-2.0
"""What a run may reach and how much it may use."""

import re
from dataclasses import dataclass

from lao.errors import RefusedByPolicy

_TCP = re.compile(r"http://(127\.0\.0\.1|\[::1\]):([1-9][0-9]{0,4})", re.ASCII)
_UNIX = re.compile(r"unix:(/[^\x00-\x1f]{1,100})")


@dataclass(frozen=True, slots=True)
class LoopbackEndpoint:
    """The address of a model server on this machine; nothing else can be one.

    The text is matched whole and never resolved: `http://127.0.0.1:PORT`,
    `http://[::1]:PORT` or `unix:/absolute/path`. A URL parser would accept
    `http://127.0.0.1:80@evil/` and its many relatives; a pattern does not.

    Raises:
        RefusedByPolicy: the text is anything else (`policy.endpoint-not-loopback`).
    """

    url: str

    def __post_init__(self) -> None:
        """Refuse whatever the patterns do not match whole."""
        if _UNIX.fullmatch(self.url):
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


DEFAULT_ENDPOINT = LoopbackEndpoint("http://127.0.0.1:11434")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLimits:
    """What one worker process may use. Sizes in bytes, times in seconds."""

    memory: int | None = None
    cpu_seconds: int | None = None
    file_size: int = 2 << 30
    open_files: int = 256
    output: int = 64 << 20
    start_seconds: float = 120.0
    cancel_seconds: float = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLimits:
    """What one run may use."""

    parallel_steps: int = 64
    per_model: int = 1
    output_bytes: int = 64 << 20
    list_length: int = 1_000_000
    prompt_bytes: int = 32 << 20
    for_each_window: int = 32
