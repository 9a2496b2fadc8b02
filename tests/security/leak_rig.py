# SPDX-License-Identifier: Apache-2.0
"""Runs commands where every packet that leaves the machine is seen, counted, decoded.

    python tests/security/leak_rig.py --canary TOKEN --expect-zero -- COMMAND ...

The commands get a network namespace whose only way out leads to a witness
(`leak_witness.py`) in another one, and a mount namespace in which the host's resolvers
are hidden. Before and after what counts, a deliberate leak must be seen: UDP, TCP, a
name, and the canary in every form that is looked for. Works as root and, with
`--unprivileged` or as an ordinary user, in a user namespace, where the commands run as
user 1000. The namespaces have no names: they end with the processes, however these end.

Exit codes: 0 as expected, 3 not as expected, 4 the control was not seen, 5 no rig here.
"""

import argparse
import ctypes
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
WITNESS = HERE.with_name("leak_witness.py")
LEAK = HERE.with_name("deliberate_leak.py")
TOOLS = ("ip", "mount", "setpriv", "unshare")
ADD_A_PAIR = ("ip", "link", "add", "type", "veth")
AS_EXPECTED, UNEXPECTED, NO_CONTROL, NO_RIG = 0, 3, 4, 5
SET_UP = """\
link set lo up
link set vin addrgenmode none
addr add 10.99.0.2/24 dev vin
link set vin up
neigh add 10.99.0.1 lladdr 02:00:00:00:00:01 nud permanent dev vin
route add default via 10.99.0.1
"""
SET_UP_V6 = """\
addr add fd99::2/64 dev vin nodad
neigh add fd99::1 lladdr 02:00:00:00:00:01 nud permanent dev vin
route add ::/0 via fd99::1 dev vin
"""
RESOLVERS = ("/run/systemd/resolve", "/run/dbus", "/run/nscd", "/var/run/nscd")
NAME_SERVER = "nameserver 10.99.0.1\noptions timeout:1 attempts:1\n"
HAS_V6 = Path("/proc/sys/net/ipv6/conf").exists()
SETTLES = 0.05  # for what a process sent while it ended
KEPT = 1 << 20  # bytes of a command's output
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_INSIDE = "LAO_LEAK_RIG_INSIDE"


def run_tool(*argv: str, given: str = "") -> None:
    """Run a program that makes a part of the rig; it must succeed."""
    subprocess.run(argv, input=given, text=True, check=True, timeout=50)


def is_whole_leak(run: Mapping[str, Any]) -> bool:
    """Whether the witness saw all that `deliberate_leak.py` sends."""
    packets = run["packets"]
    seen = {form for packet in packets for form in packet["canary"]}
    ways = {"203.0.113.7:9/udp", "203.0.113.7:80/tcp", "10.99.0.1:53/udp"}
    if HAS_V6:
        ways.add("[2001:db8::7]:9/udp")
    return (
        seen == {"plain", "reversed", "hex", "base64", "base32"}
        and ways <= {packet["to"] for packet in packets}
        and any(packet["asks_for"] for packet in packets)
        and run["kernel"] == run["count"] + run["noise"]
    )


# -- the rig -------------------------------------------------------------------


def enter_namespaces(*, unprivileged: bool) -> None:
    """Become the same program in namespaces of its own; return once inside."""
    if os.environ.get(_INSIDE) == "1":  # noqa: TID251
        return
    if lacking := what_is_missing(unprivileged=unprivileged):
        sys.stderr.write(f"leak-rig: {lacking}\n")
        sys.exit(NO_RIG)
    os.environ[_INSIDE] = "1"  # noqa: TID251
    command = [*_unshare(unprivileged=unprivileged), sys.executable, str(HERE)]
    os.execvp(command[0], [*command, *sys.argv[1:]])  # noqa: S606


def _unshare(*, unprivileged: bool) -> list[str]:
    return ["unshare", "-Urnm" if unprivileged or is_ordinary_user() else "-nm"]


def is_ordinary_user() -> bool:
    return os.geteuid() != 0


def what_is_missing(*, unprivileged: bool) -> str | None:
    """Say why there can be no rig here; None where there can."""
    if sys.platform != "linux":
        return "the leak rig needs Linux"
    if lacking := [tool for tool in TOOLS if shutil.which(tool) is None]:
        return f"the leak rig needs {', '.join(lacking)}"
    command = [*_unshare(unprivileged=unprivileged), *ADD_A_PAIR]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    if tried.returncode:
        return f"no network namespaces here: {tried.stderr.strip()}"
    return None


def hide_resolvers() -> None:
    """Leave only the witness's name server: no socket, no file of the host's."""
    for folder in RESOLVERS:
        if Path(folder).is_dir():
            run_tool("mount", "-t", "tmpfs", "tmpfs", folder)
    target = Path("/etc/resolv.conf").resolve()
    if not target.exists():  # it was in a folder that is now hidden
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(NAME_SERVER)
        return
    with tempfile.NamedTemporaryFile("w", delete=False) as file:
        file.write(NAME_SERVER)
    Path(file.name).chmod(0o644)
    run_tool("mount", "--bind", file.name, str(target))
    Path(file.name).unlink()  # the mount keeps it


@contextmanager
def witness_outside(canary: str) -> Iterator["subprocess.Popen[str]"]:
    """Run the witness in its namespace, joined to ours by the only way out."""
    command = ["unshare", "-n", sys.executable, "-I", "-S", str(WITNESS), canary]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as witness:
        try:
            _expect(witness, "here")
            inside, outside = "02:00:00:00:00:02", "02:00:00:00:00:01"
            way = f"link add vin address {inside} type veth peer name vout"
            way += f" address {outside} netns {witness.pid}"
            run_tool("ip", *way.split())
            _say(witness, "go")
            _expect(witness, "ready")
            run_tool("ip", "-batch", "-", given=SET_UP + SET_UP_V6 * HAS_V6)
            yield witness
        finally:
            witness.kill()


def _say(witness: "subprocess.Popen[str]", word: str) -> None:
    witness.stdin.write(f"{word}\n")
    witness.stdin.flush()


def _expect(witness: "subprocess.Popen[str]", word: str) -> None:
    found = witness.stdout.readline().strip()
    if found != word:
        raise SystemExit(f"leak-rig: the witness said {found!r} instead of {word!r}")


class Rig:
    """Runs commands inside, one at a time; `serve` leaves one running."""

    def __init__(self, witness: "subprocess.Popen[str]", *, as_user: bool) -> None:
        self._witness = witness
        self._as_user = as_user
        self.runs: list[dict[str, Any]] = []

    def control(self, canary: str) -> bool:
        """Leak on purpose, and look whether it was seen; a new device takes a moment."""
        argv = [sys.executable, "-I", "-S", str(LEAK), canary]
        for _ in range(5):
            if is_whole_leak(
                self.run({"name": "control", "argv": argv, "seconds": 20})
            ):
                return True
            self.runs.pop()
        return False

    def run(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Run a command to its end, or its deadline, and say what left meanwhile."""
        begun = time.monotonic()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            with self._started(order, stdout=out, stderr=err) as process:
                code = _finish(process, order["seconds"])
            spent = round(time.monotonic() - begun, 2)
            told = {"code": code, "seconds": spent, "out": _end(out), "err": _end(err)}
        time.sleep(SETTLES)
        found = {"name": order.get("name", ""), "argv": order["argv"], **told}
        found |= self._seen()
        self.runs.append(found)
        return found

    def serve(self, order: Mapping[str, Any]) -> dict[str, str]:
        """Start a command that stays until the rig ends; return its first line."""
        process = self._started(order, stdout=subprocess.PIPE, stderr=None)
        return {"line": process.stdout.readline().decode().strip()}

    def _started(
        self, order: Mapping[str, Any], *, stdout: Any, stderr: Any
    ) -> "subprocess.Popen[bytes]":
        user = ["unshare", "-U", "--map-user=1000", "--map-group=1000"]
        with_us = ["setpriv", "--pdeathsig", "KILL"]
        return subprocess.Popen(
            [*(user if self._as_user else ()), *with_us, *order["argv"]],
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=stderr,
            cwd=order.get("cwd"),
            env=order.get("env") or _plain_environment(),
            start_new_session=True,
        )

    def _seen(self) -> dict[str, Any]:
        _say(self._witness, "take")
        found: dict[str, Any] = json.loads(self._witness.stdout.readline())
        return found


def _plain_environment() -> Mapping[str, str]:
    return {k: v for k, v in os.environ.items() if k != _INSIDE}  # noqa: TID251


def _finish(process: "subprocess.Popen[bytes]", seconds: float) -> int | None:
    """Wait for a command; None where it had to be killed."""
    process.stdin.close()
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None


def _end(file: Any) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - KEPT))
    return file.read().decode(errors="replace")


def end_all_below() -> None:
    """Kill whatever the commands left; it became our child when its parent ended."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and (left := children.read_text().split()):
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(-1, 0)


@contextmanager
def open_rig(canary: str, *, unprivileged: bool) -> Iterator[Rig]:
    """Build the rig in this process; at the end nothing of it is left."""
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    hide_resolvers()
    try:
        with witness_outside(canary) as witness:
            yield Rig(witness, as_user=unprivileged or _is_mapped())
    finally:
        end_all_below()


def _is_mapped() -> bool:
    return Path("/proc/self/uid_map").read_text().split()[1:] != ["0", "4294967295"]


# -- the command ---------------------------------------------------------------


def converse(rig: Rig) -> int:
    """Take orders as JSON lines from stdin, answer each with one on stdout."""
    for line in sys.stdin:
        order = json.loads(line)
        answer = rig.serve(order) if order["op"] == "serve" else rig.run(order)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    return AS_EXPECTED


def is_silent(run: Mapping[str, Any]) -> bool:
    """Whether nothing left, by the witness's count and by the kernel's."""
    return run["count"] == 0 and run["kernel"] == run["noise"]


def once(rig: Rig, asked: argparse.Namespace) -> int:
    """Run one command and judge it."""
    order = {"argv": asked.command, "seconds": asked.seconds, "name": "command"}
    run = rig.run(order)
    sys.stdout.write(run["out"])
    sys.stderr.write(run["err"])
    sys.stderr.write(f"leak-rig: {json.dumps(without_output(run))}\n")
    if asked.expect_zero and not is_silent(run):
        return UNEXPECTED
    return UNEXPECTED if asked.expect_some and not run["count"] else AS_EXPECTED


def without_output(run: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in run.items() if name not in {"out", "err"}}


def write_report(path: str, rig: Rig, *, seen: bool, as_user: bool) -> None:
    runs = [without_output(run) for run in rig.runs]
    report = {"control_seen": seen, "unprivileged": as_user, "runs": runs}
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps(report, indent=1) + "\n")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--canary", default=f"canary{secrets.token_hex(6)}")
    expected = parser.add_mutually_exclusive_group()
    expected.add_argument("--expect-zero", action="store_true")
    expected.add_argument("--expect-some", action="store_true")
    parser.add_argument("--unprivileged", action="store_true")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--report", metavar="FILE")
    parser.add_argument("--orders", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("command", nargs="*", metavar="-- COMMAND")
    return parser.parse_args()


def main() -> int:
    asked = parsed()
    enter_namespaces(unprivileged=asked.unprivileged)
    with open_rig(asked.canary, unprivileged=asked.unprivileged) as rig:
        seen, code = rig.control(asked.canary), NO_CONTROL
        if asked.orders:
            sys.stdout.write(json.dumps({"seen": seen}) + "\n")
            sys.stdout.flush()
        if seen:
            code = converse(rig) if asked.orders else once(rig, asked)
            seen = rig.control(asked.canary)  # and it has not gone blind meanwhile
        if asked.report:
            as_user = asked.unprivileged or _is_mapped()
            write_report(asked.report, rig, seen=seen, as_user=as_user)
    if not seen:
        sys.stderr.write("leak-rig: its own leak was not seen: nothing is proved\n")
    return code if seen else NO_CONTROL


if __name__ == "__main__":
    sys.exit(main())
