# SPDX-License-Identifier: Apache-2.0
"""Breaks the victim's run in every way, and looks whether the store kept its word.

What must hold after any fault, and after the run went on:
the database is whole; what was acknowledged is there, as it was told; a result is
there if and only if its step's record is; the run completes with the outputs of an
undisturbed one; the model was asked again only for what was under way.
"""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tests.fault_victim import digest, settings_in

from lao.errors import StoreError
from lao.events import Event, ItemFinished, StepFinished
from lao.runtime import open_store

VICTIM = Path(__file__).with_name("fault_victim.py")
CALLS = (
    "openat", "mkdir", "write", "pwrite64", "ftruncate",
    "fsync", "fdatasync", "rename", "unlink", "link",
)  # fmt: skip
"""System calls that change what is on the disk. Python's `rename` has this name too."""
_SECONDS = 50
_LINE = re.compile(r"(?:\d+ +)?(\w+)\((.*)")
_DONE = ("step-finished", "item-finished")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a victim ended, and what it had told until then."""

    code: int
    lines: Sequence[Mapping[str, object]]
    err: str = ""

    @property
    def told(self) -> list[Mapping[str, object]]:
        """The events."""
        return [each for each in self.lines if "sequence" in each]

    @property
    def last(self) -> Mapping[str, object]:
        """What it said at its end: nothing if it was killed."""
        known = ("ended", "error")
        return next((each for each in self.lines if each["kind"] in known), {})


@dataclass(frozen=True)
class Place:
    """A folder in which a victim runs."""

    folder: Path

    def run(self, *arguments: str, prefix: Sequence[str] = ()) -> Ended:
        """Run a victim to its end, whichever that is."""
        self.folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [*prefix, sys.executable, str(VICTIM), str(self.folder), *arguments],
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=_SECONDS,
            env={
                "PATH": os.defpath,
                "HOME": str(self.folder),
                "LANG": "C.UTF-8",
                "PYTHONPATH": os.environ.get("PYTHONPATH", ""),  # noqa: TID251
            },
        )
        whole = done.stdout[: done.stdout.rfind("\n") + 1]
        return Ended(
            done.returncode, list(map(json.loads, whole.splitlines())), done.stderr
        )

    def break_down(self, fault: "Fault") -> Ended:
        """Run a victim that meets a fault."""
        return self.run(*fault.arguments, prefix=fault.prefix(self.folder))

    @property
    def calls(self) -> Counter[str]:
        """How often the model was asked each question."""
        try:
            return Counter((self.folder / "calls").read_text().split())
        except FileNotFoundError:
            return Counter()

    def copy(self, name: str) -> "Place":
        """Return a copy, as a crash of the machine would leave it: without locks."""
        there = self.folder.with_name(f"{self.folder.name}-{name}")
        shutil.rmtree(there, ignore_errors=True)
        shutil.copytree(self.folder, there, ignore=lambda *_: ["lao.db-shm"])
        return Place(there)


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens at the `at`th system call of a kind on the store's files.

    `act` is strace's: `signal=SIGKILL`, `error=ENOSPC`. `lasts`: at all later ones too.
    `paths` are the store's files, relative to the victim's folder.
    """

    call: str
    act: str
    at: int
    lasts: bool = False
    paths: Sequence[str] = ()
    arguments: Sequence[str] = ()

    def __str__(self) -> str:
        return f"{self.call}:{self.act}:when={self.at}{'+' * self.lasts}"

    def prefix(self, folder: Path) -> list[str]:
        """Return the command that puts the fault in the way."""
        paths = [word for path in self.paths for word in ("-P", str(folder / path))]
        inject = f"inject={self}"
        trace = f"trace={self.call}"
        return ["strace", "-qq", "-e", trace, "-e", inject, *paths, "-o", "/dev/null"]


@dataclass(frozen=True)
class Undisturbed:
    """A run without any fault: what each other one is compared with."""

    place: Place
    ended: Ended

    @cached_property
    def calls(self) -> Counter[str]:
        """How often the model was asked."""
        return self.place.calls

    @property
    def outputs(self) -> object:
        """The digests of the outputs."""
        return self.ended.last["outputs"]


def run_undisturbed(folder: Path, *arguments: str) -> Undisturbed:
    """Run a victim without a fault."""
    place = Place(folder)
    ended = place.run(*arguments)
    assert ended.last.get("status") == "done", ended
    return Undisturbed(place, ended)


def can_inject() -> bool:
    """Whether strace is here, and the system lets it trace."""
    if shutil.which("strace") is None:
        return False
    command = ["strace", "-o", "/dev/null", sys.executable, "-c", "pass"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def survey(folder: Path, *arguments: str) -> list[tuple[str, str]]:
    """Return the system calls of an undisturbed victim on its store, in order.

    Each with the file's path, relative to the folder.
    """
    log = folder.with_suffix(".strace")
    trace = ["strace", "-qq", "-y", "-e", f"trace={','.join(CALLS)}", "-o", str(log)]
    ended = Place(folder).run(*arguments, prefix=trace)
    assert ended.last.get("status") == "done", ended
    data = folder / "data"
    found = re.compile(rf'[<"]{re.escape(str(folder))}/(data[^>"]*)[>"]')
    calls = []
    for line in log.read_text().splitlines():
        match = _LINE.match(line)
        path = match and found.search(match[2])
        if match and path and str(data):
            calls.append((match[1], path[1]))
    return calls


def faults(
    calls: Sequence[tuple[str, str]], acts: Sequence[str], *arguments: str
) -> Iterator[Fault]:
    """Yield a fault for each call and act; an error is tried once, and for good."""
    paths = sorted({path for _, path in calls})
    for call, count in sorted(Counter(call for call, _ in calls).items()):
        for act in acts:
            for lasts in (False, True) if act.startswith("error") else (False,):
                for at in range(1, count + 1):
                    yield Fault(call, act, at, lasts, paths, arguments)


@dataclass
class Case:
    """A broken run, and what is wrong with what it left."""

    place: Place
    first: Ended
    undisturbed: Undisturbed
    wrong: list[str] = field(default_factory=list)

    def judge(self, *arguments: str) -> list[str]:
        """Return every promise that was broken: after the fault, and after going on."""
        before = self.place.calls
        self._judge_store(self.place.copy("seen"))
        self._judge_told()
        if self.first.last.get("status") != "done" or self.first.last.get("unrecorded"):
            self._go_on(*arguments)
        self._judge_calls(before)
        return self.wrong

    def _judge_store(self, copy: Place) -> None:
        database = copy.folder / "data" / "lao.db"
        if not database.exists():
            if any(each["kind"] in _DONE for each in self.first.told):
                self.wrong.append("acknowledged, and no database")
            return
        self.wrong += whole(database)
        try:
            events = list(journal(copy))
        except StoreError as error:
            self.wrong.append(f"the journal cannot be read: {error.code}")
            return
        kept = {(each.sequence, each.fact.kind): each.fact for each in events}
        for each in self.first.told:
            if each["kind"] not in _DONE:
                continue
            fact = kept.get((each["sequence"], each["kind"]))
            if not isinstance(fact, StepFinished | ItemFinished):
                self.wrong.append(f"lost: {each['kind']} of {each['step']}")
            elif digest(fact.value) != each["digest"]:
                self.wrong.append(f"changed: {each['kind']} of {each['step']}")
        self.wrong += half_records(database, events)

    def _judge_told(self) -> None:
        numbers = [int(str(each["sequence"])) for each in self.first.told]
        if numbers != sorted(set(numbers)):
            self.wrong.append("events were told twice, or out of order")
        if self.first.code > 0 and not self.first.last:
            self.wrong.append(f"no clear end: {self.first.err[-300:]}")
        outputs = self.first.last.get("outputs", {})
        right = self.undisturbed.outputs
        assert isinstance(outputs, Mapping)
        assert isinstance(right, Mapping)
        if not outputs.items() <= right.items():
            self.wrong.append(f"other outputs: {outputs}")

    def _go_on(self, *arguments: str) -> None:
        second = self.place.run(*arguments)
        if second.last.get("status") != "done" or second.last.get("unrecorded"):
            self.wrong.append(f"does not complete: {second.last} {second.err[-300:]}")
        elif second.last["outputs"] != self.undisturbed.outputs:
            self.wrong.append(f"other outputs in the end: {second.last['outputs']}")
        self.wrong += whole(self.place.folder / "data" / "lao.db")

    def _judge_calls(self, before: Counter[str]) -> None:
        """Look that only what was under way at the fault was asked again, and once."""
        calls = self.place.calls
        known = {
            each["digest"]
            for each in self.first.told
            if each["kind"] in _DONE and each["key"]
        }
        in_flight = sum(count for name, count in before.items() if name not in known)
        most = self.undisturbed.calls.total() + in_flight
        if calls.total() > most:
            self.wrong.append(f"{calls.total()} calls, at most {most} were due")
        for name, count in calls.items():
            if count > (1 if name in known else 2):
                known_or_not = "known" if name in known else "unknown"
                self.wrong.append(f"asked {count} times for what was {known_or_not}")
        if calls.keys() != self.undisturbed.calls.keys():
            self.wrong.append("other questions than in an undisturbed run")


def whole(database: Path) -> list[str]:
    """Return what SQLite finds wrong with a database."""
    with closing(sqlite3.connect(database)) as connection:
        try:
            found = connection.execute("PRAGMA integrity_check").fetchall()
            loose = connection.execute("PRAGMA foreign_key_check").fetchall()
        except sqlite3.DatabaseError as error:
            return [f"integrity: {error}"]
    wrong = [f"integrity: {each}" for (each,) in found if each != "ok"]
    return wrong + [f"loose row: {each}" for each in loose]


def made_up(place: Place, told: Sequence[Mapping[str, object]]) -> list[str]:
    """Return what a damaged store says of a run that is not what was told of it.

    Some of it may be gone. To refuse to be read is right too.
    """
    right = {(each["sequence"], each["kind"]): each["digest"] for each in told}
    try:
        events = list(journal(place))
    except StoreError:
        return []
    return [
        f"changed or made up: {each.fact.kind} {each.sequence}"
        for each in events
        if right.get((each.sequence, each.fact.kind))
        != digest(getattr(each.fact, "value", None))
    ]


def journal(place: Place) -> Iterator[Event]:
    """Yield the events of all runs of a victim's store, oldest run first."""
    with open_store(settings_in(place.folder)) as store:
        for record in sorted(store.runs.listed(), key=lambda each: each.row):
            yield from store.runs.each_event(record)


def half_records(database: Path, events: Iterable[Event]) -> list[str]:
    """Return the results without their record, and the records without their result."""
    facts = [each.fact for each in events]
    done = [each for each in facts if isinstance(each, StepFinished | ItemFinished)]
    told = {each.key for each in done if each.key and each.step != "right_more"}
    with closing(sqlite3.connect(database)) as connection:
        try:
            kept = {key for (key,) in connection.execute("SELECT key FROM result")}
        except sqlite3.OperationalError:  # no schema yet
            kept = set()
    wrong = [f"a record without its result: {key[:8]}" for key in told - kept]
    return wrong + [f"a result without its record: {key[:8]}" for key in kept - told]
