# SPDX-License-Identifier: Apache-2.0
"""Reads the headers of model files (GGUF and whisper.cpp's ggml) without loading them.

Nothing in a file is believed: every length is checked against the bytes at hand
before it is used, and only regular files are opened. The bytes are read, not mapped:
a mapped file that shrinks while it is read kills the process.
"""

import os
import struct
from collections.abc import Mapping
from itertools import repeat
from math import prod
from pathlib import Path
from typing import Literal

from msgspec import Struct

from lao.backends.opening import open_model_file
from lao.errors import ModelUnavailable

_LONGEST_HEADER = 256 << 20
_MOST_KEYS = 65_536
_MOST_TENSORS = 1_000_000
_MOST_STRINGS = 10_000_000  # in one array; the largest vocabularies have 0.3 million
_LONGEST_STRING = 16 << 20

_SCALARS = {
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    4: struct.Struct("<I"),
    5: struct.Struct("<i"),
    6: struct.Struct("<f"),
    7: struct.Struct("<?"),
    10: struct.Struct("<Q"),
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}
_STRING, _ARRAY = 8, 9
_U32, _U64 = struct.Struct("<I"), struct.Struct("<Q")

WhisperType = Literal["tiny", "base", "small", "medium", "large"]
Scalar = str | int | float | bool

# llama.cpp's `llama_ftype`, as people write it.
_QUANTISATIONS = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1",
    10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S",
    15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS",
    20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S",
    25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S", 29: "IQ2_M", 30: "IQ4_XS",
    31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4_MOE", 39: "NVFP4",
    40: "Q1_0",
}  # fmt: skip
# ggml's `ggml_ftype`, which whisper.cpp uses.
_GGML_QUANTISATIONS = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1",
    10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K",
}  # fmt: skip
_WHISPER_MAGIC = 0x67676D6C
_WHISPER_TYPES: Mapping[int, WhisperType] = {
    4: "tiny",
    6: "base",
    12: "small",
    24: "medium",
    32: "large",
}


class GgufHeader(Struct, frozen=True, kw_only=True):
    """What a GGUF file says about itself; None where it does not say or was not read.

    `size` is that of this file in bytes (a split model has more parts).
    `parameters` counts the weights, and is None for a split model. `embedding`
    means that the model makes embeddings and no text.
    """

    name: str
    architecture: str
    size: int
    context_length: int | None
    quantisation: str | None
    parameters: int | None
    has_chat_template: bool | None
    embedding: bool
    vocabulary_size: int | None


class WhisperHeader(Struct, frozen=True, kw_only=True):
    """What a whisper.cpp file says about itself; `size` in bytes."""

    model_type: WhisperType
    size: int
    multilingual: bool
    quantisation: str | None
    vocabulary_size: int

    @property
    def name(self) -> str:
        """The customary name, such as `base.en`."""
        return self.model_type if self.multilingual else f"{self.model_type}.en"


def read_gguf_header(path: Path, *, brief: bool = False) -> GgufHeader:
    """Read what a GGUF file says about itself.

    `brief` stops once name, architecture, context and quantisation are known, which
    writers put first: walking over a vocabulary takes a hundred times as long.

    Raises:
        ModelUnavailable: as `open_model_file`, or `model.not-gguf` for another
            kind of file, or `model.damaged` for one that contradicts itself.
    """
    with open_model_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        amount = 1 << 16
        while True:
            file.seek(0)
            data = file.read(amount)
            try:
                return _Parser(path, data).header(size, brief=brief)
            except struct.error as error:  # the header goes on behind `data`
                if len(data) < amount or amount >= _LONGEST_HEADER:
                    raise _damaged(path, "its header has no end") from error
            # 16 MiB holds the largest vocabularies of today.
            amount = _LONGEST_HEADER if amount >= 16 << 20 else 16 << 20


def read_whisper_header(path: Path) -> WhisperHeader:
    """Read what a whisper.cpp model file says about itself.

    Raises:
        ModelUnavailable: as `open_model_file`, or `model.not-whisper`.
    """
    with open_model_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        data = file.read(48)
    layout = struct.Struct("<I11i")
    if len(data) < layout.size or _U32.unpack_from(data)[0] != _WHISPER_MAGIC:
        raise _not_whisper(path)
    _, vocabulary, audio_context, _, _, layers, *_, mels, file_type = layout.unpack(
        data
    )
    model_type = _WHISPER_TYPES.get(layers)
    # Other models (voice detectors) share the magic number, not these sizes.
    if model_type is None or audio_context != 1500 or mels not in {80, 128}:
        raise _not_whisper(path)
    return WhisperHeader(
        model_type=model_type,
        size=size,
        multilingual=vocabulary >= 51865,
        quantisation=_GGML_QUANTISATIONS.get(file_type % 1000),
        vocabulary_size=vocabulary,
    )


class _Parser:
    """Walks over a header in `data`; `struct.error` means that `data` is too short."""

    def __init__(self, path: Path, data: bytes) -> None:
        self._path = path
        self._data = data
        self._at = 0
        self._lengths: dict[str, int] = {}  # of arrays, whose elements are not kept

    def header(self, size: int, *, brief: bool) -> GgufHeader:
        """Return the header of a file of `size` bytes."""
        tensors, keys = self._counts()
        known: dict[str, Scalar | None] = {}
        is_enough = False
        while len(known) < keys and not is_enough:
            key, value = self._pair()
            if key in known:
                raise _damaged(self._path, f"it says {key!r} twice")
            known[key] = value
            is_enough = brief and _is_enough(known)
        parameters = 0 if is_enough else sum(self._weights() for _ in range(tensors))
        architecture = known.get("general.architecture")
        if not isinstance(architecture, str):
            raise _damaged(self._path, "it does not name its architecture")
        name = known.get("general.name")
        context = known.get(f"{architecture}.context_length")
        file_type = known.get("general.file_type")
        is_whole = known.get("split.count", 0) in {0, 1}
        return GgufHeader(
            name=name if isinstance(name, str) and name else self._path.stem,
            architecture=architecture,
            size=size,
            context_length=context if isinstance(context, int) else None,
            quantisation=_quantisation(file_type),
            parameters=parameters if is_whole and parameters else None,
            has_chat_template=None if is_enough else "tokenizer.chat_template" in known,
            embedding=bool(known.get(f"{architecture}.pooling_type")),
            vocabulary_size=self._lengths.get("tokenizer.ggml.tokens"),
        )

    def _counts(self) -> tuple[int, int]:
        """Read the start of the file: the numbers of tensors and of keys."""
        if self._data[:4] != b"GGUF":
            raise _not_gguf(self._path, "it does not begin with 'GGUF'")
        self._at = 4
        version = self._number(_U32)
        if version & 0xFFFF == 0:
            raise _not_gguf(self._path, "it is written for big-endian machines")
        if version not in {2, 3}:
            raise _not_gguf(self._path, f"version {version} of the format is not known")
        tensors, keys = self._number(_U64), self._number(_U64)
        if tensors > _MOST_TENSORS or keys > _MOST_KEYS:
            raise _damaged(self._path, f"it claims {tensors} tensors and {keys} keys")
        return tensors, keys

    def _pair(self) -> tuple[str, Scalar | None]:
        """Read a key and its value; None stands for an array."""
        key = self._string()
        kind = self._number(_U32)
        if kind == _STRING:
            return key, self._string()
        if kind == _ARRAY:
            self._lengths[key] = self._skip_array()
            return key, None
        scalar = _SCALARS.get(kind)
        if scalar is None:
            raise _damaged(
                self._path, f"the value of {key!r} has the unknown type {kind}"
            )
        (value,) = scalar.unpack_from(self._data, self._at)
        self._at += scalar.size
        return key, value

    def _skip_array(self) -> int:
        """Go behind an array and return its length."""
        kind, length = self._number(_U32), self._number(_U64)
        if kind == _STRING:
            self._skip_strings(length)
            return length
        scalar = _SCALARS.get(kind)
        if scalar is None:
            raise _damaged(
                self._path, f"an array has elements of the unknown type {kind}"
            )
        self._skip(length * scalar.size)
        return length

    def _skip_strings(self, length: int) -> None:
        """Go behind `length` strings; the hot loop: a vocabulary has 0.4 million."""
        if length > _MOST_STRINGS:
            raise _damaged(self._path, f"it claims an array of {length} strings")
        data, at, read = self._data, self._at, _U64.unpack_from
        try:
            for _ in repeat(None, length):
                (size,) = read(data, at)
                at += size + 8
        except OverflowError as error:
            raise _damaged(self._path, "a string is longer than any file") from error
        self._at = at
        self._skip(0)

    def _weights(self) -> int:
        """Read what is said about a tensor and return how many weights it has."""
        self._string()
        dimensions = self._number(_U32)
        if dimensions > 8:
            raise _damaged(self._path, f"a tensor claims {dimensions} dimensions")
        count = prod(self._number(_U64) for _ in range(dimensions))
        self._skip(4 + 8)  # type and offset
        return count

    def _number(self, layout: struct.Struct) -> int:
        (number,) = layout.unpack_from(self._data, self._at)
        self._at += layout.size
        return int(number)

    def _string(self) -> str:
        length = self._number(_U64)
        if length > _LONGEST_STRING:
            raise _damaged(self._path, f"it claims a string of {length} bytes")
        start = self._at
        self._skip(length)
        return self._data[start : self._at].decode(errors="replace")

    def _skip(self, amount: int) -> None:
        self._at += amount
        if self._at > len(self._data):
            raise struct.error


def _is_enough(known: Mapping[str, Scalar | None]) -> bool:
    context = f"{known.get('general.architecture')}.context_length"
    return known.keys() >= {"general.name", "general.file_type", context}


def _quantisation(file_type: Scalar | None) -> str | None:
    # 1024 marks a type that the converter guessed.
    return _QUANTISATIONS.get(file_type & ~1024) if isinstance(file_type, int) else None


def _not_gguf(path: Path, why: str) -> ModelUnavailable:
    return ModelUnavailable(
        "model.not-gguf",
        f"{str(path)!r} is not a GGUF model that can be used: {why}",
        mend="give a llama.cpp model file, whose name usually ends in .gguf",
    )


def _not_whisper(path: Path) -> ModelUnavailable:
    return ModelUnavailable(
        "model.not-whisper",
        f"{str(path)!r} is not a whisper.cpp model",
        mend="give a whisper.cpp model file, usually called ggml-….bin",
    )


def _damaged(path: Path, why: str) -> ModelUnavailable:
    return ModelUnavailable(
        "model.damaged",
        f"the model file {str(path)!r} is damaged: {why}",
        mend="fetch or copy the file again",
    )
