# SPDX-License-Identifier: Apache-2.0
"""The worker's first words: it is locked, and by what. Then it serves its model.

They are said before anything else is imported, so that nothing could change them.
"""

import json
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lao.workflow.values import JsonValue


def main(requests_fd: int, replies_fd: int, layers: "Mapping[str, JsonValue]") -> None:
    """Be a worker, from the hello to the end of the pipe."""
    say_hello(replies_fd, layers)
    load_msgspec()
    from lao.workers.serving import serve  # noqa: PLC0415  (after the hello)

    serve(requests_fd, replies_fd)


def load_msgspec() -> None:
    """Import msgspec, but not `typing_extensions`.

    It asks that for what `typing` has too, and three quarters of the time go there.
    """
    absent = "typing_extensions"
    sys.modules[absent] = None  # type: ignore[assignment]  # the import system's own way
    try:
        import msgspec.json  # noqa: F401, PLC0415
    finally:
        del sys.modules[absent]


def say_hello(replies_fd: int, layers: "Mapping[str, JsonValue]") -> None:
    """Send the frame that tells what this process's self-check found."""
    header = json.dumps({"id": 0, "kind": "hello", "layers": dict(layers)}).encode()
    os.write(replies_fd, len(header).to_bytes(4, "big") + bytes(4) + header)
