# SPDX-License-Identifier: Apache-2.0
"""A plugin as a backend: trusted before it runs, its values checked on both sides."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from lao.errors import LaoError, RefusedByPolicy, StepError
from lao.plugins.identity import FolderIdentity
from lao.plugins.installed import (
    import_roots,
    manifest_of,
    plugins_folder,
    require_plugin,
)
from lao.plugins.reach import require_reach
from lao.plugins.trust import changed, read_trust, require_private, untrusted
from lao.policy import Level, Proof, WorkerLimits
from lao.workers.pool import WorkerPool
from lao.workers.spec import WorkerSpec
from lao.workflow.inference import ModelDescription, ModelReply, ModelRequest, Report
from lao.workflow.json_text import read_json
from lao.workflow.local_models import Installed
from lao.workflow.plugins import NO_PARAMETERS, PluginManifest, is_of_type, why_unfit
from lao.workflow.values import JsonValue

_ENTRY = "lao.plugins.worker:PluginModel"
_MOST_NOTES = 20
_LONGEST_NOTE = 300  # characters
_ENOUGH: frozenset[Level] = frozenset(["L2", "L3"])


def require_isolation(name: str, level: Level, *, accept_none: bool) -> None:
    """Refuse a plugin where the kernel would let it read the user's files.

    Raises:
        RefusedByPolicy: `plugin.needs-isolation`.
    """
    if level not in _ENOUGH and not accept_none:
        raise RefusedByPolicy(
            "plugin.needs-isolation",
            f"the plugin {name!r} does not run here: this machine reaches {level}, "
            "where a plugin could read your files",
            mend="use Linux 6.7 or newer, or accept it with --accept-no-isolation",
        )


class _Ready(Struct, frozen=True, kw_only=True):
    """A plugin that was found to be trusted."""

    manifest: PluginManifest
    digest: str
    spec: WorkerSpec


@dataclass(slots=True, kw_only=True)
class PluginBackend:
    """One installed plugin, in a worker of its own. State: what it was when last used.

    Before each use its files are compared with those that were trusted.
    """

    model: Installed
    data: Path
    pool: WorkerPool
    limits: WorkerLimits
    _identity: FolderIdentity = field(init=False)
    _ready: _Ready | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Find its folder."""
        self._identity = FolderIdentity(folder=self._plugins / self.model.name)

    @property
    def _plugins(self) -> Path:
        return plugins_folder(self.data)

    async def describe(self) -> ModelDescription:
        """Say what the plugin is, loading it if need be."""
        ready = await self._current()
        return await self.pool.describe(ready.spec)

    async def identify(self) -> str:
        """Name the plugin by all its files.

        Raises:
            UsageError: `plugin.unknown`, `plugin.unreadable`.
            RefusedByPolicy: `plugin.untrusted`, `plugin.changed`, `.reads-too-much`,
                `.exposed-folder`.
        """
        return (await self._current()).digest

    async def infer(self, request: ModelRequest, report: Report) -> ModelReply:
        """Have the plugin work on one value.

        Raises:
            StepError: `plugin.wrong-input`, `.bad-parameter` or `.wrong-output`, what
                befell its worker, or the plugin's own complaint.
        """
        ready = await self._current()
        manifest = ready.manifest
        request = replace(request, options=_parameters(manifest, request))
        _require_input(manifest, request)
        reply = await self.pool.infer(ready.spec, request, report)
        _require_output(manifest, request, reply)
        return _told_briefly(reply)

    def proof(self) -> Proof | None:
        """Return what its worker has proved of itself."""
        return None if self._ready is None else self.pool.proof(self._ready.spec)

    async def close(self) -> None:
        """End the worker."""
        if self._ready is not None:
            await self.pool.release(self._ready.spec)

    async def _current(self) -> _Ready:
        """Return the plugin as it is now, if that is what was trusted."""
        ready = await asyncio.to_thread(self._look)
        before, self._ready = self._ready, ready
        if before is not None and before.digest != ready.digest:
            await self.pool.release(before.spec)
        return ready

    def _look(self) -> _Ready:
        name, known = self.model.name, self._ready
        require_plugin(self._plugins, name)
        require_private(self._plugins)
        record = read_trust(self._plugins, name)
        if record is None or not record.digest:
            raise untrusted(name)
        if self._identity.digest() != record.digest:
            raise changed(name)
        if known is not None and known.digest == record.digest:
            return known
        manifest = manifest_of(self._plugins, name)
        require_reach(manifest, self.data)
        if self._identity.digest() != record.digest:  # changed since, the manifest too
            raise changed(name)
        return _Ready(
            manifest=manifest,
            digest=record.digest,
            spec=self._spec(manifest, record.digest),
        )

    def _spec(self, manifest: PluginManifest, digest: str) -> WorkerSpec:
        folder = self._identity.folder
        options = {**manifest.defaults, **self.model.options}
        return WorkerSpec(
            entry=_ENTRY,
            config={
                "name": manifest.name,
                "version": manifest.version,
                "kind": manifest.kind,
                "entry": manifest.entry,
                "gives": manifest.output.kind,
                "paths": [str(root) for root in import_roots(folder)],
                "readable": list(manifest.read),
                "options": _known(manifest, options),
            },
            readable=(str(folder), *manifest.read),
            limits=self.limits,
            gpu=manifest.gpu,
            content=digest,
        )


def _told_briefly(reply: ModelReply) -> ModelReply:
    """Return a reply with no more words beside its value than a person reads."""
    notes = tuple(_short(note) for note in reply.notes[:_MOST_NOTES])
    if left := len(reply.notes) - len(notes):
        notes = (*notes, f"… and {left:,} more notes")
    return replace(reply, notes=notes, made_by=_short(reply.made_by))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_NOTE else f"{text[: _LONGEST_NOTE - 1]}…"


def _parameters(
    manifest: PluginManifest, request: ModelRequest
) -> dict[str, JsonValue]:
    """Return what the plugin is told, its defaults filled in.

    Raises:
        StepError: `plugin.bad-parameter`.
    """
    told = {**manifest.defaults, **request.options}
    if manifest.kind == "model":  # a recipe may say more than this model knows
        told = _known(manifest, told)
    if not told and manifest.parameters == NO_PARAMETERS:
        return told
    place, why = why_unfit(told, manifest.parameters)
    if why:
        raise StepError(
            "plugin.bad-parameter",
            f"a parameter of the plugin {manifest.name!r} does not fit at {place}: {why}",
            mend=f"`lao plugin show {manifest.name}` says what it takes",
        )
    return told


def _known(
    manifest: PluginManifest, told: dict[str, JsonValue]
) -> dict[str, JsonValue]:
    """Return the options that the manifest lists; all of them if it takes any."""
    if manifest.parameters.get("additionalProperties") is not False:
        return told
    return {name: told[name] for name in told if name in manifest.properties}


def _require_input(manifest: PluginManifest, request: ModelRequest) -> None:
    is_asked = manifest.kind == "model" and request.input is None  # by a prompt
    if not is_asked and not is_of_type(request.input, manifest.input):
        raise StepError(
            "plugin.wrong-input",
            f"the plugin {manifest.name!r} takes {manifest.input}, and the step's input "
            "is something else",
            mend="look at what the step before it gives",
        )


def _require_output(
    manifest: PluginManifest, request: ModelRequest, reply: ModelReply
) -> None:
    """Compare what came with what the manifest promises.

    A model may have been asked for something else than it gives by itself. JSON may
    come as its text.
    """
    value = reply.value
    if manifest.kind == "model" and request.wants != manifest.wants:
        return
    if isinstance(value, str) and manifest.wants == "json":
        try:
            value = read_json(value)
        except ValueError:
            raise _wrong_output(manifest, "it is not JSON") from None
    if not is_of_type(value, manifest.output):
        raise _wrong_output(manifest, f"it is not {manifest.output}")
    if manifest.schema is not None:
        place, why = why_unfit(value, manifest.schema)
        if why:
            raise _wrong_output(manifest, f"at {place}: {why}")


def _wrong_output(manifest: PluginManifest, why: str) -> LaoError:
    return StepError(
        "plugin.wrong-output",
        f"what the plugin {manifest.name!r} gave is not what its manifest promises: {why}",
        mend="this is an error in the plugin; tell its author",
        retryable=manifest.kind == "model",  # another answer may be right
    )
