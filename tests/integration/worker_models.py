# SPDX-License-Identifier: Apache-2.0
"""Models for the worker tests, most of them hostile; they run in worker processes.

The hostile ones find the pipe's numbers where anybody would: in `sys.argv`.
"""

import json
import os
import resource
import signal
import struct
import sys
import threading
import time
from pathlib import Path

from lao.workflow.inference import ModelDescription, ModelProblem, ModelReply

REPLIES_FD = int(sys.argv[3]) if len(sys.argv) > 3 else -1
PREFIX = struct.Struct(">II")


def frame(header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return PREFIX.pack(len(text), len(body)) + text + body


def write(data):
    view = memoryview(data)
    while view:
        view = view[os.write(REPLIES_FD, view) :]


def wait_for_ever():
    while True:
        time.sleep(60)


def text_reply(value):
    return ModelReply(value=value, made_by="test")


class Echo:
    def load(self, options):
        self.options = dict(options)

    def describe(self):
        return ModelDescription(name="echo", details=self.options)

    def infer(self, request, report):
        return text_reply(request.prompt)


class Facts(Echo):
    """Says what a worker sees of its surroundings."""

    def infer(self, request, report):
        facts = {
            "pid": os.getpid(),
            "group": os.getpgrp(),
            "environment": dict(os.environ),  # noqa: TID251  (what it tests)
            "cwd": str(Path.cwd()),
            "mode": Path.cwd().stat().st_mode & 0o777,
            "path": sys.path,
            "argv": sys.argv,
            "stdin": os.read(0, 10).decode(),
            "descriptors": [
                str(Path(f"/proc/self/fd/{n}").readlink()) for n in descriptors()
            ],
            "core": resource.getrlimit(resource.RLIMIT_CORE),
            "files": resource.getrlimit(resource.RLIMIT_NOFILE),
        }
        return text_reply(facts)


def descriptors():
    found = []
    for name in range(256):
        try:
            os.fstat(name)
        except OSError:
            continue
        found.append(name)
    return found


class Pieces(Echo):
    def infer(self, request, report):
        for number in range(2000):
            report.text(f"{number} ")
            report.progress(number + 1, 2000, "s")
        return text_reply("done")


class Large(Echo):
    def infer(self, request, report):
        return text_reply("x" * int(request.input))


class Crash(Echo):
    """`prompt` says how; the last words are on stderr."""

    def infer(self, request, report):
        if request.prompt:
            sys.stderr.write("\x1b[31mbad\x07 weights\x1b[0m\n")
        match request.prompt:
            case "exit":
                os._exit(3)
            case "segfault":
                os.kill(os.getpid(), signal.SIGSEGV)
                wait_for_ever()  # another thread takes the signal
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
        return text_reply("alive")


class Raises(Echo):
    def infer(self, request, report):
        match request.prompt:
            case "problem":
                raise ModelProblem(
                    "test.no-voice", "no\x1b[2J voice", mend="speak", unavailable=True
                )
            case "memory":
                raise MemoryError
            case "exit":
                sys.exit(4)
            case "nan":
                return text_reply(float("nan"))
            case "not-a-reply":
                return {"value": 1}
            case "fine":
                return text_reply("fine")
        raise ValueError("bad \x1b]0;title\x07weights")


class MissingExtra(Echo):
    def load(self, options):
        raise ModuleNotFoundError("No module named 'xllamacpp'", name="xllamacpp.sub")


class Hang(Echo):
    """Ignores everything."""

    def infer(self, request, report):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        report.progress(0, 1, "started")
        wait_for_ever()


class Obedient(Echo):
    def infer(self, request, report):
        report.progress(0, 1, "started")
        while not report.cancelled:
            time.sleep(0.005)
        return text_reply("stopped")


class Patient(Echo):
    """Works until a file appears, in a folder that it may read."""

    def infer(self, request, report):
        report.progress(0, 1, "started")
        while not Path(request.input).exists():
            time.sleep(0.005)
        return text_reply("patience")


class Choosy(Echo):
    """Waits for its file if it has one, or else for its cancellation."""

    def infer(self, request, report):
        return (Patient if request.input else Obedient)().infer(request, report)


class Flood(Echo):
    def infer(self, request, report):
        while True:
            report.text("flood " * 1000)


class Printer(Echo):
    def infer(self, request, report):
        os.write(1, b"noise\n" * 50_000)
        os.write(2, b"\xff\x00" * 50_000)
        sys.stdout.write("\x00\x00\x00\x05more")
        return text_reply(request.prompt)


class Hog(Echo):
    def infer(self, request, report):
        held = []
        while True:
            held.append(bytearray(b"x") * (8 << 20))
            time.sleep(0.01)


class Threads(Echo):
    """Starts as many threads as `input` says, or as it can."""

    def infer(self, request, report):
        for _ in range(request.input):
            threading.Thread(target=wait_for_ever, daemon=True).start()
        wait_for_ever()


class Reader(Echo):
    """Says what its files hold, and whether it could change them or more."""

    def infer(self, request, report):
        said = {"input": request.input, "texts": [], "refused": []}
        for path in request.files:
            said["texts"].append(Path(path).read_text())
            for mode in ("a", "r+"):
                try:
                    Path(path).open(mode).close()
                except OSError as error:
                    said["refused"].append(error.errno)
        return text_reply(said)


class Complains(Echo):
    def infer(self, request, report):
        raise ModelProblem("test.bad-file", f"{request.files[0]} is odd")


class FillsScratch(Echo):
    def infer(self, request, report):
        Path("big").write_bytes(b"x" * (600 << 10))
        Path("big2").write_bytes(b"x" * (600 << 10))
        wait_for_ever()


class LeavesLocked(Echo):
    def infer(self, request, report):
        Path("locked").mkdir()
        Path("locked/inner").mkdir(mode=0)
        return text_reply(str(Path.cwd()))


def reply_frame(request=1, fields=None):
    found = {"value": "x", "made_by": "t", "notes": []}
    found |= {"tokens_in": None, "tokens_out": None, "seconds": None}
    body = json.dumps(found if fields is None else fields).encode()
    return frame({"id": request, "kind": "reply"}, body)


IN_FILE = frame({"id": 1, "kind": "reply", "in_file": True})
PROGRESS = {"id": 1, "kind": "progress", "done": "all", "total": 1, "unit": ""}
BAD_FRAMES = {
    "4-gib-header": b"\xff\xff\xff\xff\x00\x00\x00\x00{}",
    "4-gib-body": b"\x00\x00\x00\x02\xff\xff\xff\xff{}",
    "not-json": frame(b"{nonsense"),
    "nan": frame(b'{"id": NaN}'),
    "not-an-object": frame(b"[]"),
    "nested": frame(b'{"id":' + b"[" * 500_000),
    "wrong-id": reply_frame(77),
    "boolean-id": reply_frame(True),
    "no-kind": frame({"id": 1}),
    "wrong-body": reply_frame(fields={"value": 1}),
    "pickle": frame({"id": 1, "kind": "reply"}, b"\x80\x04N."),
    "text-not-utf8": frame({"id": 1, "kind": "text"}, b"\xff\xfe"),
    "endless-amount": frame(PROGRESS),
    "no-file": IN_FILE,
    "second-name": IN_FILE,
    "folder": IN_FILE,
    "truncated": frame({"id": 1, "kind": "text"}, b"abc")[:-1],
    "twice": reply_frame() * 2,
}


class BadFrames(Echo):
    """Writes what `prompt` names where a reply is due; request ids start at 1."""

    def infer(self, request, report):
        if request.prompt == "second-name":
            Path("first-name").touch()
            Path("reply-1.json").hardlink_to("first-name")
        if request.prompt == "folder":
            Path("reply-1.json").mkdir()
        write(BAD_FRAMES[request.prompt])
        if request.prompt == "truncated":
            os.close(REPLIES_FD)
        wait_for_ever()


class HugeFile(Echo):
    """Announces a reply in a sparse file past the output limit."""

    def infer(self, request, report):
        with Path("reply-1.json").open("wb") as file:
            file.truncate(64 << 20)
        write(frame({"id": 1, "kind": "reply", "in_file": True}))
        wait_for_ever()
