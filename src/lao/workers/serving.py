# SPDX-License-Identifier: Apache-2.0
"""The worker's side: holds one model and answers requests until the pipe ends.

The main thread reads frames, so that `cancel` is seen while a model works; up to
`parallel` threads run the model. Whatever a model raises becomes an error frame and
the worker lives on. State: the model, and the reports of the requests under way.
"""

import os
import queue
import sys
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, cast

from lao.workers.answers import decode_description, decode_reply
from lao.workers.entry import open_entry
from lao.workers.folders import WorkerFolder
from lao.workers.frames import (
    Frame,
    decode_json,
    encode,
    read_frame_blocking,
)
from lao.workers.payload import pack, unpack
from lao.workers.reporting import RequestReport
from lao.workflow.inference import (
    LocalModel,
    ModelDescription,
    ModelProblem,
    ModelReply,
    ModelRequest,
)
from lao.workflow.values import JsonValue

_PARENT_SENDS_AT_MOST = 1 << 40  # the parent is trusted; it bounds its own requests
_WORDS = 2000

Config = dict[str, Any]  # decoded JSON of our own parent


class Replies:
    """The pipe to the parent; one frame at a time."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lock = threading.Lock()

    def send(self, frame: Frame) -> None:
        """Write one frame, waiting for the parent where it is slow."""
        data = memoryview(encode(frame))
        with self._lock:
            while data:
                data = data[os.write(self._fd, data) :]


class Requests:
    """Serves requests: a queue of them, the threads that take them, one model."""

    def __init__(self, model: LocalModel, config: Config, replies: Replies) -> None:
        self._model = model
        self._options: Mapping[str, JsonValue] = config["options"]
        self._folder = WorkerFolder(Path(config["folder"]))
        self._replies = replies
        self._waiting: queue.SimpleQueue[tuple[Frame, RequestReport]] = (
            queue.SimpleQueue()
        )
        self._reports: dict[int, RequestReport] = {}
        self._load_lock = threading.Lock()
        self._loaded = False

    def take(self, frame: Frame) -> None:
        """Put one request into the queue."""
        request = _id(frame)
        report = RequestReport(request, self._replies.send)
        self._reports[request] = report
        self._waiting.put((frame, report))

    def cancel(self, frame: Frame) -> None:
        """Tell a request under way, if it still is, that it is not wanted."""
        report = self._reports.get(_id(frame))
        if report is not None:
            report.cancel()

    def work(self) -> None:
        """Answer requests, one after the other, for ever. A thread's whole life."""
        try:
            while True:
                frame, report = self._waiting.get()
                answer = _guarded(partial(self._answer, frame, report), _id(frame))
                report.close()
                self._reports.pop(_id(frame), None)
                self._replies.send(answer)
        finally:
            os._exit(70)  # a request without a thread would wait for ever

    def _answer(self, frame: Frame, report: RequestReport) -> Frame:
        self._load_once()
        request = _id(frame)
        if report.cancelled:
            raise ModelProblem("worker.cancelled", "the request was cancelled")
        if frame.header["op"] == "describe":
            description = self._model.describe()
            body = _checked(description, ModelDescription)
            return self._reply(request, body, decode_description)
        file = self._folder.request_file(request)
        asked: Any = unpack(frame, file=file, limit=_PARENT_SENDS_AT_MOST)
        asked["files"] = tuple(asked["files"])
        reply = self._model.infer(ModelRequest(**asked), report)
        return self._reply(request, _checked(reply, ModelReply), decode_reply)

    def _load_once(self) -> None:
        with self._load_lock:
            if not self._loaded:
                self._model.load(self._options)
                self._loaded = True

    def _reply(
        self, request: int, value: dict[str, Any], decode: Callable[[JsonValue], object]
    ) -> Frame:
        """Return the reply frame; what the parent would refuse is refused here."""
        file = self._folder.reply_file(request)
        frame = pack({"id": request, "kind": "reply"}, value, file=file)
        decode(decode_json(frame.body or file.read_bytes()))
        return frame


def serve(requests_fd: int, replies_fd: int) -> None:
    """Be a worker, from the first frame to the end of the pipe."""
    replies = Replies(replies_fd)
    read = _reader(requests_fd)
    first = read_frame_blocking(read)
    if first is None:
        os._exit(0)
    config: Any = decode_json(first.body)
    serving = _start(config, replies)
    if serving is not None:
        _serve(serving, read)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # not through the destructors of native libraries


def _start(config: Config, replies: Replies) -> Requests | None:
    made: list[LocalModel] = []

    def ready() -> Frame:
        made.append(open_entry(config["entry"]))
        return Frame(header={"id": 0, "kind": "ready"})

    replies.send(_guarded(ready, 0))
    if not made:
        return None
    serving = Requests(made[0], config, replies)
    for _ in range(config["parallel"]):
        threading.Thread(target=serving.work, daemon=True).start()
    return serving


def _serve(serving: Requests, read: Callable[[int], bytes]) -> None:
    while (frame := read_frame_blocking(read)) is not None:
        match frame.header["op"]:
            case "cancel":
                serving.cancel(frame)
            case "close":
                return
            case _:
                serving.take(frame)


def _guarded(act: Callable[[], Frame], request: int) -> Frame:
    """Run the model's code; whatever it raises becomes an error frame."""
    try:
        return act()
    except ModelProblem as problem:
        return _error(request, problem.code, problem.what, problem)
    except ImportError as error:
        missing = {"missing": str(error.name or "")}
        return _error(request, "worker.start-failed", str(error), extra=missing)
    except MemoryError:
        return _error(request, "worker.out-of-memory", "the model ran out of memory")
    except BaseException as error:  # noqa: BLE001  (the edge: a model may raise anything)
        return _error(request, "worker.model-error", f"{type(error).__name__}: {error}")


def _error(
    request: int,
    code: str,
    what: str,
    problem: ModelProblem | None = None,
    *,
    extra: Mapping[str, JsonValue] | None = None,
) -> Frame:
    header: dict[str, JsonValue] = {"id": request, "kind": "error", **(extra or {})}
    header |= {"code": _words(code), "what": _words(what)}
    if problem is not None:
        header |= {"mend": _words(problem.mend), "unavailable": problem.unavailable}
    return Frame(header=header)


def _words(text: str) -> str:
    return str(text)[:_WORDS].encode(errors="replace").decode()


def _checked(
    value: object, wanted: type[ModelReply | ModelDescription]
) -> dict[str, Any]:
    if not isinstance(value, wanted):
        raise TypeError(f"a {wanted.__name__} was due, not {type(value).__name__}")
    found = {name: getattr(value, name) for name in wanted.__struct_fields__}
    if isinstance(value, ModelDescription):
        found["details"] = dict(value.details)
    return found


def _id(frame: Frame) -> int:
    return cast("int", frame.header["id"])  # our own parent gave it


def _reader(fd: int) -> Callable[[int], bytes]:
    def read(count: int) -> bytes:
        return os.read(fd, count)

    return read
