# SPDX-License-Identifier: Apache-2.0
"""What is read of ELF files: what they ask for; nothing of what is none."""

import io
import struct
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from lao.isolation.elf import Elf, read_elf

HEADER = b"\x7fELF\x02\x01"
NAMES = b"\0libown.so.1\0$ORIGIN/../lib:/opt/lib\0/lib64/ld.so\0"


def made():
    """Return a file with one segment of each kind, at addresses that are not offsets."""
    entries = [(5, 0x10000 + 400), (1, 1), (29, 13), (0, 0), (1, 13)]
    dynamic = b"".join(struct.pack("<qQ", *each) for each in entries)
    segments = [(1, 0, 0x10000, 900), (2, 600, 0, len(dynamic))]
    segments.append((3, 400 + NAMES.index(b"/lib64"), 0, 14))
    table = b"".join(
        struct.pack("<IIQQQQQQ", kind, 0, offset, address, 0, size, 0, 0)
        for kind, offset, address, size in segments
    )
    head = HEADER.ljust(32, b"\0") + struct.pack("<Q", 64)
    head = head.ljust(54, b"\0") + struct.pack("<HH", 56, len(segments))
    data = (head.ljust(64, b"\0") + table).ljust(400, b"\0") + NAMES
    return data.ljust(600, b"\0") + dynamic


def test_it_tells_linker_libraries_and_folders():
    assert read_elf(io.BytesIO(made())) == Elf(
        linker="/lib64/ld.so",
        needed=("libown.so.1",),
        search=("$ORIGIN/../lib", "/opt/lib"),
    )


@pytest.mark.linux
def test_the_interpreter_of_these_tests_has_a_linker():
    with Path(sys.executable).open("rb", buffering=0) as file:
        assert read_elf(file).linker.startswith("/lib")


@settings(max_examples=200)
@given(st.binary(max_size=300), st.integers(6, 700))
def test_whatever_is_malformed_asks_for_nothing_that_it_does_not_name(noise, at):
    data = made()
    assert isinstance(read_elf(io.BytesIO(HEADER + noise)), Elf)
    broken = data[:at] + noise + data[at + len(noise) :]
    assert isinstance(read_elf(io.BytesIO(broken)), Elf)
    assert isinstance(read_elf(io.BytesIO(data[:at])), Elf)
