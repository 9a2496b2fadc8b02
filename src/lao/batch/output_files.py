# SPDX-License-Identifier: Apache-2.0
"""The file of each item: its name is promised first, its content put there whole."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from lao.batch.job import Batch
from lao.batch.names import OutputNames
from lao.engine.saving import write_whole
from lao.errors import UsageError
from lao.events import value_to_json
from lao.planning.plan import Plan
from lao.workflow.values import FileValue, Value


class OutputFiles:
    """The files of one batch. `synced` files are on the disk when they are written."""

    def __init__(
        self, batch: Batch, is_promised: Callable[[str], bool], *, synced: bool
    ) -> None:
        self._folder = batch.folder
        self._wanted = batch.outputs
        self._synced = synced
        self._suffix = _suffix(batch.prepared.plan, batch.outputs)
        self._names = OutputNames(batch.folder or Path(), self._suffix, is_promised)

    def reserve(self, stem: str) -> str:
        """Promise a name to an item; "" if the batch writes no files."""
        return "" if self._folder is None else self._names.reserve(stem)

    def release(self, name: str) -> None:
        """Take back what `reserve` keeps in mind: the store or the disk knows it now."""
        self._names.release(name)

    def path(self, name: str) -> Path | None:
        """Return where the file of that name is."""
        return None if self._folder is None or not name else self._folder / name

    def is_there(self, name: str) -> bool:
        """Whether the file of that name is there."""
        path = self.path(name)
        return path is not None and path.exists()

    def wanted(self, outputs: Mapping[str, Value]) -> dict[str, Value]:
        """Return those of a run's outputs that are wanted."""
        return {name: outputs[name] for name in self._wanted if name in outputs}

    def write(self, name: str, outputs: Mapping[str, Value]) -> None:
        """Write the file of that name.

        Raises:
            FileExistsError: something else has taken the name meanwhile.
            OSError: the disk refuses.
        """
        path = self.path(name)
        if path is not None:
            data = self._content(outputs).encode("utf-8", "replace")
            write_whole(data, path, overwrite=False, synced=self._synced)

    def _content(self, outputs: Mapping[str, Value]) -> str:
        value: Value = dict(outputs)
        if len(self._wanted) == 1:
            (value,) = outputs.values()
        if self._suffix == ".json":
            text = json.dumps(value_to_json(value), ensure_ascii=False, indent=2)
        else:
            text = value.path if isinstance(value, FileValue) else str(value)
        return text if text.endswith("\n") else text + "\n"


def make_folder(folder: Path | None) -> None:
    """Make the folder for the files, if there are to be any.

    Raises:
        UsageError: it cannot be made.
    """
    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            "batch.bad-folder",
            f"{str(folder)!r} cannot be the folder for --out: {error.strerror}",
            mend="name a folder that can be made and written",
        ) from error


def _suffix(plan: Plan, wanted: tuple[str, ...]) -> str:
    """Return `.txt` where one text, or one file's path, is all there is to write."""
    if len(wanted) != 1:
        return ".json"
    kind = plan.output_types.get(wanted[0])
    return (
        ".txt"
        if kind is not None and (kind.kind == "text" or kind.is_file)
        else ".json"
    )
