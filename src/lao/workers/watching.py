# SPDX-License-Identifier: Apache-2.0
"""Looks at what a running process uses, where the kernel cannot bound it."""

import asyncio
import itertools
from typing import Final

from lao.isolation.limits import (
    fills_the_disk,
    room_on_disk,
    scratch_is_too_large,
    usage_of,
)
from lao.policy import WorkerLimits
from lao.workers import failures
from lao.workers.channel import Channel
from lao.workers.failures import Failure

_SECONDS: Final = 0.25
_SCRATCH_EVERY: Final = 4  # looks: walking a folder costs more than reading a number


async def overuse(channel: Channel, limits: WorkerLimits) -> Failure:
    """Wait until a process uses more than it may; return the complaint."""
    scratch = channel.folder.scratch
    room = room_on_disk(scratch)
    for look in itertools.count(1):
        await asyncio.sleep(_SECONDS)
        used = usage_of(channel.process.pid)
        if used is not None and used.memory > (limits.memory or used.memory):
            what = f"the model used {used.memory} bytes, of {limits.memory} allowed"
            return failures.out_of_memory(what)
        if used is not None and used.threads > limits.threads:
            return failures.too_many_threads(limits.threads)
        if fills_the_disk(room, room_on_disk(scratch), limits):
            return failures.disk_is_filling_up()
        if look % _SCRATCH_EVERY == 0 and await asyncio.to_thread(
            scratch_is_too_large, scratch, limits
        ):
            return failures.scratch_too_large()
    raise AssertionError  # a count never ends
