# SPDX-License-Identifier: Apache-2.0
"""Tries a plugin before anybody has trusted it: added to a data folder of its own.

It is unpacked, locked and called exactly as an installed one; the folder is gone at
the end. What it may do there is what the kernel leaves it, trusted or not.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct

from lao.isolation.launching import ChildLauncher, Launcher
from lao.plugins.adding import add_plugin
from lao.plugins.backend import PluginBackend, require_isolation
from lao.plugins.installed import manifest_of, plugins_folder, trust
from lao.plugins.reach import require_reach
from lao.policy import Level, Proof, WorkerLimits
from lao.workers.clearing import held_folder
from lao.workers.pool import WorkerPool
from lao.workflow.inference import (
    ModelDescription,
    ModelReply,
    ModelRequest,
    Report,
    Wanted,
)
from lao.workflow.local_models import Installed
from lao.workflow.plugins import PluginManifest
from lao.workflow.values import JsonValue, ValueType


class Trial(Struct, frozen=True, kw_only=True):
    """A plugin that can be called; `level` is what this machine locks it with."""

    folder: Path
    manifest: PluginManifest
    level: Level
    backend: PluginBackend
    accept_none: bool

    async def call(
        self,
        value: JsonValue,
        report: Report,
        *,
        parameters: Mapping[str, JsonValue] | None = None,
        wants: Wanted | None = None,
    ) -> ModelReply:
        """Have the plugin work on one value; files are paths.

        Raises:
            LaoError: what a run would report: of its types, its worker, or itself.
        """
        self.require_isolation()
        request = ModelRequest(
            input=value,
            files=tuple(files_in(value, self.manifest.input)),
            options=dict(parameters or {}),
            wants=wants or self.manifest.wants,
        )
        return await self.backend.infer(request, report)

    async def describe(self) -> ModelDescription:
        """Have the plugin say what it is."""
        self.require_isolation()
        return await self.backend.describe()

    def proof(self) -> Proof | None:
        """Return what the plugin's worker has proved, if there is one."""
        return self.backend.proof()

    def require_isolation(self) -> None:
        """Refuse to run anything of it where it could read the user's files.

        Raises:
            RefusedByPolicy: `plugin.needs-isolation`.
        """
        require_isolation(self.manifest.name, self.level, accept_none=self.accept_none)


@asynccontextmanager
async def trial_of(
    source: Path,
    *,
    launcher: Launcher | None = None,
    accept_none: bool = False,
    limits: WorkerLimits | None = None,
    kept: Path | None = None,
) -> AsyncIterator[Trial]:
    """Add the plugin in a folder or a wheel where nobody else sees it.

    `kept` is the user's own data folder, which no plugin can ask to read.

    Raises:
        LaoError: as `add_plugin`.
    """
    launcher = launcher or ChildLauncher(accept_none=accept_none)
    with held_folder(None) as data:
        name = add_plugin(source, data).name
        manifest = manifest_of(plugins_folder(data), name)
        if kept is not None:
            require_reach(manifest, kept)
        trust(data, name)
        async with WorkerPool(launcher=launcher, max_workers=1) as pool:
            backend = PluginBackend(
                model=Installed(name=name),
                data=data,
                pool=pool,
                limits=limits or WorkerLimits(),
            )
            yield Trial(
                folder=plugins_folder(data) / name,
                manifest=manifest,
                level=launcher.machine.level,
                backend=backend,
                accept_none=accept_none,
            )


def files_in(value: JsonValue, of: ValueType) -> Iterator[str]:
    """Yield the paths in a value of a type."""
    if of.is_file and isinstance(value, str):
        yield value
    elif of.item is not None and isinstance(value, list):
        for each in value:
            yield from files_in(each, of.item)
