# SPDX-License-Identifier: Apache-2.0
"""Carries attempts out in locked workers, started as every run starts them."""

import asyncio
import os
import re
import sys
from dataclasses import asdict
from typing import Final, Literal

from lao.errors import LaoError, StepError
from lao.isolation.launching import Launcher
from lao.isolation.lock import interpreter_paths
from lao.policy import Proof
from lao.verify.attempt import Bait, Outcome
from lao.verify.listing import (
    RUNNER,
    Listing,
    how_it_ended,
    outcome_from,
    runner_order,
)
from lao.verify.world import LIMITS
from lao.workers.inbox import worker_folder
from lao.workers.pool import WorkerPool
from lao.workers.programs import run_program
from lao.workers.spec import WorkerSpec
from lao.workflow.inference import ModelRequest

PATIENCE: Final = 6.0
"""Seconds after which LAO has looked at the limits that it watches, however slow."""

PROGRAM: Final = os.path.realpath(sys.executable)
"""The interpreter, as a native program."""

_ENTRY = "lao.verify.prober:Prober"
_SECONDS = 10.0
_ENDED_BY = re.compile(r"was ended by (SIG[A-Z0-9+]+|signal \d+)")


class _Deaf:
    """A report that nobody reads."""

    cancelled = False

    def text(self, _piece: str) -> None:
        """Take a piece of an answer."""

    def progress(self, _done: float, _total: float, _unit: str) -> None:
        """Take how far it is."""


async def run_in_worker(
    launcher: Launcher,
    kind: Literal["worker", "server"],
    bait: Bait,
    names: tuple[str, ...],
) -> tuple[Listing, Proof]:
    """Carry attempts out in a worker, one request each; a dead one is replaced.

    Raises:
        LaoError: no worker can be started.
    """
    spec = WorkerSpec(
        entry=_ENTRY,
        limits=LIMITS,
        profile="default" if kind == "worker" else "serves-unix",
    )
    listing = Listing(names)
    async with WorkerPool(launcher=launcher) as pool:
        await pool.describe(spec)
        proof = pool.proof(spec)
        assert proof is not None  # noqa: S101  (it has just answered)
        for name in names:
            listing.outcomes[name] = await _ask(pool, spec, name, bait)
    return listing, proof


async def _ask(pool: WorkerPool, spec: WorkerSpec, name: str, bait: Bait) -> Outcome:
    request = ModelRequest(input={"attempt": name, "bait": asdict(bait)}, wants="json")
    try:
        async with asyncio.timeout(_SECONDS):
            reply = await pool.infer(spec, request, _Deaf())
    except TimeoutError:
        return Outcome(succeeded=False, errno="ETIMEDOUT", detail="no answer")
    except StepError as error:
        ended = _ENDED_BY.search(error.problem.what)
        return Outcome(
            succeeded=False,
            errno=ended[1] if ended else error.code,
            detail=error.problem.what,
        )
    return outcome_from(reply.value)


async def run_in_program(
    launcher: Launcher, bait: Bait, names: tuple[str, ...]
) -> Listing:
    """Carry attempts out in the interpreter, run as a native program is.

    Raises:
        LaoError: it cannot be started.
    """
    listing = Listing(names)
    while missing := listing.missing:
        order = runner_order(missing, bait)
        with worker_folder() as folder:
            end = await run_program(
                [PROGRAM, "-I", "-S", "-B", RUNNER, order],
                folder=folder,
                readable=interpreter_paths(),
                limits=LIMITS,
                launcher=launcher,
                on_line=lambda line: listing.take([line]),
            )
        listing.end(how_it_ended(end.code))
        if listing.missing == missing:
            raise LaoError(
                "verify.no-program",
                f"the program ended before it tried anything: {end.last_line}",
                mend="try again; please report it if that does not help",
            )
    return listing
