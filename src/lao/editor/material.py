# SPDX-License-Identifier: Apache-2.0
"""What a file can be given to a workflow as, told by its name."""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

MaterialType: TypeAlias = Literal["audio", "image", "document", "file", "text"]

_SUFFIXES: Final[Mapping[MaterialType, str]] = {
    "audio": "aac aif aiff flac m4a mp3 oga ogg opus wav webm wma",
    "image": "bmp gif jpeg jpg png tif tiff webp",
    "document": "doc docx epub odp ods odt pdf ppt pptx rtf xls xlsx",
    "text": "csv eml htm html json jsonl log md rst srt tex tsv txt vtt xml yaml yml",
}
_TYPES: Final[Mapping[str, MaterialType]] = {
    suffix: kind for kind, suffixes in _SUFFIXES.items() for suffix in suffixes.split()
}


def material_type(name: str) -> MaterialType:
    """Return what a file of that name holds; "file" where the name does not tell."""
    _, dot, suffix = name.rpartition(".")
    return _TYPES.get(suffix.lower(), "file") if dot else "file"
