# SPDX-License-Identifier: Apache-2.0
"""Finds model files on this machine, and names their content by its SHA-256."""

import asyncio
import json
import os
import re
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Literal

from msgspec import Struct

from lao.backends.gguf import read_gguf_header, read_whisper_header
from lao.backends.opening import open_model_file
from lao.errors import LaoError, ModelUnavailable

_DEEPEST = 8  # the Hugging Face cache needs 5
_MOST_ENTRIES = 50_000  # looked at below one folder
_CHUNK = 1 << 20
_MOST_CACHED = 2000
_SPLIT = re.compile(r"(.*)-(\d{5})-of-(\d{5})\.gguf", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


class ModelFile(Struct, frozen=True, kw_only=True):
    """A model file on disk; `size` in bytes, of all parts of a split model.

    `problem` says why it cannot be used; the other fields are then guesses.
    """

    path: Path
    kind: Literal["llama.cpp", "whisper.cpp"]
    name: str
    size: int = 0
    context_length: int | None = None
    quantisation: str | None = None
    problem: str | None = None


def default_model_folders(
    home: Path, *, hf_home: Path | None = None, hf_hub_cache: Path | None = None
) -> tuple[Path, ...]:
    """Return where other programs keep models below a person's `home`.

    `hf_home` and `hf_hub_cache` are the settings of Hugging Face's own tools.
    """
    hub = hf_hub_cache or (hf_home or home / ".cache" / "huggingface") / "hub"
    return (
        hub,
        home / ".lmstudio" / "models",
        home / ".cache" / "lm-studio" / "models",
        home / "models",
    )


def find_model_files(folders: Iterable[Path]) -> Iterator[ModelFile]:
    """Yield the GGUF and whisper.cpp models below `folders`, each file once.

    Folders that are missing or unreadable hold nothing. Links to files are
    followed, links to folders are not.
    """
    seen: set[tuple[int, int]] = set()
    for folder in folders:
        for path in _candidates(folder):
            try:
                found = path.stat()
            except OSError:  # a link to nowhere
                continue
            if (found.st_dev, found.st_ino) in seen:
                continue
            seen.add((found.st_dev, found.st_ino))
            model = _model_file(path)
            if model is not None:
                yield model


def model_parts(path: Path) -> tuple[Path, ...]:
    """Return the files of a model: itself, or all parts of a split one."""
    match = _SPLIT.fullmatch(path.name)
    if match is None:
        return (path,)
    stem, total = match[1], match[3]
    if not 1 <= int(total) <= 1000:
        return (path,)
    names = (f"{stem}-{n:05}-of-{total}.gguf" for n in range(1, int(total) + 1))
    return tuple(path.with_name(name) for name in names)


def model_size(path: Path) -> int:
    """Return the bytes of a model, all parts together.

    Raises:
        ModelUnavailable: a part cannot be read.
    """
    total = 0
    for part in model_parts(path):
        with open_model_file(part) as file:
            total += os.fstat(file.fileno()).st_size
    return total


class HashingStopped(Exception):
    """Nobody waits for the digest any more."""


def file_digest(
    path: Path,
    *,
    cache_folder: Path | None = None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> str:
    """Return `sha256:…` of a model's bytes; of the parts' digests if it is split.

    A digest is kept in `cache_folder` for as long as the file's size, time and
    inode stay, because hashing takes about a second per gigabyte. This blocks.

    Raises:
        HashingStopped: `is_cancelled` said so.
        ModelUnavailable: the file cannot be read, or changes meanwhile.
    """
    parts = [
        _part_digest(part, cache_folder, is_cancelled) for part in model_parts(path)
    ]
    if len(parts) == 1:
        return f"sha256:{parts[0]}"
    return f"sha256:{sha256(' '.join(parts).encode()).hexdigest()}"


async def digest_of(path: Path, cache_folder: Path | None) -> str:
    """Return `file_digest` from a thread, which stops when the wait for it does."""
    cancelled = threading.Event()
    try:
        return await asyncio.to_thread(
            file_digest,
            path,
            cache_folder=cache_folder,
            is_cancelled=cancelled.is_set,
        )
    finally:
        cancelled.set()


def _candidates(folder: Path) -> Iterator[Path]:
    """Yield the files that look like models, in the order of their paths."""
    left = _MOST_ENTRIES
    waiting = [(folder, 0)]
    while waiting and left > 0:
        path, depth = waiting.pop()
        try:
            with os.scandir(path) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)[:left]
        except OSError:
            continue
        left -= len(entries)
        yield from (Path(e.path) for e in entries if _looks_like_a_model(e.name))
        if depth < _DEEPEST:
            below = [e for e in entries if _is_folder(e)]
            waiting += [(Path(e.path), depth + 1) for e in reversed(below)]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _looks_like_a_model(name: str) -> bool:
    split = _SPLIT.fullmatch(name)
    if split is not None and int(split[2]) != 1:
        return False
    return name.endswith((".gguf", ".bin")) and "mmproj" not in name.lower()


def _model_file(path: Path) -> ModelFile | None:
    """Describe a file; None if it is something else that only looks like a model."""
    if path.suffix == ".bin":
        return _whisper_file(path)
    try:
        header = read_gguf_header(path, brief=True)
        size = model_size(path)
    except LaoError as error:
        return ModelFile(
            path=path, kind="llama.cpp", name=path.stem, problem=error.problem.what
        )
    if header.architecture == "clip":  # an image encoder: half a model
        return None
    return ModelFile(
        path=path,
        kind="llama.cpp",
        name=header.name,
        size=size,
        context_length=header.context_length,
        quantisation=header.quantisation,
    )


def _whisper_file(path: Path) -> ModelFile | None:
    try:
        header = read_whisper_header(path)
    except LaoError as error:
        if not path.name.startswith("ggml-"):  # many programs call files .bin
            return None
        return ModelFile(
            path=path, kind="whisper.cpp", name=path.stem, problem=error.problem.what
        )
    return ModelFile(
        path=path,
        kind="whisper.cpp",
        name=header.name,
        size=header.size,
        quantisation=header.quantisation,
    )


def _part_digest(
    path: Path, cache_folder: Path | None, is_cancelled: Callable[[], bool]
) -> str:
    real = Path(os.path.realpath(path))
    if real.parent.name == "blobs" and _SHA256.fullmatch(real.name):
        with open_model_file(real):
            return real.name  # Hugging Face names large files by their SHA-256
    cache = None if cache_folder is None else cache_folder / "model-digests.json"
    with open_model_file(path) as file:
        mark = _mark(os.fstat(file.fileno()))
        known = _read_cache(cache).get(str(real)) if cache else None
        if known is not None and known.startswith(f"{mark} "):
            return known.rpartition(" ")[2]
        hasher = sha256()
        while chunk := file.read(_CHUNK):
            hasher.update(chunk)
            if is_cancelled():
                raise HashingStopped
        if _mark(os.fstat(file.fileno())) != mark:
            raise ModelUnavailable(
                "model.changing",
                f"the model file {str(path)!r} changes while it is read",
                mend="wait until it is copied, then run again",
                retryable=True,
            )
    if cache:
        _write_cache(cache, {str(real): f"{mark} {hasher.hexdigest()}"})
    return hasher.hexdigest()


def _mark(found: os.stat_result) -> str:
    """Return what changes when a file's content does."""
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ino}"


def _read_cache(path: Path) -> dict[str, str]:
    """Return "size mtime inode digest" by real path; empty if the file is broken."""
    with suppress(OSError, ValueError, RecursionError):
        kept = json.loads(path.read_bytes())
        if isinstance(kept, dict):
            return {k: v for k, v in kept.items() if _is_entry(v)}
    return {}


def _is_entry(value: object) -> bool:
    if not isinstance(value, str):
        return False
    words = value.split(" ")
    return len(words) == 4 and _SHA256.fullmatch(words[3]) is not None


def _write_cache(path: Path, new: dict[str, str]) -> None:
    """Add entries, atomically; a cache that cannot be written is no trouble."""
    kept = [(k, v) for k, v in _read_cache(path).items() if k not in new]
    entries = dict([*kept, *new.items()][-_MOST_CACHED:])
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent)  # mode 0600
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(entries, file)
            Path(temporary).replace(path)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
