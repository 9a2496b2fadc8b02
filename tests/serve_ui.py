# SPDX-License-Identifier: Apache-2.0
"""`lao ui` with a page of its own, in case none is built, and with one route more.

`/api/attempt` tries, within the locked server, what its lock must refuse.
"""

import errno
import os
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from lao.cli.dispatch import dispatch
from lao.server import about, site, static_files
from lao.server.routes import Call, Route

ATTEMPTS: dict[str, Callable[[], object]] = {
    "socket": lambda: socket.socket(socket.AF_INET),
    "unix": lambda: socket.socket(socket.AF_UNIX),
    "netlink": lambda: socket.socket(socket.AF_NETLINK),
    "fork": os.fork,
    "spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "exec": lambda: os.execv("/bin/true", ["true"]),  # noqa: S606
}


async def attempt(_: Call) -> dict[str, str]:
    """Try each; say how it failed, or that it did not."""
    return {name: _outcome(act) for name, act in ATTEMPTS.items()}


def _outcome(act: Callable[[], object]) -> str:
    try:
        act()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "done"


def main() -> int:
    """Run the command with what it is given."""
    own = Route(
        method="GET", path="/api/attempt", handler=attempt, about="Try.", reply=dict
    )
    site.described = lambda routes: about.described([*routes, own])
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "index.html").write_text("<!doctype html>", "ascii")
        static_files.BUILT = Path(folder)
        return dispatch("ui", sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
