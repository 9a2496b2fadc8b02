# SPDX-License-Identifier: Apache-2.0
"""What each filter answers to a system call, asked of an interpreter of its program."""

import errno
from functools import cache

import pytest
from hypothesis import given, settings, strategies as st
from tests.listings import ARCHITECTURES, KINDS, PROFILES, golden_files

from lao.isolation import bpf
from lao.isolation.bpf import ALLOW, AUDIT_ARCH, ERRNO, KILL, simulate
from lao.isolation.seccomp import (
    NEWEST_REVIEWED,
    Check,
    deny_filter,
    orchestrator_checks,
    worker_checks,
)
from lao.isolation.syscalls import NUMBERS, number

EPERM = ERRNO | errno.EPERM
ENOSYS = ERRNO | errno.ENOSYS
UNIX, INET, NETLINK, INET6 = 1, 2, 16, 10
STREAM, DATAGRAM, RAW, SEQPACKET, CLOEXEC = 1, 2, 3, 5, 0o2000000
NAMESPACES = {
    "NEWNS": 0x00020000,
    "NEWCGROUP": 0x02000000,
    "NEWUTS": 0x04000000,
    "NEWIPC": 0x08000000,
    "NEWUSER": 0x10000000,
    "NEWPID": 0x20000000,
    "NEWNET": 0x40000000,
}
A_THREAD = 0x3D0F00  # what pthread_create asks of clone
A_CHILD = 0x1200011  # what fork asks of it
FAST_OPEN = 0x20000000

WORKERS = [*(f"worker-{profile}" for profile in PROFILES), "worker-gpu"]
WITHOUT_DRIVERS = [*WORKERS[:-1], "broker"]
ALL_BUT_SPAWNER = [kind for kind in KINDS if kind != "spawner"]
kinds = st.sampled_from(sorted(KINDS))
architectures = st.sampled_from(ARCHITECTURES)
words = st.integers(0, 2**64 - 1)
argument_lists = st.tuples(words, words, words, words, words, words)

each_kind = pytest.mark.parametrize("kind", KINDS)
each_worker = pytest.mark.parametrize("kind", WORKERS)
each_architecture = pytest.mark.parametrize("arch", ARCHITECTURES)


@cache
def built(kind, arch):
    return KINDS[kind](arch)


def answer(kind, name, *arguments, arch="x86_64"):
    """Return what the filter of `kind` answers to a call by name."""
    call = number(name, arch)
    assert call is not None
    return simulate(built(kind, arch), call, arguments, arch=AUDIT_ARCH[arch])


def instructions(filtered):
    return list(bpf.INSTRUCTION.iter_unpack(filtered.code))


# -- the whole program ---------------------------------------------------------


def test_the_table_numbers_each_call_once():
    for column in (0, 1):
        numbers = [
            pair[column] for pair in NUMBERS.values() if pair[column] is not None
        ]
        assert len(numbers) == len(set(numbers))
        assert max(numbers) >= NEWEST_REVIEWED


@each_kind
@each_architecture
def test_every_path_through_a_filter_ends_in_an_answer(kind, arch):
    """As the kernel checks it: jumps stay inside, and the last word is an answer."""
    program = instructions(built(kind, arch))

    assert len(program) <= 4096
    assert program[-1][0] == bpf.RETURN
    for at, (code, jt, jf, _) in enumerate(program):
        is_jump = code in {
            bpf.JUMP_EQUAL,
            bpf.JUMP_GREATER,
            bpf.JUMP_GREATER_OR_EQUAL,
        }
        assert at + 1 + max(jt, jf) < len(program) or not is_jump
        assert code == bpf.RETURN or at + 1 < len(program)


@given(kinds, architectures, st.integers(0, 2**32 - 1), argument_lists, words)
def test_a_foreign_table_of_calls_ends_the_process(kind, arch, call, arguments, high):
    foreign = high & 0xFFFFFFFF
    answered = simulate(built(kind, arch), call, arguments, arch=foreign)

    assert (answered == KILL) or foreign == AUDIT_ARCH[arch]


@given(kinds, st.integers(0x40000000, 2**32 - 1), argument_lists)
def test_x32_ends_the_process(kind, call, arguments):
    filtered = built(kind, "x86_64")

    assert simulate(filtered, call, arguments, arch=AUDIT_ARCH["x86_64"]) == KILL


@given(
    kinds,
    architectures,
    st.integers(NEWEST_REVIEWED + 1, 2**32 - 1),
    argument_lists,
)
def test_nothing_above_the_ceiling_passes(kind, arch, call, arguments):
    answered = simulate(built(kind, arch), call, arguments, arch=AUDIT_ARCH[arch])

    x32 = arch == "x86_64" and call >= 0x40000000
    assert answered == (KILL if x32 else ENOSYS)


@settings(max_examples=300)
@given(
    kinds,
    architectures,
    st.integers(0, NEWEST_REVIEWED),
    argument_lists,
    argument_lists,
)
def test_high_bits_change_no_answer(kind, arch, call, arguments, high):
    """A filter that saw them could be passed by setting them: the kernel ignores them."""
    filtered = built(kind, arch)
    low = [value & 0xFFFFFFFF for value in arguments]
    mixed = [
        value | (bits & 0xFFFFFFFF) << 32 for value, bits in zip(low, high, strict=True)
    ]
    first = simulate(filtered, call, low, arch=AUDIT_ARCH[arch])

    assert simulate(filtered, call, mixed, arch=AUDIT_ARCH[arch]) == first


@settings(max_examples=300)
@given(kinds, architectures, st.sampled_from(sorted(NUMBERS)), argument_lists)
def test_a_filter_lets_a_call_pass_or_fail_and_no_more(kind, arch, name, arguments):
    call = number(name, arch)
    if call is not None:
        answered = simulate(built(kind, arch), call, arguments, arch=AUDIT_ARCH[arch])
        assert answered in {ALLOW, EPERM, ENOSYS}


# -- calls that are refused, whatever their arguments ------------------------------

REFUSED_TO_ALL = {
    "io_uring_setup io_uring_enter io_uring_register clone3": ENOSYS,
    "ptrace process_vm_readv process_vm_writev pidfd_getfd kcmp": EPERM,
    "bpf perf_event_open userfaultfd keyctl add_key request_key": EPERM,
    "kexec_load kexec_file_load init_module finit_module delete_module": EPERM,
    "open_by_handle_at fanotify_init clock_settime syslog memfd_secret": EPERM,
}
REFUSED_TO_WORKERS = (
    "connect mount unshare setns pivot_root chroot seccomp personality"
    " tkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_open pidfd_send_signal setsid"
    " setpgid setpriority ioprio_set memfd_create shmget semget msgget mq_open io_setup"
    " inotify_init1 inotify_add_watch fchmod fchmodat fchown fchownat setxattr getxattr"
    " fsetxattr utimensat mknodat execveat setuid setgid setresuid setresgid setgroups"
    " setfsuid setfsgid capset"
)
OLD_ONES = (  # that aarch64 never had
    "fork vfork chmod chown lchown utime utimes futimesat mknod inotify_init"
    " modify_ldt iopl ioperm uselib"
)


def is_refused_whatever(kind, name, expected, arch):
    for arguments in ((0,) * 6, (1,) * 6, (2**64 - 1,) * 6, (3, 0x41, 2, 1 << 32)):
        assert answer(kind, name, *arguments, arch=arch) == expected


@each_kind
@each_architecture
def test_nobody_reaches_into_the_kernel_or_another_process(kind, arch):
    for names, expected in REFUSED_TO_ALL.items():
        for name in names.split():
            is_refused_whatever(kind, name, expected, arch)


@each_worker
@each_architecture
def test_a_worker_is_refused_what_reaches_out(kind, arch):
    for name in REFUSED_TO_WORKERS.split():
        is_refused_whatever(kind, name, EPERM, arch)


@pytest.mark.parametrize("kind", ["worker-default", "worker-serves-unix", "broker"])
def test_old_ways_of_x86_are_refused_too(kind):
    for name in OLD_ONES.split():
        assert answer(kind, name) == EPERM


@pytest.mark.parametrize("kind", ["worker-default", "worker-program"])
@each_architecture
def test_a_worker_has_no_sockets_of_any_kind(kind, arch):
    for name in ("socket", "bind", "listen", "accept", "accept4"):
        is_refused_whatever(kind, name, EPERM, arch)


@each_architecture
def test_the_orchestrator_makes_and_connects_no_socket_and_no_process(arch):
    for name in ("socket", "connect", "bind", "execve", "execveat", "unshare", "mount"):
        is_refused_whatever("orchestrator", name, EPERM, arch)
    for name in ("listen", "accept4", "openat", "fchmod", "utimensat", "memfd_create"):
        assert answer("orchestrator", name, arch=arch) == ALLOW


@pytest.mark.parametrize("kind", ["broker", "broker-unix"])
@each_architecture
def test_the_broker_has_no_files_no_children_and_no_threads(kind, arch):
    for name in (
        *("openat", "unlinkat", "renameat2", "mkdirat", "symlinkat", "linkat"),
        *("execve", "clone", "listen", "accept", "accept4", "socketpair"),
    ):
        is_refused_whatever(kind, name, EPERM, arch)
    assert answer(kind, "connect", arch=arch) == ALLOW


@each_architecture
def test_the_spawner_may_do_what_bubblewrap_does(arch):
    for name in ("mount", "umount2", "pivot_root", "unshare", "execve", "seccomp"):
        assert answer("spawner", name, arch=arch) == ALLOW
    for flags in NAMESPACES.values():
        assert answer("spawner", "clone", flags | 17, arch=arch) == ALLOW
    assert answer("spawner", "connect", arch=arch) == EPERM


# -- calls that depend on their arguments ------------------------------------------


@each_kind
@given(flags=words, architecture=architectures)
def test_no_send_opens_a_connection(kind, flags, architecture):
    due = EPERM if flags & FAST_OPEN else ALLOW

    assert answer(kind, "sendto", 3, 0, 0, flags, arch=architecture) == due
    assert answer(kind, "sendmsg", 3, 0, flags, arch=architecture) == due
    assert answer(kind, "sendmmsg", 3, 0, 1, flags, arch=architecture) == due


@pytest.mark.parametrize("kind", [*WORKERS, "orchestrator", "spawner"])
@given(family=st.integers(0, 45), sort=st.integers(0, 15), architecture=architectures)
def test_a_pair_of_sockets_reaches_nobody_else(kind, family, sort, architecture):
    is_stream = family == UNIX and sort in {STREAM, SEQPACKET}
    answered = answer(kind, "socketpair", family, sort | CLOEXEC, arch=architecture)

    assert answered == (ALLOW if is_stream else EPERM)


@given(st.integers(0, 45), st.integers(0, 15), st.integers(0, 300), architectures)
def test_a_serving_worker_has_unix_streams_only(family, sort, protocol, arch):
    is_stream = (family, sort, protocol) == (UNIX, STREAM, 0)
    asked = (family, sort | CLOEXEC, protocol)

    assert answer("worker-serves-unix", "socket", *asked, arch=arch) == (
        ALLOW if is_stream else EPERM
    )


@each_architecture
def test_a_serving_worker_listens_and_never_connects(arch):
    for name in ("bind", "listen", "accept", "accept4"):
        assert answer("worker-serves-unix", name, arch=arch) == ALLOW
    assert answer("worker-serves-unix", "socket", UNIX, STREAM, arch=arch) == ALLOW
    assert answer("worker-serves-unix", "connect", arch=arch) == EPERM


@given(st.integers(0, 45), st.integers(0, 15), st.integers(0, 300), architectures)
def test_the_broker_has_tcp_and_nothing_that_looks_like_it(
    family, sort, protocol, arch
):
    """MPTCP is a stream of the same family, and passes by Landlock."""
    is_tcp = family in {INET, INET6} and sort == STREAM and protocol in {0, 6}
    asked = (family, sort | CLOEXEC, protocol)

    assert answer("broker", "socket", *asked, arch=arch) == (ALLOW if is_tcp else EPERM)


@given(st.integers(0, 45), st.integers(0, 15), st.integers(0, 300), architectures)
def test_the_spawner_has_no_internet_socket(family, sort, protocol, arch):
    is_local = family in {UNIX, NETLINK} and protocol == 0
    asked = (family, sort, protocol)

    assert answer("spawner", "socket", *asked, arch=arch) == (
        ALLOW if is_local else EPERM
    )


@pytest.mark.parametrize("kind", ALL_BUT_SPAWNER)
@pytest.mark.parametrize("flags", NAMESPACES.values(), ids=NAMESPACES)
@each_architecture
def test_nobody_else_makes_namespaces(kind, flags, arch):
    for wanted in (A_CHILD, A_THREAD):
        assert answer(kind, "clone", flags | wanted, arch=arch) == EPERM


@each_architecture
def test_threads_are_free_and_children_are_for_programs(arch):
    for kind in ("worker-default", "worker-serves-unix", "orchestrator"):
        assert answer(kind, "clone", A_THREAD, arch=arch) == ALLOW
        assert answer(kind, "clone", A_CHILD, arch=arch) == EPERM
        assert answer(kind, "execve", arch=arch) == EPERM
    assert answer("worker-program", "clone", A_THREAD, arch=arch) == ALLOW
    assert answer("worker-program", "clone", A_CHILD, arch=arch) == ALLOW
    assert answer("worker-program", "execve", arch=arch) == ALLOW
    a_sibling = A_CHILD | 0x8000
    assert answer("worker-program", "clone", a_sibling, arch=arch) == EPERM


@pytest.mark.parametrize("kind", [*WORKERS, "broker"])
@given(pid=st.integers(-(2**31), 2**22), architecture=architectures)
def test_signals_and_limits_go_to_the_own_process(kind, pid, architecture):
    def patched(own):
        filtered = built(kind, architecture)
        code = bytearray(filtered.code)
        for offset in filtered.own_pid_at:
            code[offset : offset + 4] = own.to_bytes(4, "little")
        return bpf.Filter(code=bytes(code))

    def asked(name, target):
        call = number(name, architecture)
        return simulate(patched(4711), call, (target, 9), arch=AUDIT_ARCH[architecture])

    for name in ("kill", "tgkill"):
        assert asked(name, pid) == (ALLOW if pid == 4711 else EPERM)
        assert asked(name, 4711) == ALLOW
        assert answer(kind, name, pid, arch=architecture) == EPERM  # not yet patched
    for name in ("prlimit64", "sched_setaffinity", "sched_setscheduler"):
        assert asked(name, pid) == (ALLOW if pid in {0, 4711} else EPERM)


@each_kind
@each_architecture
def test_nobody_types_into_the_terminal(kind, arch):
    for request in (0x5412, 0x541C, 0x8901, 0x40086602):
        assert answer(kind, "ioctl", 0, request, arch=arch) == EPERM
        assert answer(kind, "ioctl", 0, request | 1 << 40, arch=arch) == EPERM
    for request in (0x5401, 0x5413, 0x541B):  # TCGETS, TIOCGWINSZ, FIONREAD
        assert answer(kind, "ioctl", 0, request, arch=arch) == ALLOW


IS_A_TERMINAL = {0x5401, 0x802C542A, 0x5413}
OF_A_DESCRIPTOR = {0x541B, 0x5421, 0x5450, 0x5451}  # FIONREAD, FIONBIO, FI(O)(N)CLEX
FILE_SYSTEM = (0x40087602, 0x40086604, 0x40806685, 0x800C6613, 0xC0406618, 0x50009401)
A_DRIVER = 0xC020462A  # of a graphics card


@pytest.mark.parametrize("kind", WITHOUT_DRIVERS)
@given(request=words | st.sampled_from(FILE_SYSTEM), architecture=architectures)
def test_a_worker_asks_for_few_things_by_ioctl(kind, request, architecture):
    """A file that is open to be read can be made immutable by one, for instance."""
    known = request & 0xFFFFFFFF in IS_A_TERMINAL | OF_A_DESCRIPTOR
    answered = answer(kind, "ioctl", 0, request, arch=architecture)

    assert answered == (ALLOW if known else EPERM)


@each_kind
@each_architecture
def test_nobody_changes_what_is_open_to_be_read(kind, arch):
    for request in FILE_SYSTEM:
        assert answer(kind, "ioctl", 0, request, arch=arch) == EPERM


@each_architecture
def test_a_driver_is_for_those_with_a_gpu(arch):
    assert answer("worker-gpu", "ioctl", 0, A_DRIVER, arch=arch) == ALLOW
    assert answer("worker-default", "ioctl", 0, A_DRIVER, arch=arch) == EPERM


@each_worker
@each_architecture
def test_no_file_becomes_a_device_by_renaming(kind, arch):
    for flags, due in ((0, ALLOW), (1, ALLOW), (2, ALLOW), (4, EPERM), (5, EPERM)):
        assert answer(kind, "renameat2", 0, 0, 0, 0, flags, arch=arch) == due


@each_worker
@each_architecture
def test_a_worker_keeps_its_lock(kind, arch):
    for option in (1, 4, 22, 35, 0x59616D61):
        assert answer(kind, "prctl", option, arch=arch) == EPERM
    for option in (15, 21, 39):  # a thread's name; reading the lock
        assert answer(kind, "prctl", option, arch=arch) == ALLOW
    for command in (8, 10, 15, 1024, 1026):
        assert answer(kind, "fcntl", 0, command, arch=arch) == EPERM
    for command in (1, 2, 3, 4, 1030):  # flags, and duplicates
        assert answer(kind, "fcntl", 0, command, arch=arch) == ALLOW


# -- what the rest of LAO relies on ----------------------------------------------------


@each_architecture
def test_a_check_names_what_its_filter_answers(arch):
    def all_hold(kind, checks: tuple[Check, ...]):
        filtered = built(kind, arch)
        for call, arguments, error in checks:
            answered = simulate(filtered, call, arguments, arch=AUDIT_ARCH[arch])
            assert answered == ERRNO | error

    for profile in PROFILES:
        all_hold(f"worker-{profile}", worker_checks(profile, arch=arch))
    all_hold("orchestrator", orchestrator_checks(arch=arch))


def test_a_denied_call_is_missing_and_nothing_else_is():
    names = ["landlock_create_ruleset", "clone"]
    filtered = deny_filter(names, error=errno.ENOSYS, arch="x86_64")

    def asked(name, *arguments):
        call = NUMBERS[name][0]
        return simulate(filtered, call, arguments, arch=AUDIT_ARCH["x86_64"])

    assert asked("landlock_create_ruleset") == ENOSYS
    assert asked("clone", 0x10000000 | 17) == EPERM
    assert asked("clone", A_CHILD) == ALLOW
    assert asked("socket", INET, STREAM) == ALLOW


@pytest.mark.parametrize(("name", "text"), golden_files().items())
def test_a_filter_or_ruleset_is_the_reviewed_one(name, text, pytestconfig):
    """If a change is meant: `python -m tests.listings`, and read the difference."""
    golden = pytestconfig.rootpath / "tests" / "golden" / name

    assert text == golden.read_text("utf-8")
