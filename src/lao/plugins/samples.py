# SPDX-License-Identifier: Apache-2.0
"""Values to try a plugin with: one of each type, made from nothing."""

import math
import struct
import wave
import zlib
from pathlib import Path
from typing import Final, assert_never

from lao.workflow.values import JSON, JsonValue, ValueType

_TEXT: Final = (
    "The harbour of Elmsea is closed until 4 May. Ana Ruiz repairs the quay wall, "
    "and Bo Lee pays 60,000 euros.\nFishing boats use the pier at Northend.\n"
)
_RATE = 16_000  # samples a second
_SECONDS = 0.5


def sample_of(wanted: ValueType, folder: Path) -> JsonValue:
    """Return a value of a type; a file is made in `folder` and given by its path."""
    match wanted.kind:
        case "text":
            return _TEXT
        case "json":
            return {"people": ["Ana Ruiz", "Bo Lee"], "place": "Northend", "count": 2}
        case "embedding":
            return [0.6, -0.8, 0.0]
        case "list":
            return [sample_of(wanted.item or JSON, folder)]
        case "audio":
            return _tone(folder / "sample.wav")
        case "image":
            return _picture(folder / "sample.png")
        case "document" | "file":
            return _note(folder / "sample.txt")
        case _:
            assert_never(wanted.kind)


def _tone(path: Path) -> str:
    """Write half a second of 440 Hz, as a recording."""
    count = int(_RATE * _SECONDS)
    heights = (
        round(8000 * math.sin(2 * math.pi * 440 * each / _RATE))
        for each in range(count)
    )
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(b"".join(struct.pack("<h", each) for each in heights))
    return str(path)


def _picture(path: Path) -> str:
    """Write eight by eight grey points, as a PNG."""
    rows = b"".join(b"\0" + bytes(range(row, row + 8)) for row in range(8))
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    data = b"\x89PNG\r\n\x1a\n"
    for kind, content in parts:
        check = zlib.crc32(kind + content)
        data += struct.pack(">I", len(content)) + kind + content
        data += struct.pack(">I", check)
    path.write_bytes(data)
    return str(path)


def _note(path: Path) -> str:
    path.write_text(_TEXT, "utf-8")
    return str(path)
