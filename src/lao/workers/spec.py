# SPDX-License-Identifier: Apache-2.0
"""What a worker process is for: equal specs share one warm process."""

import json
from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import force_setattr

from lao.isolation.seccomp import Profile
from lao.policy import WorkerLimits
from lao.workflow.values import JsonValue


class WorkerSpec(Struct, frozen=True, kw_only=True):
    """One model in one process.

    `entry` is `package.module:Class` or `/absolute/path.py[:Class]`, the class being
    a `LocalModel`; `config` goes to its `load`. `readable` are the files and folders
    that it may read besides its own file; `gpu` lets it use graphics devices.
    `parallel` is how many requests it takes at a time. `content` changes when the
    files do that the model was loaded from: a changed model needs another process.
    """

    entry: str
    config: Mapping[str, JsonValue] = field(default_factory=dict)
    readable: tuple[str, ...] = ()
    limits: WorkerLimits = field(default_factory=WorkerLimits)
    profile: Profile = "default"
    gpu: bool = False
    parallel: int = 1
    content: str = ""

    key: str = ""

    def __post_init__(self) -> None:
        """Write the key: the same text for equal specs, and for no others."""
        config = json.dumps(dict(self.config), sort_keys=True)
        rest = (self.entry, self.readable, self.limits, self.profile, self.gpu)
        key = f"{rest!r} {self.parallel} {self.content} {config}"
        force_setattr(self, "key", key)

    def __hash__(self) -> int:
        """Hash the key; `config` is a mapping and has no hash."""
        return hash(self.key)
