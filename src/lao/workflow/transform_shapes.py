# SPDX-License-Identifier: Apache-2.0
"""How a workflow file writes input transforms: `strip`, or `{ truncate: 4000 }`.

A plugin's is the only one of two keys: `{ plugin: NAME, with: { … } }`.
"""

from collections.abc import Mapping
from typing import Final

from lao.errors import did_you_mean
from lao.workflow.nodes import Node, Problems
from lao.workflow.shapes import (
    FAILED,
    Choice,
    Either,
    Failed,
    Field,
    Integer,
    Into,
    Json,
    MapOf,
    OneKeyOf,
    Record,
    Reference,
    Refined,
    Schema,
    Shape,
    Text,
    bad_value,
    wrong_type,
)
from lao.workflow.transforms import (
    AnyTransform,
    Join,
    Lines,
    ParseJson,
    Regex,
    Select,
    Split,
    Strip,
    Transform,
    Truncate,
    UsePlugin,
)

_SEPARATOR = Text(expects="a separator", min_length=1)
_CHARACTERS = Integer(least=1, expects="a number of characters")
_POINTER = Text(expects="a JSON pointer, such as /people", pattern=r"(/[\s\S]*)?")
_BARE: Mapping[str, Transform] = {
    transform.kind: transform for transform in (Strip(), Lines(), ParseJson(), Join())
}


def _checked_pattern(made: Regex, node: Node, problems: Problems) -> Regex | Failed:
    import regex  # noqa: PLC0415  (30 ms that most files save)

    try:
        regex.compile(made.pattern)
    except regex.error as error:
        return bad_value(node, problems, f"the pattern is not right: {error}")
    return made


_TRUNCATE: Shape[Transform] = Either(
    {
        "number": Into(_CHARACTERS, lambda most: Truncate(characters=most)),
        "mapping": Record(
            Truncate,
            [
                Field("characters", _CHARACTERS, required=True),
                Field("keep", Choice(("start", "end")), "Which end stays"),
            ],
        ),
    }
)
_SPLIT: Shape[Transform] = Either(
    {
        "text": Into(_SEPARATOR, lambda separator: Split(separator=separator)),
        "mapping": Record(
            Split,
            [
                Field("separator", _SEPARATOR),
                Field("characters", _CHARACTERS, "Pieces are at most as long"),
            ],
        ),
    }
)
_PATTERN = Text(expects="a pattern", min_length=1)
_REGEX: Shape[Transform] = Refined(
    Either(
        {
            "text": Into(_PATTERN, lambda pattern: Regex(pattern=pattern)),
            "mapping": Record(
                Regex,
                [
                    Field("pattern", _PATTERN, required=True),
                    Field("replace", Text(), "What each match becomes"),
                ],
            ),
        }
    ),
    _checked_pattern,
)
_KEYED: Mapping[str, Shape[Transform]] = {
    "truncate": _TRUNCATE,
    "split": _SPLIT,
    "join": Into(Text(), lambda separator: Join(separator=separator)),
    "select": Into(_POINTER, lambda pointer: Select(pointer=pointer)),
    "regex": _REGEX,
}


class _BareName:
    """A transform that needs nothing but its name."""

    expects = "a transform"

    def decode(self, node: Node, problems: Problems) -> Transform | Failed:
        """Return the transform of that name."""
        name = node.value
        if not isinstance(name, str):
            return wrong_type(node, problems, self.expects)
        if name in _BARE:
            return _BARE[name]
        what = f"there is no transform {name!r}"
        mend = did_you_mean(name, {*_BARE, *_KEYED})
        if name in _KEYED or name == "plugin":
            what = f"the transform {name!r} needs to be told more"
            mend = "write it as a mapping, such as { truncate: 4000 }"
        problems.add("workflow.unknown-transform", what, node.place, mend)
        return FAILED

    def json_schema(self) -> Schema:
        """Return the names."""
        return {"enum": list(_BARE)}


_ONE_KEY: Shape[Transform] = OneKeyOf(_KEYED, "one transform by name")
_PLUGIN: Shape[UsePlugin] = Record(
    UsePlugin,
    [
        Field("plugin", Text(expects="a plugin", min_length=1), required=True),
        Field("with", MapOf(Json()), "Its parameters", to="parameters"),
    ],
)


class _Mapping:
    """A transform that is told more: a plugin's, or one of LAO's own by its key."""

    expects = "one transform by name"

    def decode(self, node: Node, problems: Problems) -> AnyTransform | Failed:
        """Return the transform."""
        if isinstance(node.value, Mapping) and "plugin" in node.value:
            return _PLUGIN.decode(node, problems)
        return _ONE_KEY.decode(node, problems)

    def json_schema(self) -> Schema:
        """Return both forms."""
        return {"anyOf": [_ONE_KEY.json_schema(), _PLUGIN.json_schema()]}


TRANSFORM: Final[Reference[AnyTransform]] = Reference(
    "transform", Either({"text": _BareName(), "mapping": _Mapping()})
)
