# SPDX-License-Identifier: Apache-2.0
"""What workers and programs wrote is read as what it must be, or refused at once.

Locked ones can make hardly any of this; the reader does not count on it.
"""

import os
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from lao.backends.recordings import _has_content
from lao.backends.whisper_cli import _read, _segments
from lao.errors import StepError
from lao.workers.frames import Frame
from lao.workers.payload import unpack
from lao.workers.programs import ProgramEnd
from lao.workers.strict_json import FrameError

END = ProgramEnd(code=0, lines=())
IN_FILE = Frame(header={"in_file": True})
LIMIT = 1 << 20


def link_to_a_file(path):
    path.with_name("secret").write_text('{"transcription": []}')
    path.symlink_to("secret")


def second_name(path):
    path.with_name("secret").write_text('{"transcription": []}')
    path.hardlink_to(path.with_name("secret"))


def sparse(path):
    with path.open("wb") as file:
        file.truncate(1 << 40)


LEFT = {
    "nothing": lambda path: None,
    "a link": link_to_a_file,
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to a process": lambda path: path.symlink_to("/proc/self/environ"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a second name": second_name,
    "a folder": Path.mkdir,
    "a FIFO": os.mkfifo,
    "a sparse file": sparse,
}


@pytest.fixture(params=LEFT)
def left(request, tmp_path):
    """Return the path where something waits that is no file of its writer's own."""
    LEFT[request.param](tmp_path / "left.json")
    return tmp_path / "left.json"


def test_a_transcript_is_a_file_of_its_own(left):
    with pytest.raises(StepError) as refused:
        _read(left, END)
    assert refused.value.code == "whisper.cli-failed"


def test_a_converted_recording_is_a_file_of_its_own(left):
    assert not _has_content(left)


def test_a_long_reply_is_a_file_of_its_own(left):
    with pytest.raises(FrameError):
        unpack(IN_FILE, file=left, limit=LIMIT)


def test_what_they_should_write_is_read(tmp_path):
    path = tmp_path / "left.json"
    path.write_text('{"transcription": []}')
    assert _read(path, END) == {"transcription": []}
    assert _has_content(path)
    assert unpack(IN_FILE, file=path, limit=LIMIT) == {"transcription": []}


@pytest.mark.parametrize(
    "text",
    [
        b"\x80\x04N.",
        b"[" * 100_000,
        b'{"transcription": NaN}',
        b'{"transcription": [{"offsets": {"from": %s, "to": 1}, "text": ""}]}' % (b"9" * 400),
        b'{"transcription": [{"offsets": {"from": 1e999, "to": 1}, "text": ""}]}',
    ],
)  # fmt: skip
def test_a_hostile_transcript_is_a_failure_of_the_program(tmp_path, text):
    (tmp_path / "t.json").write_bytes(text)
    with pytest.raises(StepError) as refused:
        _segments(_read(tmp_path / "t.json", END), END)
    assert refused.value.code == "whisper.cli-failed"


NUMBERS = st.integers(-(10**39), 10**39) | st.booleans() | st.floats() | st.text()
ITEMS = st.fixed_dictionaries(
    {},
    optional={
        "offsets": st.fixed_dictionaries({"from": NUMBERS, "to": NUMBERS}) | st.none(),
        "text": st.text() | st.integers(),
    },
)


@given(st.lists(ITEMS | st.none(), max_size=4))
def test_the_times_of_a_transcript_never_run_backwards(items):
    try:
        segments = _segments({"transcription": items}, END)
    except StepError:
        return
    times = [time for each in segments for time in (each.start, each.end)]
    assert times == sorted(times)
