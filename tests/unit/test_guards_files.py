# SPDX-License-Identifier: Apache-2.0
"""Files that others name or wrote are opened if regular, and nothing else is.

Each rule holds with `openat2` and, where the kernel has none, without it.
"""

import os
import socket
import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from lao import files
from lao.files import (
    ABSENT,
    NotRegularError,
    OutsideError,
    TooLargeError,
    open_beneath,
    open_regular,
    read_beneath,
    read_regular,
)

SECRET = b"a secret of the user"


@pytest.fixture(params=["openat2", "without openat2"])
def way(request, monkeypatch):
    """Run a test twice: with the system call, and as on a kernel without it."""
    if request.param == "openat2" and not has_openat2():
        pytest.skip("this kernel has no openat2")
    if request.param != "openat2":
        monkeypatch.setattr(files, "_openat2", lambda *_: None)


def has_openat2():
    descriptor = files._openat2(-100, "/", os.O_RDONLY, 0)
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is not None


@pytest.fixture
def tree(tmp_path):
    """Return a folder that holds one of everything; a secret lies beside it."""
    (tmp_path / "secret").write_bytes(SECRET)
    folder = tmp_path / "scratch"
    (folder / "sub" / "deep").mkdir(parents=True)
    (folder / "plain").write_bytes(b"plain")
    (folder / "sub" / "deep" / "file").write_bytes(b"deep")
    (folder / "to-secret").symlink_to("../secret")
    (folder / "to-plain").symlink_to("plain")
    (folder / "to-nowhere").symlink_to("nowhere")
    (folder / "to-itself").symlink_to("to-itself")
    (folder / "to-folder").symlink_to("..")
    (folder / "sub" / "to-sub").symlink_to("deep")
    (folder / "to-process").symlink_to("/proc/self/environ")
    (folder / "to-device").symlink_to("/dev/zero")
    (folder / "second-name").hardlink_to(tmp_path / "secret")
    os.mkfifo(folder / "fifo")
    with (folder / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket"))
    return folder


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    "path", ["plain", "./plain", "sub/deep/file", "sub//deep/./file", Path("plain")]
)
def test_a_file_beneath_is_read(tree, path):
    assert read_beneath(tree, path, limit=5, sole_link=True) in {b"plain", b"deep"}


REFUSED = {
    "../secret": OutsideError,
    "sub/../plain": OutsideError,
    "sub/../../secret": OutsideError,
    "..": OutsideError,
    "": OutsideError,
    ".": OutsideError,
    "/": OutsideError,
    "/etc/passwd": OutsideError,
    "/proc/self/environ": OutsideError,
    "to-secret": OutsideError,
    "to-plain": OutsideError,
    "to-nowhere": OutsideError,
    "to-itself": OutsideError,
    "to-folder": OutsideError,
    "to-folder/secret": OutsideError,
    "sub/to-sub/file": OutsideError,
    "to-process": OutsideError,
    "to-device": OutsideError,
    "fifo": NotRegularError,
    "sub": NotRegularError,
    "second-name": NotRegularError,
    "sparse": TooLargeError,
    "nothing": FileNotFoundError,
    "plain/more": NotADirectoryError,
    "a\0b": ValueError,
    "a" * 5000: OSError,
    "\ud800": ValueError,
}


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("path", REFUSED, ids=lambda path: ascii(path)[:24])
def test_whatever_else_a_worker_may_have_left_is_refused(tree, path):
    before = descriptors()
    with pytest.raises(REFUSED[path]):
        open_beneath(tree, path, limit=100, sole_link=True)
    assert descriptors() == before


def descriptors():
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


@pytest.mark.usefixtures("way")
def test_a_socket_is_refused(tree):
    with pytest.raises(OSError, match=r"socket|No such device"):
        open_beneath(tree, "socket", limit=100)


@pytest.mark.usefixtures("way")
def test_a_second_name_is_refused_only_where_it_is_asked_for(tree):
    assert read_beneath(tree, "second-name", limit=100) == SECRET


@pytest.mark.usefixtures("way", "short_of_privileges")
def test_a_file_without_rights_says_so(tree):
    (tree / "plain").chmod(0)
    with pytest.raises(PermissionError):
        open_beneath(tree, "plain", limit=100)


@pytest.fixture
def short_of_privileges():
    if os.geteuid() == 0:
        pytest.skip("root may read every file")


NAMES = [path.name for path in (Path("plain"), Path("sub"), Path("deep"))] + [
    "file", "..", ".", "", "/", "to-secret", "to-folder", "to-sub", "fifo", "secret",
]  # fmt: skip
PATHS = st.lists(st.sampled_from(NAMES), max_size=6).map("/".join) | st.text(
    string.ascii_lowercase + "./\0~", max_size=12
)


@pytest.mark.usefixtures("way")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=PATHS)
def test_no_path_leads_to_what_lies_outside(tree, path):
    try:
        found = read_beneath(tree, path, limit=100)
    except (OSError, ValueError):
        return
    assert found in {b"plain", b"deep"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=PATHS)
def test_both_ways_say_the_same(tree, path):
    def outcome():
        try:
            return read_beneath(tree, path, limit=100, sole_link=True)
        except (OSError, ValueError) as error:
            return type(error)

    with pytest.MonkeyPatch.context() as patch:
        by_kernel = outcome()
        patch.setattr(files, "_openat2", lambda *_: None)
        assert outcome() == by_kernel


@given(size=st.integers(0, 40), limit=st.integers(0, 40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_no_more_is_read_than_the_limit(tmp_path, size, limit):
    (tmp_path / "file").write_bytes(bytes(size))
    for read in (
        lambda: read_beneath(tmp_path, "file", limit=limit),
        lambda: read_regular(tmp_path / "file", limit=limit),
    ):
        if size <= limit:
            assert len(read()) == size
        else:
            with pytest.raises(TooLargeError):
                read()


def test_a_file_that_grows_while_it_is_read_is_still_bounded(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(bytes(10))
    opened = open_beneath(tmp_path, "file", limit=10)
    (tmp_path / "file").write_bytes(bytes(11))
    monkeypatch.setattr(files, "open_beneath", lambda *_, **__: opened)
    with pytest.raises(TooLargeError):
        read_beneath(tmp_path, "file", limit=10)


def test_a_name_that_is_swapped_while_it_is_opened_gives_no_device(tree, monkeypatch):
    """The type is asked of what was opened, whatever was there before."""
    looked_at = (tree / "plain").stat()
    monkeypatch.setattr(os, "stat", lambda *_, **__: looked_at)
    with pytest.raises(NotRegularError):
        open_regular("/dev/zero")


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("name", ["plain", "to-plain", "second-name", "sparse"])
def test_a_person_may_name_any_regular_file_also_by_a_link(tree, name):
    with open_regular(tree / name) as file:
        assert file.readable()
        assert not os.get_inheritable(file.fileno())


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    "path",
    ["/dev/null", "/dev/zero", "/dev/tty", "/dev/ptmx", "/proc", "/proc/self/environ",
     "/proc/self/mem", "/proc/self/maps", "/proc/1/cmdline", "/proc/kmsg", "/proc/meminfo",
     "fifo", "sub", "to-process", "to-device", "to-folder"],
)  # fmt: skip
def test_devices_and_processes_are_no_files(tree, path):
    with pytest.raises((NotRegularError, FileNotFoundError, PermissionError)):
        open_regular(tree / path)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
@pytest.mark.parametrize("through", ["fd", "root", "cwd"])
def test_a_link_of_a_process_is_not_followed_even_to_a_regular_file(tree, through):
    if not has_openat2():
        pytest.skip("only openat2 tells such a link from another")
    with (tree / "plain").open() as file:
        paths = {
            "fd": f"/proc/self/fd/{file.fileno()}",
            "root": f"/proc/self/root{tree}/plain",
            "cwd": "/proc/self/cwd/pyproject.toml",
        }
        with pytest.raises(NotRegularError, match="process"):
            open_regular(paths[through])


@pytest.mark.parametrize("path", ["nothing", "plain/more", "to-nowhere"])
def test_what_is_absent_is_told_apart(tree, path):
    with pytest.raises(ABSENT):
        open_regular(tree / path)


@pytest.mark.parametrize("path", ["to-itself", "a\0b", "\ud800"])
def test_what_cannot_be_a_path_is_no_defect(tree, path):
    with pytest.raises((OSError, ValueError)):
        open_regular(f"{tree}/{path}")
