# SPDX-License-Identifier: Apache-2.0
"""Who may ask: links that work once, the sessions that they open, wrong tokens counted.

State: the links not yet used, the open sessions, the times of wrong tokens. All of it is
in memory alone: with the process every token ends.
"""

import hmac
import secrets
import time
from collections import deque
from collections.abc import Callable
from typing import Final

_BYTES: Final = 32
_MOST_LINKS: Final = 64
_MOST_SESSIONS: Final = 256
_WRONG_A_MINUTE: Final = 60


class Tokens:
    """Makes tokens of 256 bits and knows them again; the oldest make way for new ones."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._links: deque[bytes] = deque(maxlen=_MOST_LINKS)
        self._sessions: deque[bytes] = deque(maxlen=_MOST_SESSIONS)
        self._wrong: deque[float] = deque(maxlen=_WRONG_A_MINUTE)
        self.key = secrets.token_hex(_BYTES)
        """What pages that signed in know this server by; nobody else knows it."""

    def new_link(self) -> str:
        """Return the token of a new link."""
        return _new(self._links)

    def open_session(self, link: str) -> str | None:
        """Return a session's token for a link's, which is worth nothing from now on."""
        found = _find(self._links, link.encode("utf-8", "replace"))
        if found is None:
            return None
        self._links.remove(found)
        return _new(self._sessions)

    def is_open(self, session: bytes) -> bool:
        """Whether this is the token of a session."""
        return _find(self._sessions, session) is not None

    def prove(self, nonce: str) -> str:
        """Return what only this server can make of a text that a page thought up."""
        return hmac.new(bytes.fromhex(self.key), nonce.encode(), "sha256").hexdigest()

    def count_wrong(self) -> bool:
        """Count a wrong token; return whether there were too many within a minute."""
        now = self._clock()
        is_full = len(self._wrong) == _WRONG_A_MINUTE
        is_flood = is_full and now - self._wrong[0] < 60
        self._wrong.append(now)
        return is_flood


def _new(tokens: deque[bytes]) -> str:
    token = secrets.token_urlsafe(_BYTES)
    tokens.append(token.encode())
    return token


def _find(tokens: deque[bytes], given: bytes) -> bytes | None:
    """Compare with every token, each in constant time."""
    found = None
    for each in tokens:
        if hmac.compare_digest(each, given):
            found = each
    return found
