# SPDX-License-Identifier: Apache-2.0
"""Haystack: a component for each step, in memory.

Runs in an environment that holds `haystack-ai`.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from benchmarks.dags import SEED, Dag, work
from haystack import Pipeline, component
from haystack.core.component.types import Variadic

SIDE_BY_SIDE = 100
_Output = Mapping[str, str]


@component
class One:
    """A step with one need, or none."""

    def __init__(self, node: str) -> None:
        self.node = node

    @component.output_types(out=str)
    def run(self, value: str) -> _Output:
        """Do the step."""
        return {"out": work(self.node, [value])}

    @component.output_types(out=str)
    async def run_async(self, value: str) -> _Output:
        """Do the step on an event loop."""
        return self.run(value)


@component
class Many:
    """A step with several needs, which meet in one socket."""

    def __init__(self, node: str) -> None:
        self.node = node

    @component.output_types(out=str)
    def run(self, value: Variadic[str]) -> _Output:
        """Do the step."""
        return {"out": work(self.node, list(value))}

    @component.output_types(out=str)
    async def run_async(self, value: Variadic[str]) -> _Output:
        """Do the step on an event loop."""
        return self.run(value)


class Haystack:
    """Its pipeline."""

    def __init__(self, dag: Dag, _: Path) -> None:
        self.sink = dag.sink
        self.pipeline = Pipeline()
        for node, needs in dag.needs.items():
            self.pipeline.add_component(node, (One if len(needs) < 2 else Many)(node))
        for node, needs in dag.needs.items():
            for need in needs:
                self.pipeline.connect(f"{need}.out", f"{node}.value")
        starts = (node for node, needs in dag.needs.items() if not needs)
        self.given = {node: {"value": SEED} for node in starts}

    def run(self) -> str:
        """Run the pipeline once."""
        answer: str = self.pipeline.run(self.given)[self.sink]["out"]
        return answer

    def close(self) -> None:
        """Leave it to the end of the process."""


class HaystackAsync(Haystack):
    """The same on an event loop, up to a hundred components at once."""

    def __init__(self, dag: Dag, folder: Path) -> None:
        super().__init__(dag, folder)
        self.loop = asyncio.new_event_loop()

    def run(self) -> str:
        """Run the pipeline once."""
        running = self.pipeline.run_async(self.given, concurrency_limit=SIDE_BY_SIDE)
        answer: str = self.loop.run_until_complete(running)[self.sink]["out"]
        return answer


SUBJECTS = {
    "Haystack, in memory": Haystack,
    "Haystack async, in memory": HaystackAsync,
}
