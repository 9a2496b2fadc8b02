# SPDX-License-Identifier: Apache-2.0
"""What the editor's page is told of a folder and its workflow files.

The page's TypeScript types and the API's description are made from these classes.
"""

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

if TYPE_CHECKING:
    from lao.workflow.values import JsonValue

    Json: TypeAlias = JsonValue
else:
    Json = Any  # msgspec takes no recursive types: whatever JSON can hold


class Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One JSON object between page and server; unknown keys are refused."""


class ProblemView(Message, frozen=True, kw_only=True):
    """One thing that is wrong. Lines and columns count from 1; 0 means unknown.

    `step` is the step it stands in, "" for none. A note is not in the way of a run.
    """

    code: str
    what: str
    mend: str = ""
    line: int = 0
    column: int = 0
    step: str = ""
    severity: Literal["problem", "note"] = "problem"


class PortView(Message, frozen=True, kw_only=True):
    """A place that takes a value: `type` as a file writes it, None for anything.

    A port that takes several types has " | " between them, the usual one first:
    "text | json | image". `name` is the key it writes: "input", "prompt", "with.text",
    "system", "options", "for_each", "when".
    """

    name: str
    label: str
    type: str | None = None
    is_required: bool = False


class StepView(Message, frozen=True, kw_only=True):
    """A step as the file writes it (`data`), with its ports.

    `sort` is "unknown" for what this LAO does not know: shown, never changed.
    `model` labels the first engine that would answer; `output` is a type.
    """

    id: str
    line: int
    sort: Literal["model", "recipe", "plugin", "reshape", "unknown"]
    title: str
    model: str = ""
    data: dict[str, Json]
    inputs: list[PortView] = []
    output: str | None = None
    position: tuple[int, int] | None = None


class InputView(Message, frozen=True, kw_only=True):
    """An input of the workflow. `default` as the file writes it."""

    name: str
    type: str
    description: str = ""
    default: Json = None
    is_required: bool = True
    position: tuple[int, int] | None = None


class EdgeView(Message, frozen=True, kw_only=True):
    """A connection. `source` is a step, or "inputs.NAME"; `port` one of the target's.

    A wait carries no data; its port is "".
    """

    source: str
    target: str
    port: str = ""
    kind: Literal["data", "wait"] = "data"


class BoxView(Message, frozen=True, kw_only=True):
    """A note, or a group's frame, that a person drew."""

    id: str
    kind: Literal["note", "group"]
    x: int
    y: int
    width: int
    height: int
    text: str


class OutputView(Message, frozen=True, kw_only=True):
    """A named output of the workflow."""

    name: str
    template: str
    reads: list[str] = []


class DocumentView(Message, frozen=True, kw_only=True):
    """An open workflow file. `version` grows with every change of its text.

    `undo` and `redo` say what they would take back or do again; None where nothing
    is left. `read_only` says why the file cannot be changed, "" if it can.
    `is_conflicting`: the file changed elsewhere, and here too.
    """

    path: str
    version: int
    text: str
    name: str
    description: str = ""
    is_saved: bool
    is_conflicting: bool = False
    read_only: str = ""
    undo: str | None = None
    redo: str | None = None
    inputs: list[InputView] = []
    steps: list[StepView] = []
    edges: list[EdgeView] = []
    boxes: list[BoxView] = []
    outputs: list[OutputView] = []
    models: dict[str, Json] = {}
    problems: list[ProblemView] = []


class FileView(Message, frozen=True, kw_only=True):
    """A workflow file below the folder; `modified` in seconds since 1970."""

    path: str
    modified: float
    size: int
    is_open: bool = False
    has_unsaved: bool = False


class MaterialView(Message, frozen=True, kw_only=True):
    """A file below the folder that can be given to a workflow."""

    path: str
    type: Literal["audio", "image", "document", "file", "text"]
    size: int


class FolderView(Message, frozen=True, kw_only=True):
    """What lies below the folder, as far as is listed."""

    files: list[FileView]
    material: list[MaterialView]
    is_whole: bool = True
