# SPDX-License-Identifier: Apache-2.0
"""Carries attempts out in children of this process: unlocked, or locked as LAO itself is.

Call it before this process is locked.
"""

import subprocess
import sys
from typing import Literal

from lao.verify.attempt import Bait
from lao.verify.listing import RUNNER, Listing, how_it_ended, runner_order
from lao.verify.world import World

_SECONDS = 30.0


def run_in_child(
    world: World,
    bait: Bait,
    names: tuple[str, ...],
    *,
    lock: Literal["", "orchestrator"] = "",
) -> Listing:
    """Carry attempts out in a child of this process; one that ends it is told as such.

    An unlocked child inherits what a careless launcher would hand on.
    """
    listing = Listing(names)
    while missing := listing.missing:
        _run_once(world, runner_order(missing, bait, lock=lock), listing)
        if listing.missing == missing:
            break  # not even the first one began: it would go on like this
    return listing


def _run_once(world: World, order: str, listing: Listing) -> None:
    command = [sys.executable, "-I", "-S", "-B", RUNNER, order]
    with subprocess.Popen(  # noqa: S603  (our own file)
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=world.scratch,
        pass_fds=(world.open_file,),
        encoding="ascii",
        errors="replace",
    ) as process:
        try:
            said, _ = process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
    listing.take(said.splitlines())
    listing.end(how_it_ended(process.returncode))
