# SPDX-License-Identifier: Apache-2.0
"""Proves what the locks promise: controls first, then every kind of process.

Nothing here is taken from a configuration: each process says what its own self-check
read back, and each attempt is made in a process that was started as any run starts it.
"""

import asyncio
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lao.errors import LaoError
from lao.isolation.confinement import Confinement, confine
from lao.isolation.launching import Launcher
from lao.isolation.levels import Machine, look
from lao.policy import Level, Proof
from lao.verify.attempt import Attempt, Bait, Kind, Outcome
from lao.verify.catalogue import CATALOGUE
from lao.verify.children import run_in_child
from lao.verify.judging import Finding, judge
from lao.verify.listing import Listing
from lao.verify.own_processes import look_at_own_processes
from lao.verify.workers import PATIENCE, PROGRAM, run_in_program, run_in_worker
from lao.verify.world import World, open_world

QUICK_AREAS: Final = ("network", "unix sockets", "files")
KINDS: Final[tuple[Kind, ...]] = ("worker", "server", "program", "orchestrator")
_LEVELLED: Final = ("worker", "server", "program")
_UNNAMED: Final = ("somebody", "the witness")

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one proof has found, on this machine, in this run.

    `controls` are the outcomes of all attempts where nothing is locked; `proofs` what
    each kind of process read back from the kernel; `failures` the kinds of process in
    which nothing could be tried, and why.
    """

    machine: Machine
    kernel: str
    attempts: tuple[Attempt, ...]
    controls: Mapping[str, Outcome]
    proofs: Mapping[str, Proof]
    findings: tuple[Finding, ...]
    failures: Mapping[str, str]
    seconds: float

    @property
    def level(self) -> Level:
        """The level that this machine's workers must have."""
        return self.machine.level

    @property
    def shown(self) -> int:
        """How many attempts work where nothing is locked."""
        return sum(1 for each in self.controls.values() if each.succeeded)

    @property
    def broken(self) -> tuple[Finding, ...]:
        """What should have held and did not."""
        return tuple(each for each in self.findings if each.verdict == "open")

    @property
    def gaps(self) -> tuple[str, ...]:
        """The areas in which nothing at all could be shown, in words."""
        areas = dict.fromkeys((each.kind, each.area) for each in self.findings)
        held = {(e.kind, e.area) for e in self.findings if e.verdict != "not shown"}
        return tuple(
            f"{area} ({kind})" for kind, area in areas if (kind, area) not in held
        )

    @property
    def holds(self) -> bool:
        """Whether everything that the level promises was tried, and held."""
        complete = bool(self.findings) and not (self.failures or self.gaps)
        levels = {self.proofs[kind].level for kind in _LEVELLED if kind in self.proofs}
        return complete and not self.broken and levels == {self.level}


def prove(*, quick: bool = False, tell: Tell) -> Report:
    """Try everything; locks this process for good on the way.

    `tell` hears what is under way. With `quick`: one kind of process, and only whether
    it reaches the network or files.

    Raises:
        LaoError: this system can lock nothing (`verify.nothing-to-prove`), a lock of
            this process did not hold, or there is no witness.
    """
    began = time.monotonic()
    if look().level == "L0":
        raise LaoError(
            "verify.nothing-to-prove",
            "this system cannot lock a process, so there is nothing to prove",
            mend="use Linux 5.13 or newer, on x86-64 or 64-bit ARM",
        )
    attempts = _attempts(quick=quick)
    names = tuple(each.name for each in attempts)
    kinds = KINDS[:1] if quick else KINDS
    with open_world() as world:
        tell("what the attempts can do where nothing is locked")
        bait = world.lay_out("control", names)
        controls = run_in_child(world, bait, names).outcomes
        trial = Trial(world, attempts, controls)
        if "orchestrator" in kinds:
            tell("LAO's own process")
            trial.in_orchestrator()
        with confine(endpoints=(world.endpoint,), programs=(PROGRAM,)) as confinement:
            asyncio.run(trial.in_workers(confinement.launcher, kinds, tell))
            if not quick:
                tell("LAO's helpers")
                trial.in_helpers(confinement)
            machine = confinement.launcher.machine
    return Report(
        machine=machine,
        kernel=platform.release(),
        attempts=attempts,
        controls=controls,
        proofs=trial.proofs,
        findings=tuple(trial.findings),
        failures=trial.failures,
        seconds=time.monotonic() - began,
    )


def _attempts(*, quick: bool) -> tuple[Attempt, ...]:
    if not quick:
        return CATALOGUE
    return tuple(e for e in CATALOGUE if e.area in QUICK_AREAS and "worker" in e.kinds)


class Trial:
    """The attempts in one kind of process after the other. State: what they showed."""

    def __init__(
        self,
        world: World,
        attempts: Sequence[Attempt],
        controls: Mapping[str, Outcome],
    ) -> None:
        self._world = world
        self._attempts = attempts
        self._controls = controls
        self.findings: list[Finding] = []
        self.proofs: dict[str, Proof] = {}
        self.failures: dict[str, str] = {}

    def in_orchestrator(self) -> None:
        """Try what concerns LAO's own process, in a child that is locked as it is."""
        bait, names = self._begin("orchestrator")
        listing = run_in_child(self._world, bait, names, lock="orchestrator")
        if listing.proof:
            proof = Proof(level=listing.proof["level"], layers=listing.proof["layers"])
            self._end("orchestrator", bait, listing, proof)
        else:
            self.failures["orchestrator"] = "a process like it could not be locked"

    async def in_workers(
        self, launcher: Launcher, kinds: Sequence[Kind], tell: Tell
    ) -> None:
        """Try everything in the kinds of process that models run in."""
        for kind in kinds:
            try:
                match kind:
                    case "worker" | "server":
                        tell(f"a {_CALLED[kind]}")
                        bait, names = self._begin(kind)
                        found = await run_in_worker(launcher, kind, bait, names)
                        self._end(kind, bait, *found)
                    case "program":
                        tell(f"a {_CALLED[kind]}")
                        bait, names = self._begin(kind)
                        listing = await run_in_program(launcher, bait, names)
                        self._end(kind, bait, listing, required_of(launcher.machine))
                    case "orchestrator":
                        continue
            except LaoError as error:
                self.failures[kind] = error.problem.what

    def in_helpers(self, confinement: Confinement) -> None:
        """Look at the broker and the spawner, and at this process."""
        if confinement.proof is not None:
            self.proofs["this process"] = confinement.proof
        self.findings += look_at_own_processes(self._world)

    def _begin(self, kind: Kind) -> tuple[Bait, tuple[str, ...]]:
        names = tuple(each.name for each in self._attempts if kind in each.kinds)
        return self._world.lay_out(kind, names, patience=PATIENCE), names

    def _end(self, kind: Kind, bait: Bait, listing: Listing, proof: Proof) -> None:
        self.proofs[kind] = proof
        touched = self._world.touched(bait)
        self.findings += judged(
            kind, self._attempts, (self._controls, listing.outcomes), proof, touched
        )


def required_of(machine: Machine) -> Proof:
    """Return what a process of this machine has proved if it runs at all.

    A native program says nothing of itself; boot, which became it, had to find this.
    """
    layers = {
        "landlock": machine.landlock_abi,
        "seccomp": machine.seccomp,
        "namespaces": machine.bwrap is not None,
        "no_capabilities": True,
    }
    return Proof(level=machine.level, layers=layers)


_CALLED: Final[Mapping[Kind, str]] = {
    "worker": "worker (a model in Python, a custom model, a plugin)",
    "server": "worker that serves a unix socket (llama.cpp)",
    "program": "native program (whisper-cli, ffmpeg)",
    "orchestrator": "LAO's own process",
}


def judged(
    kind: Kind,
    attempts: Sequence[Attempt],
    outcomes: tuple[Mapping[str, Outcome], Mapping[str, Outcome]],
    proof: Proof,
    touched: frozenset[str],
) -> Iterator[Finding]:
    """Yield what the outcomes (unlocked, locked) of each attempt of a kind show.

    Last comes what happened to the witness though no attempt owns up to it.
    """
    controls, locked = outcomes
    nothing = Outcome(succeeded=False, detail="it was not tried")
    found = [
        judge(
            each,
            kind,
            (controls.get(each.name, nothing), locked.get(each.name, nothing)),
            layers=proof.layers,
            had_effect=each.name in touched,
        )
        for each in attempts
        if kind in each.kinds
    ]
    yield from found
    if touched.intersection(_UNNAMED) and not any("open" in e.verdict for e in found):
        yield Finding(
            attempt="unknown",
            area="network",
            phrase="Something reached the witness",
            kind=kind,
            verdict="open",
            why="no attempt says that it was the one",
        )
