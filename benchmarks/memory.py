# SPDX-License-Identifier: Apache-2.0
"""How much memory LAO itself takes, and what a long run or a long list adds to it.

    python -m benchmarks.memory [--rounds N] [--quick]

Sizes are peaks of the process that carries out the run (`VmHWM`): workers and helpers
are not among them. Steps and elements are answered by a model in that process, which
costs nothing; runs are durable and their cache is off. A list adds what its run takes
at its peak beyond the session, the inputs, which are there before, and the outputs,
which any program would hold; the time per element is that of a list against one of a
tenth of it. `--quick` takes 100,000 elements for 1,000,000, and fewer steps; so do
runs in which the long list would take more than three minutes, or more than is left.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.dags import called
from benchmarks.engine_rows import Durable, Working, settings_in
from benchmarks.figures import Effort, Figure, run_alone
from benchmarks.processes import ROOT, Found, found_by, memory_mb, own_home, subject_of
from benchmarks.startup import LAO, chain

from lao.backend_factory import Backends
from lao.durable import Prepared, Selection, carry_out, prepare
from lao.roles import Backend
from lao.runtime import RunOptions, Session, make_plan, open_store
from lao.workflow.inference import ModelReply, ModelRequest, Report
from lao.workflow.local_models import Custom, ModelBackend
from lao.workflow.steps import Input, Workflow, WorkflowStep
from lao.workflow.values import TEXT, Value, list_of

GROUP = "memory"
PEAK = "lao chain, peak of the orchestrator"
FEW_STEPS, MANY_STEPS = 100, 10_000
ELEMENTS, FEWER_ELEMENTS = 1_000_000, 100_000
LONGEST, OVERDRAWN = 180.0, 60.0  # seconds for the long list, and beyond the time given
ROUNDS = 3  # sizes vary little

Samples = dict[str, list[float]]


def chain_peak(number: int) -> float:
    """Return the peak MB of `lao chain`, looked at whenever it tells an event.

    Raises:
        SystemExit: the run did not end well.
    """
    text, answer = chain(number)
    peak, told = 0.0, b""
    with (
        tempfile.TemporaryDirectory(prefix="memory-") as name,
        subprocess.Popen(
            [LAO, "chain", text, "-q", "--events", "-"],
            env=own_home(Path(name)),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process,
    ):
        for line in process.stdout or ():
            peak = max(peak, memory_mb("VmHWM", process.pid))
            told = line
    if process.returncode or answer not in told.decode():
        sys.exit(f"the run did not end well: {told!r}")
    return peak


def steps(count: int) -> Samples:
    """Return the peak MB of a durable run of a chain, and what the run alone added."""
    dag = called(f"chain{count}")
    with tempfile.TemporaryDirectory(prefix="memory-") as name:
        subject = Durable(dag, Path(name))
        before = memory_mb("VmRSS")
        if subject.run() != dag.answer:
            sys.exit("wrong answer")
        peak = memory_mb("VmHWM")
        subject.close()
    return {"peak": [peak], "run": [peak - before]}


class Exclaiming(Working):
    """A model that says what it is given, and an exclamation mark."""

    async def infer(self, request: ModelRequest, _: Report) -> ModelReply:
        """Answer at once."""
        return ModelReply(value=f"{request.input}!", made_by="work")


class InProcess(Backends):
    """The backends of a session in which every model is `Exclaiming`."""

    def _backend(self, _: ModelBackend) -> Backend:
        return Exclaiming()


LIST = Workflow(
    name="list",
    inputs={"texts": Input(type=list_of(TEXT))},
    steps=[
        WorkflowStep(
            id="each",
            for_each="{{ inputs.texts }}",
            model=Custom(plugin="exclaim.py"),
            input="{{ item }}",
            cache="off",
        )
    ],
    outputs={"answer": "{{ each }}"},
)


Run = Callable[[list[Value]], Awaitable[Value]]


async def _elements(count: int, folder: Path) -> Samples:
    settings = settings_in(folder)
    prepared = prepare(LIST, make_plan(LIST, settings, recipes={}), Selection())
    with open_store(settings) as store:
        async with Session(settings, store, backends=InProcess(settings)) as session:

            async def run(texts: list[Value]) -> Value:
                ready = Prepared(
                    workflow=prepared.workflow,
                    whole=prepared.whole,
                    plan=prepared.plan,
                    inputs={"texts": texts},
                )
                result = await carry_out(session, store, ready, RunOptions())
                return result.outputs.get("answer", str(result.failures))

            return await _measured(run, count)


async def _measured(run: Run, count: int) -> Samples:
    """Return CPU µs per element and the MB that the run added. A short run warms up."""
    await _timed(run, [str(number) for number in range(100)])
    texts: list[Value] = [str(number) for number in range(count)]
    before = memory_mb("VmRSS")
    spent, answer = await _timed(run, texts)
    added = memory_mb("VmHWM") - before
    return {
        "time": [spent / count * 1e6],
        "run": [added],
        "beyond": [added - _size_mb(answer)],
    }


async def _timed(run: Run, texts: list[Value]) -> tuple[float, list[Value]]:
    began = time.process_time()
    answer = await run(texts)
    spent = time.process_time() - began
    if not isinstance(answer, list) or answer != [f"{text}!" for text in texts]:
        sys.exit(f"wrong answer: {str(answer)[:200]}")
    return spent, answer


def _size_mb(values: list[Value]) -> float:
    return (sys.getsizeof(values) + sum(map(sys.getsizeof, values))) / 2**20


def elements(count: int) -> Samples:
    """Return what a list of so many elements costs, in this process."""
    with tempfile.TemporaryDirectory(prefix="memory-") as name:
        return asyncio.run(_elements(count, Path(name)))


SUBJECTS: Mapping[str, Callable[[int], Samples]] = {
    "steps": steps,
    "elements": elements,
}


def measure(effort: Effort) -> Iterator[Figure]:
    """Measure, round by round; the lists once."""
    few = replace(effort, rounds=min(effort.rounds, ROUNDS))
    yield from _of_chain(few)
    yield from _of_steps(few)
    yield from _of_elements(effort)


def _of_chain(effort: Effort) -> Iterator[Figure]:
    peaks = tuple(chain_peak(number) for number in effort.turns(PEAK))
    yield Figure(group=GROUP, name=PEAK, unit="MB", samples=peaks, absolute=45.0)


def _of_steps(effort: Effort) -> Iterator[Figure]:
    many = MANY_STEPS // 10 if effort.quick else MANY_STEPS
    found: dict[int, Samples] = {}
    for _ in effort.turns("steps"):
        for count in (FEW_STEPS, many):
            for what, values in found_by("memory", "steps", str(count)).items():
                found.setdefault(count, {}).setdefault(what, []).extend(values)
    for count, samples in found.items():
        yield _size(f"{count:,} durable steps, peak", samples["peak"])
        yield _size(f"{count:,} durable steps, the run alone", samples["run"])
    pairs = zip(found[FEW_STEPS]["peak"], found[many]["peak"], strict=True)
    more = [larger - smaller for smaller, larger in pairs]
    name = f"{many:,} durable steps, more than {FEW_STEPS}"
    yield _size(name, more, absolute=None if effort.quick else 5.0)


def _of_elements(effort: Effort) -> Iterator[Figure]:
    began = time.monotonic()
    small = found_by("memory", "elements", str(FEWER_ELEMENTS))
    foreseen = (time.monotonic() - began) * ELEMENTS / FEWER_ELEMENTS
    left = effort.until + OVERDRAWN - time.monotonic()
    if not effort.quick and foreseen < min(left, LONGEST):
        large = found_by("memory", "elements", str(ELEMENTS))
        yield from _of_lists({FEWER_ELEMENTS: small, ELEMENTS: large})
        return
    if not effort.quick:
        effort.tell(f"no list of {ELEMENTS:,}: it would take {foreseen:.0f} s")
    smaller = FEWER_ELEMENTS // 10
    smaller_found = found_by("memory", "elements", str(smaller))
    yield from _of_lists({smaller: smaller_found, FEWER_ELEMENTS: small})


def _of_lists(found: Mapping[int, Found]) -> Iterator[Figure]:
    """Yield the figures of a list and of one with ten times the elements."""
    shorter, longer = found
    for count, samples in found.items():
        is_longer = count == longer
        yield Figure(
            group=GROUP,
            name=_named(count, "time per element"),
            unit="CPU µs",
            samples=tuple(samples["time"]),
            floor=_named(shorter, "time per element") if is_longer else "",
            target=1.2 if is_longer else None,
        )
        yield _size(_named(count, "added by the run"), samples["run"])
        yield _size(
            _named(count, "added, beyond the outputs"),
            samples["beyond"],
            absolute=30.0 if count == ELEMENTS else None,
        )


def _named(count: int, what: str) -> str:
    return f"for_each of {count:,}, {what}"


def _size(name: str, mb: Sequence[float], *, absolute: float | None = None) -> Figure:
    return Figure(
        group=GROUP, name=name, unit="MB", samples=tuple(mb), absolute=absolute
    )


def main() -> None:
    """Be a subject, or measure."""
    if subject := subject_of(sys.argv[1:]):
        name, count = subject
        print(json.dumps(SUBJECTS[name](int(count))))
    else:
        run_alone(measure)


if __name__ == "__main__":
    main()
