# SPDX-License-Identifier: Apache-2.0
"""What proved layers amount to, and what each level requires."""

import json

import pytest

from lao.isolation import kernel
from lao.isolation.landlock import Access
from lao.isolation.levels import NAMES, Machine, level_of, look, required_layers
from lao.isolation.lock import gpu_access, import_path, interpreter_paths, lock_config


def machine(*, abi=7, seccomp=True, bwrap=None):
    return Machine(arch="x86_64", landlock_abi=abi, seccomp=seccomp, bwrap=bwrap)


@pytest.mark.parametrize(
    ("abi", "seccomp", "namespaces", "level"),
    [
        (7, True, True, "L3"),
        (6, True, True, "L3"),
        (5, True, True, "L2"),
        (7, True, False, "L2"),
        (4, True, False, "L2"),
        (3, True, True, "L1"),
        (0, True, False, "L1"),
        (7, False, True, "L0"),
        (0, False, False, "L0"),
    ],
)
def test_a_level_is_the_sum_of_its_layers(abi, seccomp, namespaces, level):
    layers = {"landlock": abi, "seccomp": seccomp, "namespaces": namespaces}
    bwrap = "/usr/bin/bwrap" if namespaces else None

    assert level_of(layers) == level
    assert machine(abi=abi, seccomp=seccomp, bwrap=bwrap).level == level


def test_what_was_not_proved_does_not_count():
    assert level_of({}) == "L0"
    assert level_of({"seccomp": 1, "landlock": "7"}) == "L0"
    assert level_of({"seccomp": True, "landlock": True}) == "L1"


def test_a_higher_level_requires_all_that_a_lower_one_does():
    required = [set(required_layers(level)) for level in ("L0", "L1", "L2", "L3")]

    assert required[0] <= required[1] < required[2] < required[3]
    assert required[3] - required[2] == {"namespaces"}
    assert set(NAMES) == {"L0", "L1", "L2", "L3"}


def test_a_machine_without_filters_is_told_so():
    config = lock_config(machine(abi=0, seccomp=False), **a_default_worker())

    assert (config["landlock"], config["seccomp"]) == (None, None)


def test_a_lock_is_json_and_the_same_every_time():
    first = lock_config(machine(), **a_default_worker())

    assert json.loads(json.dumps(first)) == first
    assert lock_config(machine(), **a_default_worker()) == first


def test_a_gpu_is_visible_and_adds_devices_alone():
    plain = lock_config(machine(), **a_default_worker())
    with_gpu = lock_config(machine(), **a_default_worker(), gpu=True)

    assert (plain["gpu"], with_gpu["gpu"]) == (False, True)
    assert plain["landlock"]["abi"] == with_gpu["landlock"]["abi"]
    assert plain["seccomp"]["checks"] == with_gpu["seccomp"]["checks"]
    assert gpu_access().writable == gpu_access().executable == ()


def test_an_interpreter_reads_neither_a_home_nor_the_root():
    folders = {"/", "/etc", "/home", "/root", "/proc", "/tmp", "/usr", "/var"}  # noqa: S108

    assert folders.isdisjoint(interpreter_paths())
    assert all(path.startswith("/") for path in (*interpreter_paths(), *import_path()))


@pytest.mark.linux
def test_the_kernel_is_asked():
    assert look().arch == kernel.architecture()
    assert look().landlock_abi == kernel.landlock_abi()
    assert look().bwrap is None


def a_default_worker():
    access = Access(readable=("/usr/lib",), writable=("/scratch",))
    return {"profile": "default", "access": access}
