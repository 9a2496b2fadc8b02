# SPDX-License-Identifier: Apache-2.0
"""The folder that was opened: what lies below it, and nothing else, can be reached.

Paths are relative to it, with "/". Hidden names are neither listed nor opened.
"""

import errno
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

from lao.editor.journal import has_unsaved, journalled_name
from lao.editor.material import MaterialType, material_type
from lao.errors import UsageError
from lao.files import mark_of, open_beneath
from lao.workflow.source import LARGEST_DOCUMENT

WORKFLOW_SUFFIXES: Final = (".yaml", ".yml")
MOST_FILES: Final = 2_000
_MOST_ENTRIES: Final = 20_000
_DEEPEST: Final = 8
_TOP: Final = 8 << 10  # bytes that are looked at to know a workflow
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PROMISING = re.compile(
    rb"""^(?:\xef\xbb\xbf)?(?:\{\s*|\s*(?="))?["']?(?:lao|steps)["']?\s*:""",
    re.MULTILINE,
)
_PASSED_BY: Final = frozenset(
    ["__pycache__", "build", "dist", "env", "node_modules", "site-packages", "venv"]
)


class FoundFile(Struct, frozen=True, kw_only=True):
    """A file below the folder; `mark` changes when its content does."""

    path: str
    size: int
    modified: float
    mark: str
    type: MaterialType


class Listing(Struct, frozen=True, kw_only=True):
    """What lies below the folder; not `is_whole` if there is more than is listed.

    Among the workflows are files that are gone, if something of them is unsaved here.
    """

    workflows: tuple[FoundFile, ...]
    material: tuple[FoundFile, ...]
    is_whole: bool


class Folder:
    """A folder, with all symbolic links of its own path followed.

    State: which files were found to be workflows, by their marks.

    Raises:
        UsageError: it is no folder, or may not be read.
    """

    def __init__(self, root: Path) -> None:
        try:
            self.root = root.resolve(strict=True)
            os.scandir(self.root).close()
        except (OSError, RuntimeError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UsageError(
                "editor.bad-folder",
                f"the folder {str(root)!r} cannot be opened: {reason}",
                mend="name a folder that is there and can be read",
            ) from error
        self._known: dict[str, tuple[str, bool]] = {}

    def resolve(self, path: str) -> Path:
        """Return where a path leads, as it was named; the file need not be there.

        Raises:
            UsageError: it is no path below the folder, or leads out of it.
        """
        parts = path.split("/")
        if _CONTROL.search(path) or any(not p or p.startswith(".") for p in parts):
            raise UsageError(
                "editor.bad-path",
                f"{path!r} is no path of a file in the folder",
                mend="name a file below the folder, with '/' between the parts",
            )
        found = self.root.joinpath(*parts)
        self.real(found)
        return found

    def real(self, path: Path) -> Path:
        """Return the file that a path leads to once its symbolic links are followed.

        Raises:
            UsageError: it lies outside of the folder.
        """
        try:
            real = path.resolve(strict=True)
        except RuntimeError as error:  # links that lead in a circle, before Python 3.13
            raise self._outside(path) from error
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise self._outside(path) from error
            real = path.resolve()  # what is not there has a place all the same
        if self.root not in real.parents:
            raise self._outside(path)
        return real

    def _outside(self, path: Path) -> UsageError:
        return UsageError(
            "editor.outside-folder",
            f"{self.relative(path)!r} leads out of the folder",
            mend="copy the file into the folder, or open the folder it lies in",
        )

    def relative(self, path: Path) -> str:
        """Return a file's path as the page names it; "" if it lies elsewhere."""
        if not path.is_relative_to(self.root):
            return ""
        return path.relative_to(self.root).as_posix()

    def listed(self) -> Listing:
        """List what lies below: folders are walked level by level, bounded."""
        walk = _Walk(self)
        workflows: list[FoundFile] = []
        material: list[FoundFile] = []
        known: dict[str, tuple[str, bool]] = {}
        for file in walk.files():
            is_workflow = self._is_workflow(file)
            known[file.path] = file.mark, is_workflow
            (workflows if is_workflow else material).append(file)
        self._known = known
        return Listing(
            workflows=tuple(sorted([*workflows, *walk.lost], key=_place)),
            material=tuple(sorted(material, key=_place)),
            is_whole=walk.is_whole,
        )

    def _is_workflow(self, file: FoundFile) -> bool:
        if not file.path.endswith(WORKFLOW_SUFFIXES):
            return False
        mark, is_workflow = self._known.get(file.path, ("", False))
        if mark == file.mark:
            return is_workflow
        try:
            real = self.relative(self.real(self.root / file.path))
            with open_beneath(self.root, real, limit=LARGEST_DOCUMENT) as top:
                return _PROMISING.search(top.read(_TOP)) is not None
        except (OSError, ValueError, UsageError):
            return False


class _Walk:
    """One walk through a folder. State: how much was seen."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._entries = 0
        self.is_whole = True
        self.lost: list[FoundFile] = []

    def files(self) -> Iterator[FoundFile]:
        """Yield the regular files, those nearest to the top first."""
        level, depth, count = [""], 0, 0
        while level:
            below: list[str] = []
            for prefix in level:
                for entry in self._listed(prefix):
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name not in _PASSED_BY:
                            below.append(f"{prefix}{entry.name}/")
                        continue
                    found = self._file(prefix, entry)
                    if found is None:
                        continue
                    count += 1
                    if count > MOST_FILES:
                        self.is_whole = False
                        return
                    yield found
            depth += 1
            if depth > _DEEPEST and below:
                self.is_whole = False
                return
            level = below

    def _listed(self, prefix: str) -> list[os.DirEntry[str]]:
        found: dict[str, os.DirEntry[str]] = {}
        try:
            with os.scandir(self._folder.root / prefix) as listing:
                for entry in listing:
                    self._entries += 1
                    if self._entries > _MOST_ENTRIES:
                        self.is_whole = False
                        break
                    if not _CONTROL.search(entry.name):
                        found[entry.name] = entry
        except OSError:  # it may not be read, or has just gone
            self.is_whole = False
        self._note_lost(prefix, found)
        return [found[name] for name in sorted(found) if not name.startswith(".")]

    def _note_lost(self, prefix: str, found: Mapping[str, os.DirEntry[str]]) -> None:
        """Note files that are gone while their journals hold what was never saved."""
        for journal in found.values():
            name = journalled_name(journal.name)
            if not name or name in found or not self.is_whole:
                continue
            with suppress(OSError):
                if has_unsaved(Path(journal.path).with_name(name)):
                    self.lost.append(_found(f"{prefix}{name}", journal.stat()))

    def _file(self, prefix: str, entry: os.DirEntry[str]) -> FoundFile | None:
        """Return a regular file; a link counts if it leads to one below the folder."""
        try:
            if entry.is_symlink():
                self._folder.real(Path(entry.path))
            if not entry.is_file():
                return None
            return _found(prefix + entry.name, entry.stat())
        except (OSError, UsageError):
            return None


def _found(path: str, found: os.stat_result) -> FoundFile:
    return FoundFile(
        path=path,
        size=found.st_size,
        modified=found.st_mtime,
        mark=mark_of(found),
        type=material_type(path),
    )


def _place(file: FoundFile) -> tuple[str, str]:
    """Return what sorts a folder's files before those of the folders in it."""
    folder, _, name = file.path.rpartition("/")
    return folder, name
