# SPDX-License-Identifier: Apache-2.0
"""What rulesets allow and refuse, as data; tests/golden/ lists each in full."""

from struct import unpack

import pytest
from hypothesis import given, strategies as st
from tests.listings import PROFILES

from lao.isolation.landlock import (
    NEWEST_ABI,
    OF_A_FILE,
    Access,
    Right,
    handled_files,
    network_ruleset,
    worker_ruleset,
)

paths = st.lists(st.sampled_from(["/a", "/b/c", "/d.bin"]), max_size=3).map(tuple)
accesses = st.builds(
    Access, readable=paths, writable=paths, executable=paths, devices=paths
)
abis = st.integers(1, NEWEST_ABI + 3)
profiles = st.sampled_from(PROFILES)

NEVER = (
    Right.MAKE_SYM | Right.MAKE_FIFO | Right.MAKE_CHAR | Right.MAKE_BLOCK | Right.REFER
)
WRITING = Right.WRITE_FILE | Right.MAKE_REG | Right.MAKE_DIR | Right.REMOVE_FILE


@given(accesses, abis, profiles)
def test_a_rule_allows_only_what_the_ruleset_handles(access, abi, profile):
    """The kernel takes no other (EINVAL), nor a folder's right on a file."""
    ruleset = worker_ruleset(access, abi=abi, profile=profile)
    (handled,) = unpack("<Q", ruleset.attributes[:8])

    assert handled == handled_files(abi)
    for _, as_folder, as_file in ruleset.paths:
        assert as_folder & ~handled == 0
        assert as_file == as_folder & OF_A_FILE


@given(accesses, abis, profiles)
def test_no_worker_makes_what_another_process_could_trip_over(access, abi, profile):
    ruleset = worker_ruleset(access, abi=abi, profile=profile)

    assert not any(as_folder & NEVER for _, as_folder, _ in ruleset.paths)


@given(accesses, abis, profiles)
def test_only_writable_paths_are_written_and_only_programs_execute(
    access, abi, profile
):
    for path, rights, _ in worker_ruleset(access, abi=abi, profile=profile).paths:
        if rights & (WRITING & ~Right.WRITE_FILE):
            assert path in access.writable
        if rights & Right.WRITE_FILE:
            assert path in {*access.writable, *access.devices, "/dev/null"}
        if rights & Right.EXECUTE:
            assert profile == "program"
            assert path in access.executable
        if rights & Right.MAKE_SOCK:
            assert profile == "serves-unix"
            assert path in access.writable
        if rights & Right.IOCTL_DEV:
            assert path in access.devices


@given(accesses, abis, profiles)
def test_a_worker_has_no_port(access, abi, profile):
    assert worker_ruleset(access, abi=abi, profile=profile).ports == ()


@pytest.mark.parametrize("abi", range(NEWEST_ABI + 1))
def test_a_newer_version_handles_all_that_an_older_one_does(abi):
    assert handled_files(abi) & handled_files(abi + 1) == handled_files(abi)


@pytest.mark.parametrize("abi", range(4))
def test_there_is_nothing_to_say_about_ports_before_version_4(abi):
    ruleset = network_ruleset(abi=abi, connect_ports=[11434])

    assert (ruleset.abi, ruleset.attributes, ruleset.ports) == (0, b"", ())


def test_ports_are_allowed_by_number():
    ruleset = network_ruleset(abi=4, connect_ports=[11434, 8080], bind_ports=[0])

    assert ruleset.ports == ((1, 0), (2, 11434), (2, 8080))


def test_files_are_free_unless_they_are_refused():
    free = network_ruleset(abi=6)
    refused = network_ruleset(abi=6, no_files=True)

    assert unpack("<QQQ", free.attributes) == (0, 3, 3)
    assert unpack("<QQQ", refused.attributes) == (handled_files(6), 3, 3)
    assert refused.paths == ()


def test_a_scope_can_be_left_open():
    assert unpack("<QQQ", network_ruleset(abi=6, scope=False).attributes) == (0, 3, 0)
