# SPDX-License-Identifier: Apache-2.0
"""What is known of a run beside its events."""

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias, cast

from msgspec import Struct, field

from lao.store.codec import text_of
from lao.store.database import Row
from lao.workflow.values import Value

Status = Literal["running", "interrupted", "done", "failed", "cancelled"]
RunKind = Literal["run", "batch", "item"]

COLUMNS = (
    "row, number, id, kind, batch, position, key, output, workflow, source, started,"
    " ended, status,"
    " (SELECT b.number FROM run AS b WHERE b.row = run.batch),"
    " seconds, steps, coalesce(done, (SELECT count(*) FROM event"
    " WHERE event.run = run.row AND event.kind = 'step-finished'))"
)


class RunOrder(Struct, frozen=True, kw_only=True):
    """What a resume needs: what was to be done, and how.

    `workflow` is its YAML text, `base` the folder that its paths start from, `source`
    the file it came from or the words of a chain. `flags` are the command's.
    """

    workflow: str
    base: str
    source: str = ""
    source_digest: str = ""
    plan_digest: str = ""
    output_folder: str = "."
    flags: Mapping[str, Value] = field(default_factory=dict)


class NewRun(Struct, frozen=True, kw_only=True):
    """A run to be entered. `files` maps input files to the SHA-256 of their content.

    An item has the row of its `batch`, its `position` there (from 1), the `key` of its
    input and the `output` file it makes.
    """

    id: str
    workflow: str
    started: float
    kind: RunKind = "run"
    source: str = ""
    order: RunOrder | None = None
    inputs: Mapping[str, Value] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    batch: int | None = None
    position: int = 0
    key: str = ""
    output: str = ""


class RunRecord(NamedTuple):
    """A run as it is listed, in the order of `COLUMNS`. `row` is never used again.

    `number` is what people call it; an item has none but its batch's and a position.
    `seconds` is how long it was carried out; `steps_done` of its `steps` are done.

    A named tuple: a list makes ten thousand, in a fifth of a frozen dataclass' time.
    """

    row: int
    number: int | None
    id: str
    kind: RunKind
    batch: int | None
    position: int
    key: str
    output: str
    workflow: str
    source: str
    started: float
    ended: float | None
    status: Status
    batch_number: int | None = None
    seconds: float = 0.0
    steps: int | None = None
    steps_done: int = 0

    @property
    def name(self) -> str:
        """Return what the command line calls it: `18`, or `18.37` for an item."""
        if self.number is None:
            return f"{self.batch_number}.{self.position}"
        return str(self.number)


def begun(new: NewRun, row: int, number: int | None) -> RunRecord:
    """Return the record of a run that was just entered."""
    return RunRecord(
        row=row,
        number=number,
        id=new.id,
        kind=new.kind,
        batch=new.batch,
        position=new.position,
        key=new.key,
        output=new.output,
        workflow=new.workflow,
        source=new.source,
        started=new.started,
        ended=None,
        status="running",
    )


class Removed(Struct, frozen=True, kw_only=True):
    """How much was removed."""

    runs: int = 0
    items: int = 0
    results: int = 0


_Columns: TypeAlias = (
    "tuple[int, int | None, str, RunKind, int | None, int, str, str, str, str, float,"
    " float | None, Status, int | None, float, int | None, int]"
)


def record_of(row: Row, *, is_interrupted: bool) -> RunRecord:
    """Return the record in a row of `COLUMNS`."""
    if bytes in map(type, row):  # a text that UTF-8 cannot say
        row = tuple(text_of(each) if isinstance(each, bytes) else each for each in row)
    record = RunRecord(*cast("_Columns", row))
    return record._replace(status="interrupted") if is_interrupted else record
