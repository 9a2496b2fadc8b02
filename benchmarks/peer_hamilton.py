# SPDX-License-Identifier: Apache-2.0
"""Hamilton: a function for each step, its parameters named after the steps it needs.

Runs in an environment that holds `sf-hamilton`.
"""

import asyncio
import importlib
import sys
from pathlib import Path
from types import ModuleType

from benchmarks.dags import SEED, Dag
from hamilton import async_driver, driver  # type: ignore[import-untyped]  # has no types

DEEPEST = 20_000
"""Its executor walks the graph recursively: a chain is as deep as it is long."""


def _functions_of(dag: Dag, folder: Path, *, define: str) -> ModuleType:
    """Return a graph as a module. A real file: its cache reads each step's source."""
    lines = ["from benchmarks.dags import work"]
    for node, needs in dag.needs.items():
        given = ", ".join(needs or ["seed"])
        parameters = given.replace(",", ": str,")
        lines.append(
            f"{define} {node}({parameters}: str) -> str:\n"
            f"    return work({node!r}, [{given}])\n"
        )
    (folder / "hamilton_steps.py").write_text("\n\n".join(lines))
    sys.path.insert(0, str(folder))
    sys.setrecursionlimit(DEEPEST)
    return importlib.import_module("hamilton_steps")


class Hamilton:
    """Its default executor: depth first, in one thread."""

    def __init__(self, dag: Dag, folder: Path) -> None:
        self.sink = dag.sink
        functions = _functions_of(dag, folder, define="def")
        self.driver = self.built(driver.Builder().with_modules(functions), folder)

    def built(self, builder: driver.Builder, _: Path) -> driver.Driver:
        """Return the driver."""
        return builder.build()

    def run(self) -> str:
        """Run the graph once."""
        answer: str = self.driver.execute([self.sink], inputs={"seed": SEED})[self.sink]
        return answer

    def close(self) -> None:
        """Leave it to the end of the process."""


class HamiltonCached(Hamilton):
    """The first run fills its cache (SQLite, a pickle for each result); the others hit."""

    def built(self, builder: driver.Builder, folder: Path) -> driver.Driver:
        """Return the driver."""
        return builder.with_cache(path=str(folder / "cache")).build()


class HamiltonAsync:
    """Asynchronous functions, a task for each."""

    def __init__(self, dag: Dag, folder: Path) -> None:
        self.sink = dag.sink
        self.loop = asyncio.new_event_loop()
        functions = _functions_of(dag, folder, define="async def")
        builder = async_driver.Builder().with_modules(functions)
        self.driver = self.loop.run_until_complete(builder.build())

    def run(self) -> str:
        """Run the graph once."""
        running = self.driver.execute([self.sink], inputs={"seed": SEED})
        answer: str = self.loop.run_until_complete(running)[self.sink]
        return answer

    def close(self) -> None:
        """Leave it to the end of the process."""


SUBJECTS = {
    "Hamilton, in memory": Hamilton,
    "Hamilton async, in memory": HamiltonAsync,
    "Hamilton, cached": HamiltonCached,
}
