# SPDX-License-Identifier: Apache-2.0
"""What the page may ask of an open file, and what it is answered."""

from typing import Literal

from lao.editor.messages import DocumentView, Json, Message


class SetValueEdit(
    Message, frozen=True, kw_only=True, tag="set-value", tag_field="kind"
):
    """Put a value in a place: ["steps", ID, "options", "temperature"]."""

    path: list[str | int]
    value: Json


class RemoveValueEdit(
    Message, frozen=True, kw_only=True, tag="remove-value", tag_field="kind"
):
    """Take a key, or an element of a list, away."""

    path: list[str | int]


class InsertEdit(Message, frozen=True, kw_only=True, tag="insert", tag_field="kind"):
    """Add a step from the palette; connected from `source`, if that fits.

    It comes behind `after`, or last. The reply names it.
    """

    entry: str
    x: int | None = None
    y: int | None = None
    after: str | None = None
    source: str | None = None


class PasteEdit(Message, frozen=True, kw_only=True, tag="paste", tag_field="kind"):
    """Add copies of steps as a file writes them; those that clash get new ids.

    Links between the copies lead to the copies. `positions` by the ids given.
    """

    steps: list[dict[str, Json]]
    positions: dict[str, tuple[int, int]] = {}
    connections: list[tuple[str, str]] = []


class RemoveStepEdit(
    Message, frozen=True, kw_only=True, tag="remove-step", tag_field="kind"
):
    """Take a step away."""

    id: str


class RenameStepEdit(
    Message, frozen=True, kw_only=True, tag="rename-step", tag_field="kind"
):
    """Give a step another id, wherever it is read."""

    old: str
    new: str


class MoveStepEdit(
    Message, frozen=True, kw_only=True, tag="move-step", tag_field="kind"
):
    """Put a step behind another in the file, or first."""

    id: str
    after: str | None = None


class ConnectEdit(Message, frozen=True, kw_only=True, tag="connect", tag_field="kind"):
    """Let a port read a step or "inputs.NAME"; port "" lets the step only wait.

    "+1" stands for what the same request has added first, and so on.
    """

    source: str
    target: str
    port: str = ""


class DisconnectEdit(
    Message, frozen=True, kw_only=True, tag="disconnect", tag_field="kind"
):
    """Take a connection away."""

    source: str
    target: str
    port: str = ""


class SetPositionEdit(
    Message, frozen=True, kw_only=True, tag="set-position", tag_field="kind"
):
    """Say where a step, or "inputs.NAME", is drawn."""

    node: str
    x: int
    y: int


class SetBoxEdit(Message, frozen=True, kw_only=True, tag="set-box", tag_field="kind"):
    """Add or change a note or a group; an id of "" makes a new one."""

    id: str = ""
    box: Literal["note", "group"]
    x: int
    y: int
    width: int
    height: int
    text: str


class RemoveBoxEdit(
    Message, frozen=True, kw_only=True, tag="remove-box", tag_field="kind"
):
    """Take a note or a group's frame away."""

    id: str


class SetTextEdit(Message, frozen=True, kw_only=True, tag="set-text", tag_field="kind"):
    """Replace the whole text, as typed in the text view."""

    text: str


EditMessage = (
    SetValueEdit
    | RemoveValueEdit
    | InsertEdit
    | PasteEdit
    | RemoveStepEdit
    | RenameStepEdit
    | MoveStepEdit
    | ConnectEdit
    | DisconnectEdit
    | SetPositionEdit
    | SetBoxEdit
    | RemoveBoxEdit
    | SetTextEdit
)


class EditsRequest(Message, frozen=True, kw_only=True):
    """Edits of one version of a file: all of them or none, one step of its history.

    A request whose answer was lost can be made again: what has the same `key` is made
    once, even if the server was started anew meanwhile.
    """

    path: str
    version: int
    label: str
    edits: list[EditMessage]
    key: str = ""


class EditsReply(Message, frozen=True, kw_only=True):
    """The file after the edits. `created` are the ids of new steps or boxes, in order."""

    document: DocumentView
    created: list[str] = []


class VersionRequest(Message, frozen=True, kw_only=True):
    """Names one version of an open file: for undo, redo, reverting to the disk."""

    path: str
    version: int


class SaveRequest(Message, frozen=True, kw_only=True):
    """Write a file; under another name with `save_as`."""

    path: str
    version: int
    save_as: str | None = None


class NewFileRequest(Message, frozen=True, kw_only=True):
    """Create a workflow file: empty, from an example, or with the text of another."""

    path: str
    example: str | None = None


class HunkView(Message, frozen=True, kw_only=True):
    """A stretch of lines in a merge.

    `kind` says who changed it; "both" means both, in the same way. A conflict is to
    be picked; the others have a pick already.
    """

    kind: Literal["same", "mine", "theirs", "both", "conflict"]
    base: list[str]
    mine: list[str]
    theirs: list[str]


class MergeView(Message, frozen=True, kw_only=True):
    """The file here, on the disk, and what they have in common, stretch by stretch."""

    path: str
    version: int
    disk: str
    hunks: list[HunkView]


class MergeRequest(Message, frozen=True, kw_only=True):
    """How to merge: a pick for each hunk. `disk` is the digest that was shown."""

    path: str
    version: int
    disk: str
    picks: list[Literal["mine", "theirs", "base", "mine-then-theirs"]]
