# SPDX-License-Identifier: Apache-2.0
"""A workflow file as a `Workflow`, with every problem at once and every place known.

`planning.compiler` asks the document where a step or a template stands.
"""

from collections.abc import Mapping
from io import BufferedReader
from pathlib import Path
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from lao.errors import InvalidWorkflow, Place, UsageError, nearest
from lao.files import ABSENT, NotRegularError, open_regular
from lao.workflow.drawing import UI, Drawn
from lao.workflow.kept_nodes import KeptNodes
from lao.workflow.model_shapes import MODEL
from lao.workflow.output_shapes import OUTPUT
from lao.workflow.shapes import FAILED, Schema
from lao.workflow.source import LARGEST_DOCUMENT, Node, Problems, read_yaml, walk
from lao.workflow.step_shapes import STEP, WORKFLOW
from lao.workflow.steps import Workflow
from lao.workflow.transform_shapes import TRANSFORM

FORMAT: Final = 1
_BESIDE = ("lao", "ui")
DocumentPath = tuple[str | int, ...]


class Document(Struct, frozen=True, kw_only=True):
    """A workflow and the file it was read from.

    `ui` is what the editor draws where; nothing else reads it. A path names a spot by
    the file's own keys: `("steps", 3, "prompt_template")`.
    """

    workflow: Workflow
    root: Node
    ui: Mapping[str, Drawn] = field(default_factory=dict)

    def locate(self, path: DocumentPath) -> Place:
        """Return where the spot stands, or the nearest spot around it that exists."""
        node = walk(self.root, path)
        return node.place if isinstance(node.value, str) else node.key_place

    def locate_line(self, path: DocumentPath, line: int) -> Place:
        """Return where line `line` (from 1) of the text at `path` stands."""
        return walk(self.root, path).place_of_line(line)


def read_workflow(
    text: str | bytes, *, source: str, base: str = ".", kept: KeptNodes | None = None
) -> Document:
    """Read a workflow; `source` names it in problems, `base` is its folder.

    A text that is in `kept` is not parsed again, but checked as every other.

    Raises:
        InvalidWorkflow: the text is not a workflow; every problem is listed.
    """
    return decode_workflow(read_yaml(text, source, kept), base=base)


def decode_workflow(root: Node, *, base: str = ".") -> Document:
    """Return the workflow that a tree of plain data is. Raises as `read_workflow`."""
    problems = Problems()
    _check_format(root, problems)
    workflow = WORKFLOW.decode_fields(root, problems, _BESIDE)
    node = walk(root, ("ui",))
    ui = {} if node is root else UI.decode(node, problems)
    if workflow is FAILED or ui is FAILED or problems.found:
        raise InvalidWorkflow(problems.in_order())
    return Document(workflow=replace(workflow, base=base), root=root, ui=ui)


def read_workflow_file(path: Path, kept: KeptNodes | None = None) -> Document:
    """Read a workflow file; as `read_workflow`.

    Raises:
        UsageError: there is no such file, or it cannot be read (codes `file.…`).
        InvalidWorkflow: it is not a workflow.
    """
    data = read_regular_file(path)
    return read_workflow(data, source=str(path), base=str(path.parent), kept=kept)


def read_regular_file(path: Path, *, most: int = LARGEST_DOCUMENT) -> bytes:
    """Return a file's bytes; never waits for a pipe and never opens a device.

    Raises:
        UsageError: it is missing, no regular file, unreadable or over `most` bytes.
    """
    place = Place(str(path))
    try:
        with BufferedReader(open_regular(path)) as file:
            data = file.read(most + 1)
    except NotRegularError as error:
        what = "this is a folder" if path.is_dir() else "this is no file"
        mend = "give the path of a workflow file"
        raise UsageError("file.not-a-file", what, where=place, mend=mend) from error
    except ABSENT as error:
        raise _missing(path, place) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        what = f"this file cannot be read: {reason}"
        mend = "check its rights"
        raise UsageError("file.unreadable", what, where=place, mend=mend) from error
    if len(data) > most:
        what = f"this file is over {most >> 20} MiB"
        mend = "keep long texts in files of their own and give them as inputs"
        raise UsageError("file.too-large", what, where=place, mend=mend)
    return data


def workflow_json_schema() -> Schema:
    """Return the format as JSON Schema (2020-12), for editors."""
    schema = WORKFLOW.json_schema()
    properties, required = schema["properties"], schema["required"]
    assert isinstance(properties, dict)  # noqa: S101  (a record makes these two)
    assert isinstance(required, list)  # noqa: S101
    lao: Schema = {"const": FORMAT, "description": "The version of this format"}
    ui = {**UI.json_schema(), "description": "What the editor draws where"}
    shared = (MODEL, STEP, TRANSFORM, OUTPUT)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "LAO workflow",
        **schema,
        "required": ["lao", *required],
        "properties": {"lao": lao, **properties, "ui": ui},
        "$defs": {
            named.name: {"title": named.name, **named.shape.json_schema()}
            for named in shared
        },
    }


def _check_format(root: Node, problems: Problems) -> None:
    if not isinstance(root.value, dict):
        return
    node = root.value.get("lao")
    if node is None:
        what, mend = "the key `lao` is missing", f"add `lao: {FORMAT}`"
        problems.add("workflow.missing-key", what, root.place, mend)
    elif type(node.value) is int and node.value > FORMAT:
        what = f"this file is written for format {node.value}; this LAO knows {FORMAT}"
        problems.add("workflow.newer-format", what, node.place, "install a newer LAO")
        raise InvalidWorkflow(problems.found)
    elif type(node.value) is not int or node.value != FORMAT:
        what, mend = "there is no such format", f"write `lao: {FORMAT}`"
        problems.add("workflow.bad-value", what, node.place, mend)


def _missing(path: Path, place: Place) -> UsageError:
    try:
        others = sorted(entry.name for entry in path.parent.iterdir())[:1000]
    except OSError:
        others = []
    close = nearest(path.name, others)
    mend = f"did you mean {str(path.with_name(close))!r}?" if close else ""
    return UsageError("file.missing", "there is no such file", where=place, mend=mend)
