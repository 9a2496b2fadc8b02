# SPDX-License-Identifier: Apache-2.0
"""Turns timed segments of speech into text, subtitles or JSON. Pure."""

from collections.abc import Mapping, Sequence
from typing import Literal, assert_never, cast, get_args

from msgspec import Struct

from lao.errors import did_you_mean
from lao.workflow.inference import ModelProblem
from lao.workflow.values import JsonValue

Output = Literal["text", "segments", "srt", "vtt"]

_SENTENCE_ENDS = (".", "!", "?", "…", "\u3002", "\uff01", "\uff1f")
_FIRST_UNSPACED = "\u2e80"  # from here on, scripts that put no space between words


class Segment(Struct, frozen=True, kw_only=True):
    """What was said from `start` to `end`, in seconds of the recording."""

    start: float
    end: float
    text: str


def wanted_output(options: Mapping[str, JsonValue]) -> Output:
    """Return the option `output`, "text" where there is none.

    Raises:
        ModelProblem: `speech.unknown-output`.
    """
    wanted = options.get("output") or "text"
    if wanted in get_args(Output):
        return cast("Output", wanted)
    raise ModelProblem(
        "speech.unknown-output",
        f"a recording cannot be transcribed as {wanted!r}",
        mend=did_you_mean(str(wanted), get_args(Output)),
    )


def render(segments: Sequence[Segment], output: Output) -> JsonValue:
    """Return the segments in the wanted form: text, or a JSON list for "segments"."""
    match output:
        case "text":
            return to_text(segments)
        case "segments":
            return to_json(segments)
        case "srt":
            return to_srt(segments)
        case "vtt":
            return to_vtt(segments)
    assert_never(output)


def to_text(segments: Sequence[Segment]) -> str:
    """Return running text; a new line follows a segment that ends a sentence."""
    text = ""
    for segment in segments:
        words = _one_line(segment.text)
        if words:
            text += joint(text, words) + words
    return text


def joint(before: str, after: str) -> str:
    """Return what belongs between two pieces of text: a line break, a space, nothing."""
    if not before:
        return ""
    if before.endswith(_SENTENCE_ENDS):
        return "\n"
    unspaced = before[-1] >= _FIRST_UNSPACED or after[0] >= _FIRST_UNSPACED
    return "" if unspaced else " "


def to_json(segments: Sequence[Segment]) -> list[JsonValue]:
    """Return a list of `{"start", "end", "text"}`; times are rounded to 1 ms."""
    return [
        {"start": round(s.start, 3), "end": round(s.end, 3), "text": s.text}
        for s in segments
    ]


def to_srt(segments: Sequence[Segment]) -> str:
    """Return SubRip subtitles; "" if nothing was said."""
    cues = [
        f"{number}\n{_times(segment, ',')}\n{_cue_text(segment)}\n"
        for number, segment in enumerate(_cues(segments), start=1)
    ]
    return "\n".join(cues)


def to_vtt(segments: Sequence[Segment]) -> str:
    """Return WebVTT subtitles."""
    cues = [
        f"{_times(segment, '.')}\n{_escaped(_cue_text(segment))}\n"
        for segment in _cues(segments)
    ]
    return "\n".join(["WEBVTT\n", *cues])


def _cues(segments: Sequence[Segment]) -> list[Segment]:
    """Return the segments with words: an empty cue would swallow the next one."""
    return [segment for segment in segments if segment.text.strip()]


def _cue_text(segment: Segment) -> str:
    """Return the text without what a player would take for a new cue."""
    return _one_line(segment.text).replace("-->", "→")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _times(segment: Segment, decimal: str) -> str:
    return f"{_time(segment.start, decimal)} --> {_time(segment.end, decimal)}"


def _time(seconds: float, decimal: str) -> str:
    """Return `hh:mm:ss.mmm`; hours grow past two digits where they must."""
    milliseconds = max(0, round(seconds * 1000))
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{decimal}{rest % 1000:03}"
