# SPDX-License-Identifier: Apache-2.0
"""Nodes of texts that were read before: parsing is what a known text saves.

What is kept is named by all that it follows from: the version of LAO, the name of the
source, and the text itself. Only right texts are kept: a wrong one is read anew, and
its problems found again.
"""

from hashlib import sha256
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from lao.workflow.nodes import Node

_FORMAT: Final = 1
"""Raised when the same text would give other nodes, within one version of LAO."""


class Keeper(Protocol):
    """Keeps bytes by name. What it lost, or never took, is made anew; nothing fails."""

    def find(self, name: str) -> bytes | None:
        """Return what was kept under a name."""

    def keep(self, name: str, content: bytes) -> None:
        """Keep content under a name, if that can be done."""


class KeptNodes(Struct, frozen=True):
    """Finds the nodes of a text in what `keeper` keeps; `version` is that of LAO."""

    keeper: Keeper
    version: str

    def find(self, text: str, source: str) -> Node | None:
        """Return the nodes of a text that was read before."""
        content = self.keeper.find(self._name(text, source))
        if content is None:
            return None
        try:
            return msgspec.msgpack.decode(content, type=Node)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None

    def keep(self, text: str, source: str, node: Node) -> None:
        """Keep the nodes of a text."""
        try:
            content = msgspec.msgpack.encode(node)
        except (OverflowError, ValueError):  # a number of over 64 bits: rare
            return
        self.keeper.keep(self._name(text, source), content)

    def _name(self, text: str, source: str) -> str:
        about = ascii((_FORMAT, self.version, source))  # a path need not be Unicode
        named = f"{about}\n{text}"
        return sha256(named.encode("utf-8", "surrogatepass")).hexdigest()
