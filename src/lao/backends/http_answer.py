# SPDX-License-Identifier: Apache-2.0
"""One HTTP/1.1 answer out of the bytes of it that have come: no I/O, strict, bounded.

llhttp reads (httptools), and refuses by itself: lengths that are doubled or no numbers,
a length beside chunks, folded fields, lines that end otherwise than in CR LF, control
characters. Refused here is what it takes and LAO has no use for: interim answers,
upgrades, codings other than `chunked`, other protocols and versions, endless heads.
"""

from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

_VERSIONS: Final = ("1.0", "1.1")
_FIRST: Final = ord("H")  # no blank lines first, nor the other protocols of llhttp


class MalformedAnswer(Exception):
    """What came is no answer, or none that LAO takes."""


class Answer:
    """What has come of an answer; `status` is 0 until its head is whole."""

    def __init__(self, limit: int) -> None:
        """`limit`: how many bytes may come that are no body (head, sizes, trailer)."""
        self._limit = limit
        self._parser = HttpResponseParser(self)
        self._since_body = 0
        self._parts: list[bytes] = []
        self._refusal = ""
        self._is_coded = False
        self._has_length = False
        self._keeps_alive = False
        self._has_surplus = False
        self.held = 0  # bytes of body that nobody has taken
        self.status = 0
        self.is_complete = False

    @property
    def can_be_followed(self) -> bool:
        """Whether the connection may serve on: all came, was taken, and no more."""
        return self._keeps_alive and not self._has_surplus and not self._parts

    def feed(self, data: memoryview) -> None:
        """Read on. What comes after the end is not looked at.

        Raises:
            MalformedAnswer: it is refused. What came before may still be taken.
        """
        self._check_start(data)
        self._since_body += len(data)
        try:
            # The last byte alone: what is complete before it has something behind it.
            self._parser.feed_data(data[:-1])
            self._has_surplus = self.is_complete
            self._parser.feed_data(data[-1:])
        except (HttpParserError, HttpParserUpgrade) as problem:
            self._has_surplus = True
            if not self.is_complete:
                raise MalformedAnswer(self._refusal or str(problem)) from problem
        if self._since_body > self._limit and not self.is_complete:
            raise MalformedAnswer(f"over {self._limit} bytes without a body")

    def take(self) -> bytes:
        """Return the body that has come since it was last taken."""
        taken = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        self.held = 0
        return taken

    def end_with_connection(self) -> bool:
        """Whether it is complete now that nothing more comes."""
        if self.status and not self._has_length and not self._is_coded:
            self.is_complete = True
        return self.is_complete

    # What llhttp calls. It reads on behind the end, as if for another answer.

    def on_status(self, reason: bytes) -> None:
        """Refuse control characters, which llhttp lets pass here alone."""
        printed = reason.replace(b"\t", b" ")
        if not self.is_complete and min(printed, default=32) < 32:
            self._refuse("a control character in the status line")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Look at the two fields that say how long the answer is, trailers included."""
        if self.is_complete:
            return
        match name.lower():
            case b"content-length":
                self._has_length = True
            case b"transfer-encoding":
                if self._is_coded or value.strip().lower() != b"chunked":
                    self._refuse("a coding other than chunked")
                self._is_coded = True
            case _:
                pass

    def on_headers_complete(self) -> None:
        """Take the status."""
        if self.is_complete:
            return
        status = self._parser.get_status_code()
        if self._parser.get_http_version() not in _VERSIONS:
            self._refuse("another version of HTTP")
        if status < 200:
            self._refuse("an answer that was not asked for")
        self.status = status

    def on_body(self, part: bytes) -> None:
        """Take a part of the body."""
        if part and not self.is_complete:
            self._parts.append(part)
            self.held += len(part)
            self._since_body = 0

    def on_message_complete(self) -> None:
        """Take note that all has come."""
        if not self.is_complete:
            self.is_complete = True
            is_current = self._parser.get_http_version() == "1.1"
            self._keeps_alive = is_current and self._parser.should_keep_alive()

    def _check_start(self, data: memoryview) -> None:
        if not self.status and not self._since_body and data[0] != _FIRST:
            raise MalformedAnswer("not HTTP")

    def _refuse(self, why: str) -> None:
        self._refusal = why
        raise MalformedAnswer(why)
