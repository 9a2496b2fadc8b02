# SPDX-License-Identifier: Apache-2.0
"""The arguments of bubblewrap: namespaces of its own, and a root that holds few paths.

What is not bound into that root has no name there: not its content alone is out of
reach, but its size, its times, and whether it exists.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct, field

_NAMESPACES: Final = ("--unshare-all", "--die-with-parent", "--cap-drop", "ALL")
_MOST_LINKS: Final = 40  # what the kernel follows


class _Root(Struct):
    """The paths of the new root: bound ones, and the links that lead to them."""

    links: dict[str, str] = field(default_factory=dict)
    bound: set[str] = field(default_factory=set)

    def add(self, path: str) -> None:
        """Add what a path leads to, and every link on the way; nothing if it is absent."""
        links: dict[str, str] = {}
        found = _follow(path, links)
        if found is not None and os.path.lexists(found):
            self.links.update(links)
            self.bound.add(found)

    def arguments(self) -> Iterator[str]:
        """Yield links, then binds; a folder before what lies in it."""
        kept: list[str] = []
        for path in sorted(self.bound, key=_parts):
            if not any(_is_in(path, folder) for folder in kept):
                kept.append(path)
        for link, target in self.links.items():
            if not any(_is_in(link, folder) for folder in kept):
                yield from ("--symlink", target, link)
        for path in kept:
            is_device = path.startswith("/dev/")
            yield from ("--dev-bind" if is_device else "--ro-bind", path, path)


def bwrap_arguments(
    readable: Iterable[str], *, scratch: str, inbox: str
) -> Sequence[str]:
    """Return the arguments that go before the command.

    `readable` is seen and cannot be changed, `scratch` can. There is a /proc of the
    new process namespace, the few devices among `readable`, and no network.
    """
    root = _Root()
    for path in readable:
        if not _is_in(path, "/proc"):
            root.add(path)
    return (
        *_NAMESPACES,
        *root.arguments(),
        *("--proc", "/proc"),
        *("--ro-bind", inbox, inbox),
        *("--bind", scratch, scratch),
        *("--remount-ro", "/"),
        *("--chdir", scratch),
    )


def _follow(path: str, links: dict[str, str]) -> str | None:
    """Return the real path, noting every link on the way; None if it has no end."""
    for _ in range(_MOST_LINKS):
        parts = _parts(os.path.normpath(path))
        at = ""
        for number, part in enumerate(parts, start=1):
            target = _target(f"{at}/{part}")
            if target is not None:
                links[f"{at}/{part}"] = target
                path = os.path.join(at or "/", target, *parts[number:])  # noqa: PTH118
                break
            at = f"{at}/{part}"
        else:
            return at or "/"
    return None


def _target(path: str) -> str | None:
    try:
        return os.readlink(path)  # noqa: PTH115  (a link to ".." must stay as it is)
    except OSError:
        return None


def _parts(path: str) -> tuple[str, ...]:
    return tuple(filter(None, path.split("/")))


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
