# SPDX-License-Identifier: Apache-2.0
"""All attempts, by area."""

from lao.verify import (
    kernel,
    network,
    others,
    parent,
    processes,
    reading,
    resources,
    unix_sockets,
    writing,
)
from lao.verify.attempt import Attempt, Kind

CATALOGUE: tuple[Attempt, ...] = (
    *network.ATTEMPTS,
    *unix_sockets.ATTEMPTS,
    *kernel.ATTEMPTS,
    *processes.ATTEMPTS,
    *others.ATTEMPTS,
    *reading.ATTEMPTS,
    *writing.ATTEMPTS,
    *parent.ATTEMPTS,
    *resources.ATTEMPTS,
)


def attempts_for(kind: Kind) -> tuple[Attempt, ...]:
    """Return the attempts that make sense in a kind of process."""
    return tuple(each for each in CATALOGUE if kind in each.kinds)
