# SPDX-License-Identifier: Apache-2.0
"""JSON that belongs to a frame: in its body, or in a file where it is too long.

Requests lie in the worker's inbox, replies in its scratch directory. The reader names
the file itself, from what it knows, so no path ever comes out of a worker; and it
opens nothing but a regular file of that folder, because a worker may have put anything
else there.
"""

import os
from collections.abc import Callable
from pathlib import Path

from lao.files import TooLargeError, read_beneath
from lao.workers.frames import Frame
from lao.workers.strict_json import FrameError, decode_json, encode_json
from lao.workflow.values import JsonValue

IN_BODY = 8 << 20


class TooLong(FrameError):
    """The payload is longer than it may be."""


def pack(
    header: dict[str, JsonValue], value: JsonValue, *, file: Callable[[], Path]
) -> Frame:
    """Return a frame that carries `value`; a long one is written to a new `file`."""
    data = encode_json(value)
    if len(data) <= IN_BODY:
        return Frame(header=header, body=data)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(file(), flags, 0o600), "wb") as opened:
        opened.write(data)
    return Frame(header={**header, "in_file": True})


def unpack(frame: Frame, *, file: Path, limit: int) -> JsonValue:
    """Return what a frame carries, itself or in `file`.

    Raises:
        TooLong: more than `limit` bytes.
        FrameError: not JSON, or no regular file.
    """
    if not is_in_file(frame):
        return decode_json(frame.body)
    try:
        data = read_beneath(file.parent, file.name, limit=limit, sole_link=True)
    except TooLargeError:
        raise TooLong(f"the file of a frame has more than {limit} bytes") from None
    except OSError as error:
        why = error.strerror or "it is not a regular file"
        raise FrameError(f"the file of a frame: {why}") from None
    return decode_json(data)


def is_in_file(frame: Frame) -> bool:
    """Whether a frame's payload lies in a file."""
    return frame.header.get("in_file") is True
