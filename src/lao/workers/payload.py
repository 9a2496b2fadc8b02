# SPDX-License-Identifier: Apache-2.0
"""JSON that belongs to a frame: in its body, or in a file where it is too long.

The two sides share one scratch directory. The reader names the file itself, from
what it knows, so no path ever comes out of a worker; and it opens nothing but a
regular file, because a worker may have put anything else there.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from lao.workers.frames import Frame, FrameError, decode_json, encode_json
from lao.workflow.values import JsonValue

IN_BODY = 8 << 20


class TooLong(FrameError):
    """The payload is longer than it may be."""


def pack(header: Mapping[str, JsonValue], value: JsonValue, *, file: str) -> Frame:
    """Return a frame that carries `value`; a long one is written to `file`."""
    data = encode_json(value)
    if len(data) <= IN_BODY:
        return Frame(header=header, body=data)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(file, flags, 0o600), "wb") as opened:
        opened.write(data)
    return Frame(header={**header, "in_file": True})


def unpack(frame: Frame, *, file: str, limit: int) -> JsonValue:
    """Return what a frame carries; `file`, if it is there, is removed.

    Raises:
        TooLong: more than `limit` bytes.
        FrameError: not JSON, or no regular file.
    """
    if frame.header.get("in_file") is not True:
        return decode_json(frame.body)
    try:
        return decode_json(_read_file(file, limit))
    except OSError as error:
        raise FrameError(f"the file of a frame: {error.strerror}") from None


def _read_file(file: str, limit: int) -> bytes:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    fd = os.open(file, flags)
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise FrameError("the file of a frame is not a regular file")
        if found.st_size > limit:
            raise TooLong(f"the file of a frame has more than {limit} bytes")
        with os.fdopen(fd, "rb", closefd=False) as opened:
            data = opened.read(found.st_size)
    finally:
        os.close(fd)
    Path(file).unlink()
    return data
