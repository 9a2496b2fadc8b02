# SPDX-License-Identifier: Apache-2.0
"""A second witness of "nothing leaves": the system calls, as strace saw them.

    python tests/security/strace_witness.py [--holders N] [--report FILE] -- COMMAND ...

A violation is a socket of any family but unix and netlink, unless at most N processes
of the whole tree (the broker: 1) got one; an address that was reached and is not
loopback; an io_uring. A socket that Landlock refuses to bind or connect is none: that is
how a process that locks itself proves it. Attempts that the kernel refused are counted
by name. Exit codes: 0 no violation, 1 some.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

STRACE = shutil.which("strace")
CALLS = "trace=%network,io_uring_setup"
_LINE = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+)(?:<.*?>+)?(?: (E[A-Z0-9]+))?")
_LOCAL = re.compile(
    r'inet_addr\("127\.\d+\.\d+\.\d+"\)|inet_pton\(AF_INET6, "::1"'
    r"|sa_family=AF_UNIX|sa_family=AF_UNSPEC|sa_family=AF_NETLINK"
)
_UNSEEN = re.compile(
    r", 0x[0-9a-f]+, (\d+|MSG_\S+|0)$"
)  # memory that strace may not read
_UNIX_PATH = re.compile(r'sun_path=(@?"[^"]*")')
_NO_WAY_OUT = ("AF_UNIX", "AF_NETLINK")
_REACHING = {"connect", "sendto", "sendmsg", "sendmmsg"}
_UNDER_WAY = {"EINPROGRESS", "EAGAIN", "ECONNREFUSED", "ETIMEDOUT", "EINTR"}


@dataclass(slots=True, kw_only=True)
class Verdict:
    """What the trace shows; `sockets` are the processes and numbers of network sockets."""

    violations: list[str] = field(default_factory=list)
    sockets: list[tuple[int, str]] = field(default_factory=list)
    unix: list[str] = field(default_factory=list)
    denied: dict[str, int] = field(default_factory=dict)
    calls: int = 0

    def add(self, pid: int, line: str) -> None:
        """Judge one line of a process's trace."""
        match = _LINE.search(line)
        if match is None:
            return
        call, arguments, result, error = match.groups()
        first = arguments.split(",")[0]
        self.calls += 1
        if error and error not in _UNDER_WAY:
            self._refused(pid, call, first, error)
        elif call == "io_uring_setup":
            self.violations.append(f"{pid} {line.strip()}")
        elif call == "socket" and first in {"AF_INET", "AF_INET6"}:
            self.sockets.append((pid, result))
        elif call == "socket" and first not in _NO_WAY_OUT:
            self.violations.append(f"{pid} {line.strip()}")
        elif call in _REACHING and _UNSEEN.search(arguments):
            self.violations.append(f"{pid} unseen: {line.strip()}")
        elif call in _REACHING and "sa_family=" in arguments:
            self._reached(pid, line)

    @property
    def holders(self) -> list[int]:
        """The processes that got a network socket, and kept it."""
        return sorted({pid for pid, _ in self.sockets})

    def _refused(self, pid: int, call: str, first: str, error: str) -> None:
        name = f"{call}({first if call == 'socket' else ''}) {error}"
        self.denied[name] = self.denied.get(name, 0) + 1
        if call in {"bind", "connect"} and error == "EACCES":
            self.sockets = [each for each in self.sockets if each != (pid, first)]

    def _reached(self, pid: int, line: str) -> None:
        families = len(re.findall("sa_family=", line))
        if families != len(_LOCAL.findall(line)):
            self.violations.append(f"{pid} {line.strip()}")
        self.unix += [
            path for path in _UNIX_PATH.findall(line) if path not in self.unix
        ]


def judge(lines: Iterable[tuple[int, str]], *, holders: int) -> Verdict:
    """Judge a whole trace, of which at most `holders` processes may hold sockets."""
    verdict = Verdict()
    for pid, line in lines:
        verdict.add(pid, line)
    if len(verdict.holders) > holders:
        found = ", ".join(map(str, verdict.holders))
        verdict.violations.append(f"network sockets in the processes {found}")
    return verdict


def strace_command(folder: Path) -> tuple[str, ...]:
    """Return the prefix that writes a trace of each process into `folder`.

    A file each, so that no call is cut in two; no seccomp-bpf, which hides refusals.
    """
    return (str(STRACE), "-ff", "-qq", "-s", "64", "-e", CALLS, "-o", f"{folder}/trace")


def traced(folder: Path) -> Iterator[tuple[int, str]]:
    """Read what `strace_command` wrote: process ids and lines."""
    for path in sorted(folder.glob("trace.*")):
        pid = int(path.suffix[1:])
        for line in path.read_text(errors="replace").splitlines():
            yield pid, line


def witness(command: list[str], *, holders: int) -> tuple[int, Mapping[str, object]]:
    """Run a command under strace; return its exit code and the verdict as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        code = subprocess.run(
            [*strace_command(Path(folder)), *command], check=False
        ).returncode
        verdict = judge(traced(Path(folder)), holders=holders)
    return code, {"code": code, "holders": verdict.holders, **asdict(verdict)}


def main() -> int:
    """Run the command; what it exits with is in the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--holders", type=int, default=0)
    parser.add_argument("--report", metavar="FILE")
    parser.add_argument("command", nargs="+", metavar="-- COMMAND")
    asked = parser.parse_args()
    if STRACE is None:
        parser.error("there is no strace here")
    _, report = witness(asked.command, holders=asked.holders)
    text = json.dumps(report)
    if asked.report:
        Path(asked.report).write_text(text + "\n")
    sys.stderr.write(f"strace-witness: {text}\n")
    return 1 if report["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
