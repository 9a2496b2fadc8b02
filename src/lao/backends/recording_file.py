# SPDX-License-Identifier: Apache-2.0
"""Recordings as files: which one is meant, is it one, and what format it has.

The content decides, never the name: people rename files. Standard library only,
since both the orchestrator and the workers look.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from msgspec import Struct

from lao.files import ABSENT, NotRegularError, open_regular
from lao.workflow.inference import ModelProblem, ModelRequest

_HEAD = 512
_MATROSKA = b"\x1aE\xdf\xa3"
_ASF = b"0&\xb2u\x8ef\xcf\x11"
_WAVE64 = b"riff.\x91\xcf\x11"


class AudioFormat(Struct, frozen=True, kw_only=True):
    """A format; `demuxer` is ffmpeg's name for it where LAO cannot read it alone."""

    name: str
    demuxer: str | None = None


_BY_START = (
    (b"fLaC", AudioFormat(name="flac")),
    (b"ID3", AudioFormat(name="mp3")),
    (b".snd", AudioFormat(name="au")),
    (_WAVE64, AudioFormat(name="w64")),
    (b"caff", AudioFormat(name="caf", demuxer="caf")),
    (_MATROSKA, AudioFormat(name="webm or mkv", demuxer="matroska")),
    (_ASF, AudioFormat(name="wma", demuxer="asf")),
    (b"#!AMR", AudioFormat(name="amr", demuxer="amr")),
    (b"FLV\x01", AudioFormat(name="flv", demuxer="flv")),
)
_BY_TYPE = {
    (b"RIFF", b"WAVE"): AudioFormat(name="wav"),
    (b"RF64", b"WAVE"): AudioFormat(name="wav"),
    (b"RIFF", b"AVI "): AudioFormat(name="avi", demuxer="avi"),
    (b"FORM", b"AIFF"): AudioFormat(name="aiff"),
    (b"FORM", b"AIFC"): AudioFormat(name="aiff"),
}


def recording_of(request: ModelRequest) -> str:
    """Return the absolute path of the recording that a request is about.

    Raises:
        ModelProblem: `audio.no-recording`.
    """
    given = (
        request.input if request.input is not None else next(iter(request.files), "")
    )
    if isinstance(given, str) and Path(given).is_absolute():
        return given
    raise ModelProblem(
        "audio.no-recording",
        "the step gives its speech model no recording",
        mend='give the path of an audio file, as in `input: "{{ inputs.recording }}"`',
    )


@contextmanager
def open_recording_file(path: str) -> Iterator[tuple[FileIO, AudioFormat]]:
    """Open a recording, at its start, and tell its format.

    Raises:
        ModelProblem: `audio.file-missing`, `.unreadable`, `.not-a-file`, `.empty`,
            `.not-audio`.
    """
    with _open_regular(path) as file:
        head = file.read(_HEAD)
        if not head:
            raise ModelProblem(
                "audio.empty",
                f"the recording {path!r} is empty: 0 bytes",
                mend="record or copy it again",
            )
        found = sniff(head)
        if found is None:
            raise ModelProblem(
                "audio.not-audio",
                f"{path!r} is not a recording: its content has no audio format "
                "that LAO knows",
                mend="give a wav, flac, mp3, ogg, m4a, webm or mp4 file",
            )
        file.seek(0)
        yield file, found


def sniff(head: bytes) -> AudioFormat | None:
    """Tell the format from the first bytes of a file; None if it is not audio."""
    for start, found in _BY_START:
        if head.startswith(start):
            return found
    if head.startswith(b"OggS"):
        return _ogg(head)
    if head[4:8] == b"ftyp":
        return AudioFormat(name="m4a or mp4", demuxer="mov")
    return _BY_TYPE.get((head[:4], head[8:12])) or _mpeg(head)


def _ogg(head: bytes) -> AudioFormat:
    if b"OpusHead" in head or b"\x01vorbis" in head or b"\x7fFLAC" in head:
        return AudioFormat(name="ogg")
    return AudioFormat(name="ogg", demuxer="ogg")  # speex, or a film


def _mpeg(head: bytes) -> AudioFormat | None:
    """Tell an MPEG audio frame by its header: sync, version, layer, rates."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    if layer == 0:
        adts = head[1] & 0xF6 == 0xF0
        return AudioFormat(name="aac", demuxer="aac") if adts else None
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or bitrate == 15 or rate == 3:
        return None
    return AudioFormat(name="mp3")


def _open_regular(path: str) -> FileIO:
    """Open a recording, unbuffered: others read by its descriptor."""
    try:
        return open_regular(path)
    except NotRegularError as error:
        raise ModelProblem(
            "audio.not-a-file",
            f"{path!r} is not a regular file",
            mend="give the path of the recording itself",
        ) from error
    except ABSENT as error:
        raise ModelProblem(
            "audio.file-missing",
            f"there is no file {path!r}",
            mend="check the path of the recording",
        ) from error
    except (OSError, ValueError) as error:
        raise ModelProblem(
            "audio.unreadable",
            f"the recording {path!r} cannot be opened: {error}",
            mend="check the path and its permissions",
        ) from error
