# SPDX-License-Identifier: Apache-2.0
"""What LAO's own processes are like, and what can be asked of them.

Run in the orchestrator, once it is locked: whoever has taken it over holds the sockets
to the broker and the spawner, and can say anything on them.
"""

import json
import os
import select
import socket
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from lao.isolation import kernel
from lao.isolation.orders import LONGEST, Order, encode_order
from lao.isolation.spawner_client import HEAD, KILL, PIPES, REFUSED, START, STARTED
from lao.verify.judging import Finding, Verdict
from lao.verify.world import World
from lao.workers.folders import WorkerFolder

_SECONDS = 5.0
_MOST_DESCRIPTORS = 1024
_MOST_SAID = 4096
_FIRST_NUMBER = 1 << 20  # of processes: above those that the client counts
_OWN = ("orchestrator", "broker", "spawner")
_FOR_BUBBLEWRAP = 1 << 31  # CAP_SETFCAP: as root it can make no namespace without it
_BROKER_QUESTIONS: Mapping[str, bytes] = {
    "connect to an address that is not in its table": b"\xc8",
    "connect to two addresses at once": b"\x00\x00",
    "connect to a name": b"example.org:443",
    "take 4 KiB of garbage": b"\xff" * 4096,
}


def look_at_own_processes(world: World) -> Iterator[Finding]:
    """Look at every process of LAO's own, and ask the helpers for what they refuse."""
    found = _own_processes(world)
    for name in _OWN:
        yield from _look_at(name, found.get(name))
    with ExitStack() as stack:
        links = [stack.enter_context(link) for link in _control_sockets()]
        brokers = [link for link in links if _answer(link, b"\xff") is not None]
        spawners = [link for link in links if link not in brokers]
        for link in brokers:
            yield from _ask_broker(link)
        for link in spawners:
            yield from _ask_spawner(link, world)


def _own_processes(world: World) -> Mapping[str, int]:
    """Return this process and its helpers; they are its only other children.

    The broker is forked before the spawner.
    """
    children = sorted(_children() - {world.witness})
    return dict(zip(_OWN, (os.getpid(), *children), strict=False))


def _children() -> frozenset[int]:
    ours = str(os.getpid())
    pids = [path for path in Path("/proc").iterdir() if path.name.isdecimal()]
    return frozenset(int(p.name) for p in pids if _status(p.name).get("PPid") == ours)


def _status(pid: str | int) -> Mapping[str, str]:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in (x.partition(":") for x in lines)}


def _look_at(kind: str, pid: int | None) -> Iterator[Finding]:
    status = {} if pid is None else _status(pid)
    allowed = _FOR_BUBBLEWRAP if kind == "spawner" else 0
    held = int(status.get("CapPrm", "-1"), 16)
    wanted = (
        ("make calls without a filter", "seccomp", status.get("Seccomp") == "2"),
        ("gain privileges", "no_new_privs", status.get("NoNewPrivs") == "1"),
        ("use capabilities of root", "capabilities", held & ~allowed == 0),
        ("be read by another process", "undumpable", _is_unreadable(pid)),
    )
    verdicts: dict[bool, Verdict] = {True: "held", False: "open"}
    for phrase, layer, holds in wanted:
        verdict = verdicts[holds] if status else "not shown"
        yield Finding(
            attempt=phrase.replace(" ", "-"),
            area="its lock",
            phrase=phrase.capitalize(),
            kind=kind,
            verdict=verdict,
            layer=layer if verdict == "held" else "",
            why="" if status else "it is not to be seen in /proc",
        )


def _is_unreadable(pid: int | None) -> bool:
    """Whether its memory belongs to root, as that of an undumpable process does."""
    if pid == os.getpid():
        return kernel.is_undumpable()  # one may always read oneself
    try:
        Path(f"/proc/{pid}/mem").open("rb").close()
    except OSError as error:
        return isinstance(error, PermissionError)
    return False


def _control_sockets() -> Iterator[socket.socket]:
    """Yield the sockets of this process that keep the bounds of messages, copied."""
    for descriptor in [
        each for each in range(3, _MOST_DESCRIPTORS) if _is_socket(each)
    ]:
        copied = socket.socket(fileno=os.dup(descriptor))
        if (copied.family, copied.type) == (socket.AF_UNIX, socket.SOCK_SEQPACKET):
            yield copied
        else:
            copied.close()


def _is_socket(descriptor: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(descriptor).st_mode)
    except OSError:
        return False


def _answer(
    link: socket.socket, said: bytes, given: tuple[int, ...] = ()
) -> tuple[bytes, list[int]] | None:
    """Say something and take the answer, with what came along; None without one."""
    socket.send_fds(link, [said], given)
    return _next(link, 0.3 if len(said) == 1 else _SECONDS)


def _next(link: socket.socket, seconds: float) -> tuple[bytes, list[int]] | None:
    if not select.select([link], [], [], seconds)[0]:
        return None
    data, received, _, _ = socket.recv_fds(link, _MOST_SAID, 4, socket.MSG_CMSG_CLOEXEC)
    for descriptor in received:
        os.close(descriptor)
    return data, received


def _ask_broker(link: socket.socket) -> Iterator[Finding]:
    control = _answer(link, b"\x00")
    works = control is not None and control[0] == b"\0" and bool(control[1])
    for phrase, said in _BROKER_QUESTIONS.items():
        found = _answer(link, said)
        refused = found is not None and found[0] not in (b"", b"\0") and not found[1]
        verdict: Verdict = "held" if refused else "open"
        yield _asked("broker", phrase, verdict if works else "not shown")


def _ask_spawner(link: socket.socket, world: World) -> Iterator[Finding]:
    with ExitStack() as stack:
        pipes = _pipes(stack)
        good = _good_order(world)
        works = _start(link, 0, good, pipes) == STARTED
        socket.send_fds(link, [HEAD.pack(KILL, _FIRST_NUMBER)], [])
        mapping: dict[str, Any] = json.loads(good)
        questions: Mapping[str, tuple[bytes, tuple[int, ...]]] = {
            "take garbage": (b"\xff" * 1000, pipes),
            "start a program that is not in its table": (
                _changed(mapping, program=99),
                pipes,
            ),
            "start a program by its path": (
                _changed(mapping, program="/bin/sh"),
                pipes,
            ),
            "run a module of one's own": (_changed(mapping, run="os"), pipes),
            "take an argument list": (_changed(mapping, argv=["/bin/sh"]), pipes),
            "hand on an environment": (_changed(mapping, env={"A": "B"}), pipes),
            "start a worker without a lock": (
                _changed(mapping, profile="none"),
                pipes,
            ),
            "let a worker write where it likes": (
                _changed(mapping, scratch="/etc"),
                pipes,
            ),
            "take an order that is too long": (
                _changed(mapping, readable=["/" * 4000] * (LONGEST // 4000 + 2)),
                pipes,
            ),
            "start a worker without pipes": (good, ()),
            "hand on what is no pipe": (good, (link.fileno(), *pipes[1:])),
        }
        for number, (phrase, (order, given)) in enumerate(questions.items(), start=1):
            refused = _start(link, number, order, given) == REFUSED
            verdict: Verdict = "held" if refused else "open"
            yield _asked("spawner", phrase, verdict if works else "not shown")


def _start(
    link: socket.socket, number: int, order: bytes, pipes: tuple[int, ...]
) -> int | None:
    """Have something started; return what kind of answer it got."""
    wanted = _FIRST_NUMBER + number
    found = _answer(link, HEAD.pack(START, wanted) + order, pipes)
    while found is not None:
        what, told = HEAD.unpack_from(found[0])
        if told == wanted:
            return int(what)
        found = _next(link, _SECONDS)  # of another process: how it ended
    return None


def _good_order(world: World) -> bytes:
    folder = WorkerFolder(world.scratch.resolve())
    for each in (folder.scratch, folder.inbox):
        each.mkdir(exist_ok=True)
    scratch, inbox = str(folder.scratch), str(folder.inbox)
    return encode_order(
        Order(run="lao.workers.child", scratch=scratch, inbox=inbox), ()
    )


def _changed(order: Mapping[str, Any], **fields: object) -> bytes:
    return json.dumps({**order, **fields}).encode()


def _pipes(stack: ExitStack) -> tuple[int, ...]:
    """Return the worker's ends of three pipes, as the spawner wants them."""
    found = []
    for _ in range(PIPES):
        source, sink = os.pipe()
        stack.callback(os.close, source)
        stack.callback(os.close, sink)
        found.append(source)
    return tuple(found)


def _asked(kind: str, phrase: str, verdict: Verdict) -> Finding:
    return Finding(
        attempt=phrase.replace(" ", "-").replace("'", ""),
        area="its requests",
        phrase=f"Have it {phrase}",
        kind=kind,
        verdict=verdict,
        layer="its own rules" if verdict == "held" else "",
        why="it does not do what it should do either" if verdict == "not shown" else "",
    )
