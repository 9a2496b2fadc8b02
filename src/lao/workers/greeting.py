# SPDX-License-Identifier: Apache-2.0
"""The first words of a worker: that it is locked, and that its model's class is there.

They are two frames, because the first is sent before any foreign code has run: no
model can tell of layers that it does not have.
"""

from collections.abc import Mapping

from lao.workers import failures
from lao.workers.failures import Failure
from lao.workers.frame_reader import FrameReader
from lao.workers.frames import Frame, TruncatedFrame
from lao.workers.strict_json import FrameError
from lao.workflow.values import JsonValue

Layers = Mapping[str, JsonValue]


async def hear_hello(replies: FrameReader) -> Layers:
    """Return what the worker's self-check read back from the kernel.

    Raises:
        FrameError: it says something else, or nothing.
    """
    header = (await _next(replies)).header
    layers = header.get("layers")
    if header.get("kind") != "hello" or not isinstance(layers, dict):
        raise FrameError("it did not begin with a hello")
    return layers


async def hear_ready(replies: FrameReader) -> Failure | None:
    """Wait until the model's class is there; return why it is not.

    Raises:
        FrameError: it says something else, or nothing.
    """
    header = (await _next(replies)).header
    if header.get("kind") == "error":
        return failures.as_start_failure(failures.told(header))
    if header.get("kind") != "ready":
        raise FrameError("it did not say that it is ready")
    return None


async def _next(replies: FrameReader) -> Frame:
    frame = await replies.next()
    if frame is None:
        raise TruncatedFrame("it said nothing")
    return frame
