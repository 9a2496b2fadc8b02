# SPDX-License-Identifier: Apache-2.0
"""The worker's side: holds one model and answers requests until the pipe ends.

`parallel` threads, the main one among them, take requests and run the model: see
`incoming` for how `cancel` is seen meanwhile. Whatever a model raises becomes an error
frame and the worker lives on. State: the model.
"""

import os
import sys
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from msgspec.json import decode

from lao.workers.answers import description_fields, reply_fields
from lao.workers.entry import open_entry
from lao.workers.folders import WorkerFolder
from lao.workers.frames import Frame, encode
from lao.workers.incoming import Incoming, Send, id_of, leave_with_the_parent
from lao.workers.payload import is_in_file, pack
from lao.workers.reporting import RequestReport
from lao.workflow.inference import LocalModel, ModelProblem, ModelRequest
from lao.workflow.values import JsonValue

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


class Serving:
    """Answers the requests that come: one model, and what its options are."""

    def __init__(
        self, model: LocalModel, config: Config, incoming: Incoming, send: Send
    ) -> None:
        self._model = model
        self._options: Mapping[str, JsonValue] = config["options"]
        self._folder = WorkerFolder(Path(config["folder"]))
        self._incoming = incoming
        self._send = send
        self._load_lock = threading.Lock()
        self._loaded = False

    def work(self) -> None:
        """Answer requests, one after the other, to the end. A thread's whole life."""
        try:
            while (asked := self._incoming.next()) is not None:
                frame, report = asked
                answer = _guarded(partial(self._answer, frame, report), id_of(frame))
                report.close()
                self._incoming.forget(report)
                self._send(answer)
            leave()
        finally:
            os._exit(70)  # a request without a thread would wait for ever

    def _answer(self, frame: Frame, report: RequestReport) -> Frame:
        if not self._loaded:
            self._load_once(report)
        request = report.request
        if frame.header["op"] == "describe":
            return self._reply(request, description_fields(self._model.describe()))
        reply = self._model.infer(self._asked(frame), report)
        return self._reply(request, reply_fields(reply))

    def _load_once(self, report: RequestReport) -> None:
        with self._load_lock:
            if not self._loaded:
                self._model.load(self._options)
                self._loaded = True
        if report.cancelled:  # that may have taken long
            raise ModelProblem("worker.cancelled", "the request was cancelled")

    def _asked(self, frame: Frame) -> ModelRequest:
        data = frame.body
        if is_in_file(frame):
            data = self._folder.request_file(id_of(frame)).read_bytes()
        asked: Any = decode(data)  # the parent is trusted; it bounds its own requests
        asked["files"] = tuple(asked["files"])
        return ModelRequest(**asked)

    def _reply(self, request: int, fields: dict[str, JsonValue]) -> Frame:
        file = partial(self._folder.reply_file, request)
        return pack({"id": request, "kind": "reply"}, fields, file=file)


def serve(requests_fd: int, replies_fd: int) -> None:
    """Be a worker, from the first frame to the end of the pipe."""
    replies = Replies(replies_fd)
    incoming = Incoming(requests_fd, replies.send)
    first = incoming.first()
    if first is None:
        os._exit(0)
    watch = partial(leave_with_the_parent, requests_fd)
    threading.Thread(target=watch, daemon=True).start()
    config: Any = decode(first.body)
    model = _open_model(config["entry"], replies.send)
    if model is None:
        leave()
    serving = Serving(model, config, incoming, replies.send)
    for _ in range(1, config["parallel"]):
        threading.Thread(target=serving.work, daemon=True).start()
    serving.work()


def leave() -> NoReturn:
    """End this process, but not through the destructors of native libraries."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _open_model(entry: str, send: Send) -> LocalModel | None:
    made: list[LocalModel] = []

    def ready() -> Frame:
        made.append(open_entry(entry))
        return Frame(header={"id": 0, "kind": "ready"})

    send(_guarded(ready, 0))
    return made[0] if made else None


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
