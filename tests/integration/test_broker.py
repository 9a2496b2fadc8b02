# SPDX-License-Identifier: Apache-2.0
"""A real broker connects to its table of addresses, passes sockets on, and does no more."""

import asyncio
import ctypes
import os
import resource
import signal
import socket
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.fake_ollama import FakeOllama, answer

from lao.backends.loopback import LoopbackClient
from lao.errors import LaoError, ModelUnavailable, RefusedByPolicy, UsageError
from lao.isolation.broker import fork_broker
from lao.isolation.broker_client import BrokerClient
from lao.policy import LoopbackEndpoint

pytestmark = [
    pytest.mark.linux,
    # Libraries that other tests import start threads; a broker needs none of them.
    pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning"),
]

NOBODY = LoopbackEndpoint("http://127.0.0.1:1")
AF_UNSPEC = (0).to_bytes(16, "little")


@contextmanager
def broker_for(*endpoints):
    broker = fork_broker(endpoints)
    try:
        broker.confirm()
        yield broker
    finally:
        broker.close()


@contextmanager
def listening(family=socket.AF_INET, host="127.0.0.1", backlog=16):
    """A listener that accepts nothing by itself, and its endpoint."""
    with socket.socket(family) as listener:
        listener.bind((host, 0))
        listener.listen(backlog)
        shown = f"[{host}]" if ":" in host else host
        port = listener.getsockname()[1]
        yield listener, LoopbackEndpoint(f"http://{shown}:{port}")


def descriptors_of(pid):
    folder = Path(f"/proc/{pid}/fd")
    return {each.name: str(each.readlink()) for each in folder.iterdir()}


def open_descriptors():
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "unix"])
async def test_it_connects_to_every_kind_of_endpoint(host, tmp_path):
    where = str(tmp_path / "s") if host == "unix" else host
    async with FakeOllama({"/x": answer({"ok": True})}, host=where) as server:
        with broker_for(NOBODY, server.endpoint) as broker:
            client = LoopbackClient(server.endpoint, connect=broker.connect)
            for _ in range(2):
                reply = await client.request_json("POST", "/x", {"a": 1}, within=30)
                assert reply == (200, {"ok": True})
            await client.close()
        assert server.connections == 1


@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
async def test_whoever_holds_a_connection_cannot_take_it_elsewhere(family, host):
    elsewhere = ("192.0.2.1", 9) if family == socket.AF_INET else ("2001:db8::1", 9)
    with listening(family, host) as (_, endpoint), broker_for(endpoint) as broker:
        with await broker.connect(endpoint) as passed:
            assert passed.gettimeout() == 0
            assert passed.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            disconnect(passed)
            # It begins at best: over `lo` nothing is on its way to anywhere.
            with pytest.raises(OSError, match=r"Invalid arg|unreachable|in progress"):
                passed.connect(elsewhere)
            device = passed.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16)
            assert (device, passed.getsockname()[0]) == (b"lo\0", host)


def disconnect(connected):
    """Do what no method of Python's sockets does: connect() to AF_UNSPEC."""
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.connect(connected.fileno(), AF_UNSPEC, 16) == 0


async def test_an_endpoint_outside_of_the_table_is_refused():
    with listening() as (_, endpoint), broker_for(NOBODY) as broker:
        with pytest.raises(RefusedByPolicy, match=r"policy\.endpoint-not-in-plan"):
            await broker.connect(endpoint)


@pytest.mark.parametrize("request_", [b"\x01", b"\xff", b"\0\0", b"\0" * 500])
async def test_the_broker_does_not_rely_on_its_client(request_):
    with listening() as (_, endpoint), broker_for(endpoint) as broker:
        broker._control.setblocking(True)
        broker._control.send(request_)
        assert broker._control.recv(9) == b"\1"  # EPERM
        (await broker.connect(endpoint)).close()


async def test_nobody_answers(tmp_path):
    nothing = LoopbackEndpoint(f"unix:{tmp_path}/none")
    with broker_for(NOBODY, nothing) as broker:
        with pytest.raises(ConnectionRefusedError):
            await broker.connect(NOBODY)
        with pytest.raises(FileNotFoundError):
            await broker.connect(nothing)


async def test_many_connect_at_once_and_each_gets_its_own():
    with listening() as (one, first), listening() as (other, second):
        with broker_for(first, second) as broker:
            asked = [first, second, second] * 5
            found = await asyncio.gather(*map(broker.connect, asked))
        ports = {first: one.getsockname(), second: other.getsockname()}
        for endpoint, passed in zip(asked, found, strict=True):
            with passed:
                assert passed.getpeername() == ports[endpoint]


async def test_a_server_that_does_not_accept_holds_nobody_up():
    with listening(backlog=0) as (_, stuck), listening() as (_, endpoint):
        with broker_for(stuck, endpoint) as broker:
            filling = [asyncio.create_task(broker.connect(stuck)) for _ in range(4)]
            (await broker.connect(endpoint)).close()
            for task in filling:
                task.cancel()
            ended = await asyncio.gather(*filling, return_exceptions=True)
            assert any(isinstance(end, asyncio.CancelledError) for end in ended)
            for passed in ended:
                if isinstance(passed, socket.socket):
                    passed.close()


async def test_a_cancelled_question_leaves_no_connection_behind():
    with listening() as (_, endpoint), broker_for(endpoint) as broker:
        (await broker.connect(endpoint)).close()
        before = open_descriptors()
        for turns in range(6):
            asked = [asyncio.create_task(broker.connect(endpoint)) for _ in range(3)]
            for _ in range(turns):
                await asyncio.sleep(0)
            for task in asked:
                task.cancel()
            for end in await asyncio.gather(*asked, return_exceptions=True):
                if isinstance(end, socket.socket):
                    end.close()
            (await broker.connect(endpoint)).close()
        assert open_descriptors() == before


def test_a_client_outlives_its_event_loop():
    async def cancelled(broker, endpoint):
        asking = asyncio.create_task(broker.connect(endpoint))
        await asyncio.sleep(0)
        asking.cancel()

    async def connected(broker, endpoint):
        (await broker.connect(endpoint)).close()

    with listening() as (_, endpoint), broker_for(endpoint) as broker:
        asyncio.run(cancelled(broker, endpoint))
        asyncio.run(connected(broker, endpoint))


async def test_a_broker_that_was_killed_is_told():
    with listening() as (_, endpoint), broker_for(endpoint) as broker:
        os.kill(broker.pid, signal.SIGKILL)
        for _ in range(2):
            with pytest.raises(ModelUnavailable, match=r"isolation\.broker-gone"):
                await broker.connect(endpoint)


async def test_a_broker_that_is_killed_while_it_is_asked_is_told_to_all():
    with listening() as (_, endpoint), broker_for(endpoint) as broker:
        os.kill(broker.pid, signal.SIGSTOP)
        asked = [asyncio.create_task(broker.connect(endpoint)) for _ in range(3)]
        await asyncio.sleep(0)
        os.kill(broker.pid, signal.SIGKILL)
        ended = await asyncio.gather(*asked, return_exceptions=True)
        assert [getattr(end, "code", end) for end in ended] == [
            "isolation.broker-gone"
        ] * 3


async def test_a_process_without_room_for_another_descriptor_is_told():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with listening() as (_, endpoint), broker_for(endpoint) as broker:
        (await broker.connect(endpoint)).close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            with pytest.raises(OSError, match="Too many open files"):
                await broker.connect(endpoint)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        (await broker.connect(endpoint)).close()


async def test_a_broker_without_room_for_another_descriptor_goes_on():
    with listening() as (_, endpoint), broker_for(endpoint) as broker:
        before = resource.prlimit(broker.pid, resource.RLIMIT_NOFILE, (3, 1024))
        with pytest.raises(OSError, match="Too many open files"):
            await broker.connect(endpoint)
        resource.prlimit(broker.pid, resource.RLIMIT_NOFILE, (1024, 1024))
        assert before[0] > 3
        (await broker.connect(endpoint)).close()


async def test_a_broker_holds_its_control_socket_and_nothing_else():
    with listening() as (_, endpoint), broker_for(endpoint) as broker:
        for _ in range(3):
            (await broker.connect(endpoint)).close()
        broker._control.setblocking(True)
        broker._control.send(b"\xff")
        broker._control.recv(1)  # by now it has let go of what it passed
        held = descriptors_of(broker.pid)
        nothing = [held.pop(stream) for stream in "012"]
        assert nothing == ["/dev/null"] * 3
        assert [name.partition(":")[0] for name in held.values()] == ["socket"]
        assert os.getsid(broker.pid) == broker.pid


def test_a_closed_broker_is_gone():
    with broker_for(NOBODY) as broker:
        os.kill(broker.pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(broker.pid, 0)
    broker.close()


def test_one_byte_is_enough_for_the_table():
    table = [LoopbackEndpoint(f"http://127.0.0.1:{port}") for port in range(1, 257)]
    with pytest.raises(UsageError, match=r"isolation\.too-many-endpoints"):
        fork_broker(table)
    with broker_for(*table[:255]):
        pass


# -- a broker that is not one ------------------------------------------------


def pipe_end():
    read, write = os.pipe()
    os.close(read)
    return write


ANSWERS = {
    "no connection": lambda: (b"\0", []),
    "too much": lambda: (b"\0\0", [socket.socket().detach()]),
    "an error with a connection": lambda: (b"\1", [socket.socket().detach()]),
    "two connections": lambda: (b"\0", [socket.socket().detach() for _ in "12"]),
    "no socket": lambda: (b"\0", [pipe_end()]),
    "a datagram socket": lambda: (
        b"\0",
        [socket.socket(type=socket.SOCK_DGRAM).detach()],
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_that_is_none_ends_the_trust(name):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        broker = BrokerClient(ours, (NOBODY,), pid=0)
        ours.setblocking(False)
        before = open_descriptors()
        said, sent = ANSWERS[name]()
        socket.send_fds(theirs, [said], sent)
        for each in sent:
            os.close(each)
        for _ in range(2):
            with pytest.raises(ModelUnavailable, match="answered nonsense"):
                await broker.connect(NOBODY)
        assert open_descriptors() == before


@pytest.mark.parametrize("told", [b"", b"{}", b"[]", b"\xff", b'{"failed": "seccomp"}'])
def test_a_broker_that_is_not_locked_is_not_used(told):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        theirs.send(told) if told else theirs.close()
        with pytest.raises(LaoError, match=r"isolation\.lock-failed"):
            BrokerClient(ours, (NOBODY,), pid=0).confirm()
