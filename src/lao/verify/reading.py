# SPDX-License-Identifier: Apache-2.0
"""Attempts to read the user's files, or to learn about them."""

import ctypes
import os
from errno import EIO, ENOENT
from pathlib import Path

from lao.verify.attempt import (
    IN_A_SANDBOX,
    Attempt,
    Bait,
    CannotTry,
    Layer,
    attempt,
)
from lao.verify.calls import call

_READ = "the secret was read"
_LISTED = "names were listed"
_FILES: tuple[Layer, ...] = ("landlock", "namespaces")
_METADATA: tuple[Layer, ...] = ("namespaces",)
_IN_CREATE = 0x100
_AT_FDCWD = -100
_HANDLE_BYTES = 128


def _require_secret(path: str, bait: Bait) -> None:
    if Path(path).read_text() != bait.canary:
        raise OSError(EIO, "something else was read")


def _require_name(folder: str, name: str) -> None:
    if not name:
        raise CannotTry(f"{folder} has no name to look for")
    if name not in os.listdir(folder):  # noqa: PTH208  (as the kernel sees it)
        raise OSError(ENOENT, "another folder is there")


@attempt("files", _READ, by=_FILES, kinds=IN_A_SANDBOX)
def read_a_file(bait: Bait) -> None:
    """Read a file of the user."""
    _require_secret(bait.file, bait)


@attempt("files", _READ, by=_FILES, kinds=IN_A_SANDBOX)
def read_by_a_way_up(bait: Bait) -> None:
    """Read a file of the user by way of `..`."""
    _require_secret(os.path.relpath(bait.file), bait)


@attempt("files", _READ, by=_FILES, kinds=IN_A_SANDBOX)
def read_through_proc(bait: Bait) -> None:
    """Read a file of the user through /proc."""
    _require_secret(f"/proc/self/root{bait.file}", bait)


@attempt("files", "the accounts were read", by=_FILES, kinds=IN_A_SANDBOX)
def read_the_accounts(_bait: Bait) -> None:
    """Read /etc/passwd."""
    if "root:" not in Path("/etc/passwd").read_text():
        raise OSError(ENOENT, "another file is there")


@attempt("files", _LISTED, by=_FILES, kinds=IN_A_SANDBOX)
def list_a_folder(bait: Bait) -> None:
    """List a folder of the user."""
    _require_name(bait.folder, bait.attempt)


@attempt("files", _LISTED, by=_FILES, kinds=IN_A_SANDBOX)
def list_the_home_folder(bait: Bait) -> None:
    """List the home folder."""
    _require_name(bait.home, bait.home_name)


@attempt("files", _LISTED, by=_FILES, kinds=IN_A_SANDBOX)
def list_everything(bait: Bait) -> None:
    """List the root folder."""
    _require_name("/", bait.root_name)


@attempt("files", "the folder is watched", by=("seccomp",), kinds=IN_A_SANDBOX)
def watch_a_folder(bait: Bait) -> None:
    """Watch a folder of the user (inotify)."""
    descriptor = call("inotify_init1", 0)
    try:
        call("inotify_add_watch", descriptor, bait.folder.encode(), _IN_CREATE)
    finally:
        os.close(descriptor)


@attempt(
    "files", "the handle was told", by=("seccomp", "namespaces"), kinds=IN_A_SANDBOX
)
def handle_of_a_file(bait: Bait) -> None:
    """Ask for the handle of a file."""
    handle = ctypes.create_string_buffer(_HANDLE_BYTES + 8)
    handle.raw = _HANDLE_BYTES.to_bytes(4, "little").ljust(_HANDLE_BYTES + 8, b"\0")
    mount = ctypes.create_string_buffer(8)
    call("name_to_handle_at", _AT_FDCWD, bait.file.encode(), handle, mount, 0)


@attempt("files", "the size was told", by=_METADATA, kinds=IN_A_SANDBOX)
def size_of_a_file(bait: Bait) -> None:
    """Ask for the size of a file."""
    if Path(bait.file).stat().st_size != len(bait.canary):
        raise OSError(ENOENT, "another file is there")


@attempt("files", "the target was told", by=_METADATA, kinds=IN_A_SANDBOX)
def target_of_a_link(bait: Bait) -> None:
    """Ask where a link of the user leads."""
    os.readlink(f"{bait.folder}/link")  # noqa: PTH115  (as the kernel sees it)


@attempt(
    "files", "the names were told", by=("seccomp", "namespaces"), kinds=IN_A_SANDBOX
)
def attributes_of_a_file(bait: Bait) -> None:
    """Ask for the attributes of a file."""
    os.listxattr(bait.file)


ATTEMPTS: tuple[Attempt, ...] = (
    read_a_file,
    read_by_a_way_up,
    read_through_proc,
    read_the_accounts,
    list_a_folder,
    list_the_home_folder,
    list_everything,
    watch_a_folder,
    handle_of_a_file,
    size_of_a_file,
    target_of_a_link,
    attributes_of_a_file,
)
