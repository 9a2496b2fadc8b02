# SPDX-License-Identifier: Apache-2.0
"""The worker's side of a native program: the locked process becomes the program."""

import os
from collections.abc import Mapping
from functools import partial
from typing import Any

from lao.workers.child import say_hello
from lao.workers.frames import FrameSplitter, read_frame
from lao.workers.strict_json import decode_json
from lao.workflow.values import JsonValue

_CANNOT_RUN = 126  # what a shell says


def main(requests_fd: int, replies_fd: int, layers: Mapping[str, JsonValue]) -> None:
    """Tell what locks this process, read the argument list, be the program.

    What boot has locked stays locked: limits, no new privileges, the death signal.
    """
    say_hello(replies_fd, layers)
    frame = read_frame(partial(os.read, requests_fd), FrameSplitter())
    if frame is None:
        os._exit(0)
    arguments: Any = decode_json(frame.body)  # of our own parent
    os.close(requests_fd)
    os.close(replies_fd)
    try:
        os.execv(arguments[0], arguments)  # noqa: S606  (this is what it is for)
    except OSError as error:
        os.write(2, f"{error.strerror}\n".encode())
        os._exit(_CANNOT_RUN)
