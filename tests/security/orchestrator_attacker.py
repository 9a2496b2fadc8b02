# SPDX-License-Identifier: Apache-2.0
"""Somebody who runs code inside the locked orchestrator, and wants a secret out.

    python -m tests.security.orchestrator_attacker CANARY ENDPOINT

Locks this process as a command does, with a broker for ENDPOINT, tries every way of
sending the canary, and prints as JSON what came of each. Then it misuses what it has:
the broker's connection, the broker itself, and the worker that it may start.
"""

import asyncio
import errno
import json
import socket
import sys
from collections.abc import Awaitable, Callable

from tests.security.senders import HOST_V4, SENT, try_all

from lao.errors import LaoError
from lao.isolation.confinement import Confinement, confine
from lao.policy import LoopbackEndpoint

OUTSIDE = (HOST_V4, 443)
_MSG_FASTOPEN = 0x20000000


async def passed_socket(given: Confinement) -> socket.socket:
    """Ask the broker for what it may give."""
    assert given.connect is not None
    return await given.connect(given.endpoints[0])


async def reconnected(given: Confinement) -> None:
    """Turn the connection that the broker passed to somewhere else."""
    with await passed_socket(given) as held:
        held.connect((HOST_V4, 443))


async def dissolved(given: Confinement) -> None:
    """Dissolve that connection first, as a UDP socket's or a new one's."""
    with await passed_socket(given) as held:
        held.shutdown(socket.SHUT_RDWR)
        held.connect(("0.0.0.0", 0))  # noqa: S104
        held.connect(OUTSIDE)


async def fast_opened(given: Confinement) -> None:
    """Connect by sending, with the socket that is there already."""
    with await passed_socket(given) as held:
        held.sendto(b"x", _MSG_FASTOPEN, OUTSIDE)


async def addressed(given: Confinement) -> None:
    """Send to an address with the socket that is there already."""
    with await passed_socket(given) as held:
        held.sendto(b"x", OUTSIDE)
    raise OSError(errno.EISCONN, "went to its peer")


async def another_endpoint(given: Confinement) -> None:
    """Ask the broker for an address that is not in its table."""
    assert given.connect is not None
    await given.connect(LoopbackEndpoint("http://127.0.0.1:9"))


MISUSES = (reconnected, dissolved, fast_opened, addressed, another_endpoint)


async def misuse(
    given: Confinement, how: Callable[[Confinement], Awaitable[None]]
) -> str:
    try:
        await how(given)
    except LaoError as refused:
        return refused.code
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return SENT


async def misuse_all(given: Confinement) -> dict[str, str]:
    found = {}
    for how in MISUSES:
        found[how.__name__] = await misuse(given, how)
    with await passed_socket(given) as held:
        is_lent = held.getpeername()[1] > 0
    return {**found, "passed": "connected" if is_lent else "not connected"}


def main(canary: str, endpoint: str) -> None:
    with confine(endpoints=(LoopbackEndpoint(endpoint),), programs=()) as given:
        found = asyncio.run(misuse_all(given)) | try_all(canary)
        sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
