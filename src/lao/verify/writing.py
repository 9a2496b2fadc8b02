# SPDX-License-Identifier: Apache-2.0
"""Attempts to change the user's files, and to make what LAO would stumble over."""

import os
import stat
from dataclasses import replace
from pathlib import Path

from lao.verify.attempt import IN_A_SANDBOX, Attempt, Bait, Layer, attempt

_CHANGED = "the file changed"
_MADE = "it is there"
_FILES: tuple[Layer, ...] = ("landlock", "namespaces")
_METADATA: tuple[Layer, ...] = ("seccomp", "namespaces")
_SPECIAL: tuple[Layer, ...] = ("landlock",)
_DEVICES: tuple[Layer, ...] = ("seccomp", "landlock")


def _make_and_remove(folder: str, bait: Bait) -> None:
    """Make a file with a name that nobody has, and remove it."""
    made = Path(folder) / f".lao-verify-{bait.attempt}-{bait.canary[:8]}"
    made.touch(exist_ok=False)
    made.unlink()


@attempt("files", _CHANGED, by=_FILES, kinds=IN_A_SANDBOX)
def write_into_a_file(bait: Bait) -> None:
    """Write into a file of the user."""
    with Path(bait.file).open("a") as file:
        file.write("x")


@attempt("files", _CHANGED, by=_FILES, kinds=IN_A_SANDBOX)
def cut_a_file(bait: Bait) -> None:
    """Cut a file of the user off."""
    os.truncate(bait.file, 0)


@attempt("files", "the file is gone", by=_FILES, kinds=IN_A_SANDBOX)
def remove_a_file(bait: Bait) -> None:
    """Remove a file of the user."""
    Path(bait.file).unlink()


@attempt("files", "the name changed", by=_FILES, kinds=IN_A_SANDBOX)
def rename_a_file(bait: Bait) -> None:
    """Rename a file of the user."""
    Path(bait.file).rename(f"{bait.file}-renamed")


@attempt("files", _MADE, by=_FILES, kinds=IN_A_SANDBOX)
def make_a_file(bait: Bait) -> None:
    """Make a file in a folder of the user."""
    Path(f"{bait.file}-made").touch()


@attempt("files", _MADE, by=_FILES, kinds=IN_A_SANDBOX)
def make_a_folder(bait: Bait) -> None:
    """Make a folder in a folder of the user."""
    Path(f"{bait.file}-made").mkdir()


@attempt("files", _MADE, by=_FILES, kinds=IN_A_SANDBOX)
def make_a_link(bait: Bait) -> None:
    """Make a link in a folder of the user."""
    Path(f"{bait.file}-made").symlink_to("/etc/passwd")


@attempt("files", _MADE, by=_FILES, kinds=IN_A_SANDBOX)
def move_a_file_out(bait: Bait) -> None:
    """Move a file into a folder of the user."""
    Path("own").touch()
    Path("own").rename(f"{bait.file}-made")


@attempt("files", "it is in its own folder too", by=_FILES, kinds=IN_A_SANDBOX)
def link_a_file_in(bait: Bait) -> None:
    """Give a file of the user a second name."""
    Path("linked").hardlink_to(bait.file)


@attempt("files", _MADE, by=_FILES, kinds=IN_A_SANDBOX)
def write_to_the_temporary_folder(bait: Bait) -> None:
    """Make a file in /tmp."""
    _make_and_remove("/tmp", bait)  # noqa: S108  (what it is about)


@attempt("files", _MADE, by=_FILES, kinds=IN_A_SANDBOX)
def write_to_shared_memory(bait: Bait) -> None:
    """Make a file in /dev/shm."""
    _make_and_remove("/dev/shm", bait)  # noqa: S108  (what it is about)


@attempt("files", _MADE, by=_FILES, kinds=IN_A_SANDBOX)
def write_above_its_folder(bait: Bait) -> None:
    """Make a file in the folder above its own."""
    _make_and_remove("..", bait)


@attempt("files", "it opened for writing", by=_FILES, kinds=IN_A_SANDBOX)
def write_into_lao(bait: Bait) -> None:
    """Change LAO's own code."""
    os.close(os.open(bait.package_file, os.O_WRONLY))


@attempt("files", _CHANGED, by=_METADATA, kinds=IN_A_SANDBOX)
def change_the_mode(bait: Bait) -> None:
    """Open a file to everybody (chmod)."""
    Path(bait.file).chmod(0o606)


@attempt("files", _CHANGED, by=_METADATA, kinds=IN_A_SANDBOX)
def change_the_owner(bait: Bait) -> None:
    """Change the owner of a file (chown)."""
    os.chown(bait.file, os.getuid(), os.getgid())


@attempt("files", _CHANGED, by=_METADATA, kinds=IN_A_SANDBOX)
def change_the_times(bait: Bait) -> None:
    """Change the times of a file."""
    os.utime(bait.file, (0, 0))


@attempt("files", _CHANGED, by=_METADATA, kinds=IN_A_SANDBOX)
def set_an_attribute(bait: Bait) -> None:
    """Set an attribute on a file (setxattr)."""
    os.setxattr(bait.file, "user.lao", b"x")


@attempt("files", _MADE, by=_SPECIAL, kinds=IN_A_SANDBOX)
def link_in_its_folder(_bait: Bait) -> None:
    """Make a link that LAO might follow."""
    Path("link").symlink_to("/etc/passwd")


@attempt("files", _MADE, by=_DEVICES, kinds=IN_A_SANDBOX)
def pipe_in_its_folder(_bait: Bait) -> None:
    """Make a pipe on which LAO might wait."""
    os.mkfifo("pipe")


@attempt("files", _MADE, by=_DEVICES, kinds=IN_A_SANDBOX)
def device_in_its_folder(_bait: Bait) -> None:
    """Make a device in its own folder."""
    os.mknod("device", stat.S_IFCHR | 0o600, os.makedev(1, 7))


ATTEMPTS: tuple[Attempt, ...] = (
    write_into_a_file,
    replace(cut_a_file, landlock_since=3),
    remove_a_file,
    rename_a_file,
    make_a_file,
    make_a_folder,
    make_a_link,
    move_a_file_out,
    link_a_file_in,
    write_to_the_temporary_folder,
    write_to_shared_memory,
    write_above_its_folder,
    write_into_lao,
    change_the_mode,
    change_the_owner,
    change_the_times,
    set_an_attribute,
    link_in_its_folder,
    pipe_in_its_folder,
    device_in_its_folder,
)
