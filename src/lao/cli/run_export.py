# SPDX-License-Identifier: Apache-2.0
"""`lao runs export N`: a run's sidecar, to standard output or a file."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from lao.cli.sidecar import lines_of_batch, sidecar
from lao.cli.terminal import open_lines, write_answer
from lao.config import Settings
from lao.errors import UsageError
from lao.history.kept_runs import find_run, open_history, read_run

if TYPE_CHECKING:
    from lao.store.opening import Store
    from lao.store.runs import RunRecord


def export(name: str, settings: Settings, out: Path | None, *, content: bool) -> int:
    """Write the sidecar of a run, or of a batch with all its items."""
    with open_history(settings) as store:
        pieces = _pieces(store, find_run(store, name), content=content)
        if out is None:
            for piece in pieces:
                write_answer(piece)
        else:
            _write_file(out, pieces)
    return 0


def _pieces(store: "Store", record: "RunRecord", *, content: bool) -> Iterator[str]:
    whole = sidecar(read_run(store, record), with_content=content)
    if record.kind != "batch":
        yield json.dumps(whole, ensure_ascii=False, indent=2) + "\n"
        return
    found = store.runs.item_counts(record.row).items()
    whole["counts"] = {str(status): count for status, count in found}
    items = (
        {"position": item.position}
        | sidecar(read_run(store, item), with_content=content)
        | ({"key": item.key, "output": item.output} if content else {})
        for item in store.runs.items(record.row)
    )
    yield from lines_of_batch(whole, items)


def _write_file(path: Path, pieces: Iterator[str]) -> None:
    with ExitStack() as stack:
        try:
            write = stack.enter_context(open_lines(path))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UsageError(
                "export.unwritable",
                f"cannot write {str(path)!r}: {reason}",
                mend="check the folder and its rights",
            ) from error
        for piece in pieces:
            write(piece)
