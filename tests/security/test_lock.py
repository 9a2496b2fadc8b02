# SPDX-License-Identifier: Apache-2.0
"""Real processes are locked: what they prove, what fails inside, what still works.

`lao verify` and its tests try far more; here it is about the lock itself.
"""

import errno
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.models import CANNED_ANSWER, CANNED_TRANSCRIPT
from tests.security.booting import BOOT, HERE, Lock, run_locked

from lao.isolation.executables import executables_of
from lao.isolation.levels import level_of, look, probe, required_layers

if look().level not in {"L2", "L3"}:
    pytest.skip("needs Landlock 4 and seccomp", allow_module_level=True)
pytestmark = pytest.mark.linux

WITHHELD = str(HERE / "withheld.py")
A_PYTHON_FOR_ALL = "/usr/bin/python3"
NOBODY = 65534


@pytest.fixture
def lock(tmp_path):
    return Lock(scratch=tmp_path)


# Each line fails with its error number: EPERM is seccomp's, EACCES Landlock's.
ATTEMPTS = {
    "socket.socket()": errno.EPERM,
    "socket.socket(socket.AF_UNIX)": errno.EPERM,
    "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)": errno.EPERM,
    "socket.socketpair(type=socket.SOCK_DGRAM)": errno.EPERM,
    "os.fork()": errno.EPERM,
    "os.posix_spawn('/bin/true', ['true'], {})": errno.EPERM,
    "os.execv('/bin/true', ['true'])": errno.EPERM,
    "os.kill(os.getppid(), 0)": errno.EPERM,
    "os.setsid()": errno.EPERM,
    "os.setpriority(os.PRIO_PROCESS, os.getppid(), 1)": errno.EPERM,
    "os.memfd_create('x')": errno.EPERM,
    "os.chmod('/tmp', 0o777)": errno.EPERM,
    "os.utime('/tmp')": errno.EPERM,
    "os.listxattr('/tmp')": errno.EPERM,
    "open('/etc/passwd')": errno.EACCES,
    "open('/proc/1/environ')": errno.EACCES,
    "open('../outside', 'w')": errno.EACCES,
    "os.listdir('/')": errno.EACCES,
    "os.listdir(os.path.expanduser('~/..'))": errno.EACCES,
    "os.symlink('/etc', 'link')": errno.EACCES,
    "os.mkfifo('fifo')": errno.EPERM,
    "leave_a_device()": errno.EPERM,
    # FS_IOC_SETVERSION: changes a file that is open to be read
    "fcntl.ioctl(open(os.__file__), 0x40087602, bytes(8))": errno.EPERM,
    # SIOCGIFHWADDR: a pair of sockets knows the machine's network devices
    "fcntl.ioctl(socket.socketpair()[0], 0x8927, b'lo'.ljust(40))": errno.EPERM,
    "open('/proc/self/net/tcp')": errno.EACCES,
    "open('/proc/thread-self/net/unix')": errno.EACCES,
    "open('/proc/self/mountinfo')": errno.EACCES,
}
PREPARED = """
import ctypes, fcntl, os, socket
def leave_a_device():
    open("file", "w").close()
    libc = ctypes.CDLL(None, use_errno=True)
    RENAME_WHITEOUT = 4
    if libc.renameat2(-100, b"file", -100, b"moved", RENAME_WHITEOUT):
        raise OSError(ctypes.get_errno(), "renameat2")
"""


def test_what_a_worker_must_not_do_fails(lock):
    ended = run_locked(
        lock,
        PREPARED
        + f"""
found = {{}}
for line in {list(ATTEMPTS)!r}:
    try:
        exec(line)
        found[line] = 0
    except OSError as error:
        found[line] = error.errno
""",
    )

    assert ended.found == ATTEMPTS


def test_what_a_worker_needs_works(lock):
    ended = run_locked(
        lock,
        """
        import os, signal, socket, tempfile, threading
        heard = []
        signal.signal(signal.SIGUSR1, lambda *_: heard.append("signal"))
        thread = threading.Thread(target=heard.append, args=["thread"])
        thread.start()
        thread.join()
        os.kill(os.getpid(), signal.SIGUSR1)
        one, other = socket.socketpair()
        one.send(b"pair")
        heard.append(other.recv(9).decode())
        os.mkdir("folder")
        with open("folder/file", "w") as file:
            file.write("a file")
        os.rename("folder/file", "folder/other")
        heard.append(open("folder/other").read())
        with tempfile.TemporaryFile() as file, open(os.devnull, "w") as sink:
            print("into nothing", file=sink)
        found = heard
        """,
    )

    assert ended.found == ["thread", "signal", "pair", "a file"]


def test_a_worker_proves_its_layers_and_the_kernel_agrees(lock):
    ended = run_locked(
        lock,
        """
        lines = open("/proc/self/status").read().splitlines()
        status = dict(line.split(":\\t", 1) for line in lines if ":\\t" in line)
        names = ["NoNewPrivs", "Seccomp", "CapEff", "CapPrm", "CapInh", "CapAmb"]
        found = [layers, [int(status[name], 16) for name in names]]
        """,
    )

    layers, status = ended.found
    assert status == [1, 2, 0, 0, 0, 0]
    assert level_of(layers) == "L2"
    assert all(layers[name] for name in required_layers("L2"))
    assert layers["rlimits"] == {"CORE": 0, "NOFILE": 256}
    assert layers["namespaces"] is False


def test_an_abort_is_still_an_abort(lock):
    """It signals the own thread: the filter must know the own process id."""
    assert run_locked(lock, "import os; os.abort()").code == -signal.SIGABRT


def test_a_foreign_table_of_calls_ends_the_process(lock):
    if look().arch != "x86_64":
        pytest.skip("x32 is a part of x86_64")
    ended = run_locked(
        lock, "import ctypes; ctypes.CDLL(None).syscall(0x40000000 | 41, 2, 1, 0)"
    )

    assert ended.code == -signal.SIGSYS


def test_the_lock_imports_little(lock):
    """Each of these takes as long as the whole lock; a worker may not need them."""
    ended = run_locked(lock, "import sys; found = list(sys.modules)")

    assert {"dataclasses", "pathlib", "typing"}.isdisjoint(ended.found)
    ours = {name for name in ended.found if name.startswith("lao")}
    assert ours == {"lao", "lao.isolation"} | {
        f"lao.isolation.{name}" for name in ("kernel", "locking", "syscalls")
    }


# -- it fails closed -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("withheld", "missing"),
    [
        ("landlock", "landlock"),
        ("seccomp", "seccomp"),
        ("landlock_restrict_self", "landlock"),
        ("prctl", "pdeathsig"),
        ("capset", "no_capabilities"),
    ],
)
def test_a_worker_that_lacks_a_layer_does_not_run(lock, withheld, missing):
    if withheld == "capset" and os.geteuid() != 0:
        pytest.skip("an ordinary user has no capabilities to drop")
    prefix = (sys.executable, WITHHELD, withheld, "--")
    ended = run_locked(replace(lock, prefix=prefix), "found = 1")

    assert (ended.code, ended.found) == (113, None)
    last = ended.printed.splitlines()[-1]
    assert last.startswith("lao-boot: the self-check misses ")
    assert missing in last


def test_a_worker_without_the_namespaces_of_its_level_does_not_run(lock):
    sealed = replace(look(), bwrap="/usr/bin/bwrap")
    ended = run_locked(replace(lock, machine=sealed), "found = 1")

    assert (ended.code, ended.found) == (113, None)
    assert ended.printed == "lao-boot: the self-check misses namespaces\n"


def test_a_worker_whose_lock_is_open_does_not_run(lock):
    ended = run_locked(replace(lock, readable=(Path("/"),)), "found = 1")

    assert (ended.code, ended.found) == (113, None)
    assert ended.printed == "lao-boot: the self-check misses landlock\n"


def test_a_worker_whose_parent_is_gone_ends(lock):
    assert run_locked(replace(lock, parent=1), "found = 1").code == 111


# -- every kind of machine, user and profile --------------------------------------------


@pytest.mark.parametrize("abi", [1, 3, 5, 6])
def test_an_older_landlock_is_used_for_what_it_can(lock, abi):
    older = replace(look(), landlock_abi=min(abi, look().landlock_abi))
    ended = run_locked(
        replace(lock, machine=older),
        """
        try:
            open("/etc/passwd")
        except PermissionError as error:
            found = [layers["landlock"], error.errno]
        """,
    )

    assert ended.found == [older.landlock_abi, errno.EACCES]


def test_seccomp_alone_still_keeps_a_worker_off_the_network(lock):
    alone = replace(look(), landlock_abi=0)
    ended = run_locked(
        replace(lock, machine=alone),
        """
        import socket
        open("/etc/passwd").close()
        try:
            socket.socket()
        except PermissionError:
            found = layers["landlock"]
        """,
    )

    assert ended.found == 0


def test_a_worker_in_bubblewrap_is_sealed(lock):
    bwrap = probe().bwrap
    if bwrap is None:
        pytest.skip("no bubblewrap that works")
    scratch = str(lock.scratch)
    prefix = (
        *(bwrap, "--unshare-all", "--cap-drop", "ALL", "--ro-bind", "/", "/"),
        *("--proc", "/proc", "--bind", scratch, scratch),
    )
    inside = replace(lock, machine=probe(), prefix=prefix, parent=1)
    ended = run_locked(inside, "import os; os.kill(os.getpid(), 0); found = layers")

    assert level_of(ended.found) == "L3"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
def test_an_ordinary_user_is_locked_as_root_is():
    if shutil.which("setpriv") is None or not Path(A_PYTHON_FOR_ALL).exists():
        pytest.skip(f"needs setpriv and {A_PYTHON_FOR_ALL}")
    if not all(folder.stat().st_mode & stat.S_IXOTH for folder in BOOT.parents):
        pytest.skip("others may not enter this checkout")
    prefix = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, NOBODY, NOBODY)
        ended = run_locked(
            Lock(scratch=Path(folder), prefix=prefix, python=A_PYTHON_FOR_ALL),
            "import os; open('a', 'w').close(); found = [os.geteuid(), layers]",
        )

    user, layers = ended.found
    assert user == NOBODY
    assert level_of(layers) == "L2"


def test_a_serving_worker_listens_in_its_scratch_directory_alone(lock):
    ended = run_locked(
        replace(lock, profile="serves-unix"),
        """
        import errno, os, socket
        server = socket.socket(socket.AF_UNIX)
        server.bind("here.sock")
        server.listen()
        found = {}
        for name, act in {
            "elsewhere": lambda: socket.socket(socket.AF_UNIX).bind("../there.sock"),
            "connect": lambda: socket.socket(socket.AF_UNIX).connect("here.sock"),
            "tcp": lambda: socket.socket(),
            "datagram": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM),
            "fork": os.fork,
        }.items():
            try:
                act()
            except OSError as error:
                found[name] = errno.errorcode[error.errno]
        """,
    )

    assert ended.found == {
        "elsewhere": "EACCES",
        "connect": "EPERM",
        "tcp": "EPERM",
        "datagram": "EPERM",
        "fork": "EPERM",
    }


def test_a_program_runs_and_runs_no_other(lock):
    allowed = tuple(map(Path, executables_of("/bin/cat")))
    program = replace(lock, profile="program", executable=allowed)
    ended = run_locked(
        program,
        """
        import os, socket
        found = []
        for path, arguments in [
            ("/bin/cat", ["cat", "/dev/null"]),
            ("/bin/cat", ["cat", "/etc/passwd"]),
            ("/bin/true", ["true"]),
        ]:
            child = os.posix_spawn("/bin/cat", arguments, {}) if path == "/bin/cat" else 0
            if child:
                found.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            else:
                try:
                    os.execv(path, arguments)
                except PermissionError as error:
                    found.append(error.errno)
        try:
            socket.socket()
        except PermissionError as error:
            found.append(error.errno)
        """,
    )

    assert ended.found == [0, 1, errno.EACCES, errno.EPERM]


# -- the libraries that models need -----------------------------------------------------


def test_numpy_computes_and_soundfile_writes(lock):
    pytest.importorskip("soundfile")
    ended = run_locked(
        lock,
        """
        import numpy, soundfile
        product = numpy.ones((200, 200)) @ numpy.ones((200, 200))
        soundfile.write("a.flac", numpy.zeros(16000), 16000)
        found = [product[0, 0], len(soundfile.read("a.flac")[0])]
        """,
    )

    assert ended.found == [200.0, 16000], ended.printed


def test_pocketsphinx_listens(lock):
    pytest.importorskip("pocketsphinx")
    ended = run_locked(
        lock,
        """
        from pocketsphinx import Decoder
        decoder = Decoder(samprate=16000)
        decoder.start_utt()
        decoder.process_raw(bytes(32000), full_utt=True)
        decoder.end_utt()
        found = decoder.n_frames() > 0
        """,
    )

    assert ended.found is True, ended.printed


def test_whisper_hears(lock, tiny_whisper):
    pytest.importorskip("pywhispercpp")
    ended = run_locked(
        replace(lock, readable=(tiny_whisper,)),
        f"""
        import numpy
        from pywhispercpp.model import Model
        model = Model({str(tiny_whisper)!r}, n_threads=1, print_progress=False)
        silence = numpy.zeros(16000, dtype="float32")
        found = [segment.text for segment in model.transcribe(silence)]
        """,
    )

    assert ended.found == [CANNED_TRANSCRIPT], ended.printed


def test_llama_answers_where_it_may_listen_on_a_unix_socket(lock, tiny_gguf):
    pytest.importorskip("xllamacpp")
    ended = run_locked(
        replace(lock, readable=(tiny_gguf,), profile="serves-unix"),
        f"""
        from types import SimpleNamespace
        from lao.backends.llama_worker import LlamaModel
        from lao.workflow.inference import ModelRequest
        model = LlamaModel()
        model.load({{"model_path": {str(tiny_gguf)!r}, "num_ctx": 256, "num_thread": 1}})
        report = SimpleNamespace(cancelled=False, text=str, progress=print)
        found = model.infer(ModelRequest(prompt="Hello"), report).value
        """,
    )

    assert ended.found == CANNED_ANSWER, ended.printed


# -- what a machine can do is asked, never assumed ----------------------------------------


@pytest.mark.parametrize(
    ("withheld", "level"), [("landlock", "L1"), ("seccomp", "L0"), ("namespaces", "L2")]
)
def test_the_level_is_that_of_what_is_there(withheld, level):
    asked = "from lao.isolation.levels import probe; print(probe().level)"
    prefix = [sys.executable, WITHHELD, withheld, "--"]
    ended = subprocess.run(
        [*prefix, sys.executable, "-c", asked],
        capture_output=True,
        text=True,
        check=True,
    )

    assert ended.stdout == f"{level}\n"
