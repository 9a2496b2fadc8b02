# SPDX-License-Identifier: Apache-2.0
"""What `lao doctor` says of the locks: what self-checks proved, and nothing else."""

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from lao.backends.in_worker import embedded_spec
from lao.cli.findings import Finding, finding
from lao.errors import LaoError
from lao.isolation.levels import NAMES
from lao.policy import Level, Proof, WorkerLimits
from lao.workers.pool import WorkerPool
from lao.workflow.local_models import Embedded

if TYPE_CHECKING:
    from lao.isolation.confinement import Confinement

_LEFT_OPEN: Final[Mapping[Level, str]] = {
    "L3": "nothing of LAO's catalogue of attempts is left open (`lao verify` tries it)",
    "L2": "a worker may see sizes and dates of files outside, and nothing else",
    "L1": "a worker may read and change your files, not send them; plugins are refused",
    "L0": "nothing is enforced; runs are refused without --accept-no-isolation",
}
_MENDS: Final[Mapping[Level, str]] = {
    "L3": "",
    "L2": "install bubblewrap (and allow it user namespaces) for L3",
    "L1": "use a kernel with Landlock (Linux 6.7 or later)",
    "L0": "use Linux on x86_64 or aarch64, with seccomp",
}


async def isolation_findings(confinement: "Confinement") -> list[Finding]:
    """Start a worker and tell what it, and this process, proved to be locked."""
    spec = embedded_spec(Embedded(name="summary"), WorkerLimits())
    started = time.monotonic()
    try:
        async with WorkerPool(launcher=confinement.launcher) as pool:
            await pool.describe(spec)
            seconds = time.monotonic() - started
            proof = pool.proof(spec)
    except LaoError as error:
        problem = error.problem
        return [finding("isolation", "worker", "broken", problem.what, problem.mend)]
    return [
        finding("isolation", "starts", "ok", f"a worker answers after {seconds:.2f} s"),
        *proof_findings(proof, confinement.proof),
    ]


def proof_findings(worker: Proof | None, here: Proof | None) -> Iterator[Finding]:
    """Yield the level of a worker, and what it and this process proved."""
    level: Level = "L0" if worker is None else worker.level
    status = {"L3": "ok", "L2": "ok", "L1": "gap", "L0": "broken"}[level]
    what = f"{level} {NAMES[level]}: {_LEFT_OPEN[level]}"
    yield Finding(
        area="isolation",
        name="level",
        status=status,  # type: ignore[arg-type]  # one of the three above
        what=what,
        mend=_MENDS[level],
    )
    for name, proof in (("a worker", worker), ("this process", here)):
        proved, absent = layer_words({} if proof is None else proof.layers)
        if not proved:
            yield finding("isolation", name, "gap", "is not locked")
            continue
        yield finding("isolation", name, "ok", f"proved: {', '.join(proved)}")
        if absent:
            yield finding("isolation", name, "note", f"not there: {', '.join(absent)}")


def layer_words(layers: Mapping[str, object]) -> tuple[list[str], list[str]]:
    """Return the layers that are on, in words, and those that are not."""
    proved: list[str] = []
    absent: list[str] = []
    for name, value in layers.items():
        match value:
            case dict() if value:
                proved.append(f"{name} ({', '.join(map(str, value))})")
            case bool() | dict():
                (proved if value else absent).append(name)
            case 0:
                absent.append(name)
            case _:
                proved.append(f"{name} {value}")
    return proved, absent
