# SPDX-License-Identifier: Apache-2.0
"""Edits of any workflow file: they mean what they say, and leave the rest alone.

`pytest --hypothesis-profile=slow` tries each rule on 500 files instead of a few.
"""

import re
from collections import Counter
from difflib import SequenceMatcher

import pytest
from hypothesis import assume, given, settings, strategies as st
from tests.workflow_texts import WORKFLOW_TEXTS

from lao.workflow.edits import (
    AddConnection,
    AddStep,
    MoveStep,
    RemoveConnection,
    RemoveStep,
    RemoveValue,
    RenameStep,
    SetPosition,
    SetValue,
)
from lao.workflow.nodes import Node, walk
from lao.workflow.shapes import plain_data
from lao.workflow.source import read_yaml
from lao.workflow.splice import splice_all

SLOW = settings.get_current_profile_name() == "slow"
MANY = settings().max_examples if SLOW else 15
COMMENT = re.compile("§[0-9]+")
HOSTILE = [
    "", " ", " a", "a ", "a: b", "a #b", "#", "- x", "? x", "{{ s0 }}", "{a", "[b", "a, b", "'", '"', "\\", "\\n",
    "yes", "No", "on", "null", "~", "1e3", "0x1F", "012", "1:30", ".inf", "<<", "=", "2001-12-14", "&a", "*a", "!a",
    "@a", "`", "%a", "---", "...", "\t", "a\tb", "a\x07b", "\x85", "\u2028", "\ufeff", "e\u0301", "🎉", "\U0010ffff",
    "a\u00a0", "x" * 3000, "§", "-", "|", ">", "a:", ":a",
]  # fmt: skip
BLOCKS = [
    "\n", "a\n", "a\n\n", "\na", " a\nb", "a\n b", "a \nb", "a\n ", "a\n\t", "a\r\nb",
    "a\rb", "a\x85b", "a\u2028b\n", "#a\nb", "a\n#b", "---\na", "a\n...\nb\n", "- a\n- b",
    "a\n\n\nb\n\n", "  \n a\n", "{{ s0 }}\n{{ s1 }}", "x y " * 60 + "\nz\n", "\x07\n",
]  # fmt: skip
VALUES = st.recursive(
    st.sampled_from([0, 1.5, None, "a\nb", *HOSTILE]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["k", "temperature", "a b", "1"]), inner)
    ),
    max_leaves=5,
)
many = settings(max_examples=MANY, deadline=None)
seeds = st.integers(0, 999)


def data(text: str):
    return plain_data(read_yaml(text, "f.yaml"))


def edited(text: str, *edits) -> str:
    return splice_all(text, edits, source="f.yaml")


def ids(text: str) -> list[str]:
    return [step["id"] for step in data(text)["steps"]]


def comments(text: str) -> Counter[str]:
    return Counter(COMMENT.findall(text))


def changed_lines(old: str, new: str) -> tuple[list[str], list[str]]:
    """Return the lines that went and the lines that came."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    gone, come = [], []
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag != "equal":
            gone, come = gone + before[a:b], come + after[c:d]
    return gone, come


def leaves(node: Node, path=()):
    """Yield the path of each single value, steps by their ids."""
    children = node.value
    if isinstance(children, dict):
        for name, inner in children.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(children, tuple):
        for index, inner in enumerate(children):
            is_step = path == ("steps",)
            yield from leaves(
                inner, (*path, inner.value["id"].value if is_step else index)
            )
    elif path not in (("lao",), ("steps",)) and path[-1] != "id":
        yield path, node


@many
@given(WORKFLOW_TEXTS)
def test_a_file_that_is_not_edited_stays_as_it_is(text):
    assert edited(text) == text
    timeout = data(text)["steps"][0]["timeout"]
    assert (
        edited(text, SetValue(path=("steps", "s0", "timeout"), value=timeout)) == text
    )


@many
@given(WORKFLOW_TEXTS, st.sampled_from(HOSTILE), seeds)
def test_a_value_on_one_line_changes_that_line_alone(text, value, seed):
    spots = list(leaves(read_yaml(text, "f.yaml")))
    path, node = spots[seed % len(spots)]
    assume(node.style not in ("literal", "folded") and node.value != value)
    new = edited(text, SetValue(path=path, value=value))

    assert len(new.splitlines()) - new.count("\x85") == len(text.splitlines())
    gone, come = changed_lines(text, new)
    assert len(gone) == len(come) == 1
    assert comments(new) == comments(text)


@many
@given(WORKFLOW_TEXTS, st.sampled_from(HOSTILE + BLOCKS) | st.text(max_size=9), seeds)
def test_a_value_reads_back_and_its_old_value_too(text, value, seed):
    assume(not re.search("[\ud800-\udfff]", value))
    spots = list(leaves(read_yaml(text, "f.yaml")))
    path, node = spots[seed % len(spots)]
    new = edited(text, SetValue(path=path, value=value))

    found = {path: node.value for path, node in leaves(read_yaml(new, "f.yaml"))}
    before = {path: node.value for path, node in leaves(read_yaml(text, "f.yaml"))}
    assert repr(found) == repr({**before, path: value})
    assert comments(new) == comments(text)
    back = edited(new, SetValue(path=path, value=node.value))
    assert repr(data(back)) == repr(data(text))


@many
@given(WORKFLOW_TEXTS, seeds, st.integers(-9999, 9999))
def test_a_position_takes_one_line_under_ui(text, seed, x):
    names = ids(text)
    name = names[seed % len(names)]
    new = edited(text, SetPosition(step=name, x=x, y=-3))
    again = edited(new, SetPosition(step=name, x=x + 1, y=-3))

    assert data(new) == {
        **data(text),
        "ui": {**data(text).get("ui", {}), name: [x, -3]},
    }
    assert list(data(new))[-1] == "ui"
    _, come = changed_lines(text, new)
    assert len(come) <= 2 + ("ui" not in data(text))
    gone, come = changed_lines(new, again)
    assert len(gone) == len(come) <= 1
    assert comments(again) == comments(text)


@many
@given(WORKFLOW_TEXTS, seeds)
def test_removing_a_step_takes_its_own_comments_alone(text, seed):
    names = ids(text)
    index = seed % len(names)
    new = edited(text, RemoveStep(id=names[index]))

    own, others = owned_comments(text, index)
    assert not own & comments(new)
    assert others <= comments(new)
    kept = [step for step in data(text)["steps"] if step["id"] != names[index]]
    assert data(new)["steps"] == kept
    assert names[index] not in data(new).get("ui", {})
    assert all(names[index] not in pair for pair in data(new).get("connections", []))


def owned_comments(text: str, index: int) -> tuple[Counter[str], Counter[str]]:
    """Return the comments in and right above a step, and those far from it."""
    root = read_yaml(text, "f.yaml")
    step = walk(root, ("steps", index))
    lines = text.removeprefix("\ufeff").splitlines()
    first = last = step.line - 1
    while first > 0 and re.match(rf" {{0,{step.column - 3}}}#", lines[first - 1]):
        first -= 1
    after = [node.key_place.line for node in walk(root, ("steps",)).value[index + 1 :]]
    after += [node.key_place.line for node in root.value.values()]
    bound = min([line - 1 for line in after if line > step.line], default=len(lines))
    inside = [leaf for _, leaf in leaves(Node({"steps": Node((step,))}))]
    last = max([step.line, *(leaf.line for leaf in inside)]) - 1
    own = comments("\n".join(lines[first : last + 1]))
    near = comments("\n".join(lines[first:bound]))
    for name, node in root.value.items():
        if name in ("ui", "connections") and f"s{index}" in repr(plain_data(node)):
            start = node.key_place.line - 1
            end = max([leaf.line for _, leaf in leaves(node)], default=start + 1)
            near += comments("\n".join(lines[start:end]))
    return own, comments(text) - near


@many
@given(WORKFLOW_TEXTS, seeds, seeds)
def test_a_moved_step_takes_its_comments_along(text, seed, other):
    names = ids(text)
    name = names[seed % len(names)]
    after = [None, *names][other % (len(names) + 1)]
    new = edited(text, MoveStep(id=name, after=after))

    order = [held for held in names if held != name]
    place = (
        names.index(name) if after == name else order.index(after) + 1 if after else 0
    )
    order.insert(place, name)
    assert ids(new) == order
    assert comments(new) == comments(text)
    assume("|+" not in text and ">+" not in text)  # these own the blank lines below
    assert sorted(new.splitlines()) == sorted(text.splitlines())
    before = names[names.index(name) - 1] if names.index(name) else None
    assert edited(new, MoveStep(id=name, after=before)) == text


@many
@given(WORKFLOW_TEXTS, seeds)
def test_a_step_that_is_added_and_removed_leaves_no_trace(text, seed):
    names = ids(text)
    after = [None, *names][seed % (len(names) + 1)]
    step = {
        "id": "new",
        "prompt_template": "a\n\nb: {{ s0 }}\n",
        "retry": {"attempts": 2},
    }
    new = edited(text, AddStep(step=step, after=after))

    place = 0 if after is None else names.index(after) + 1
    steps = data(text)["steps"]
    assert data(new) == {**data(text), "steps": [*steps[:place], step, *steps[place:]]}
    assert comments(new) == comments(text)
    assert not changed_lines(text + "\n", new + "\n")[0] or not text.endswith("\n")
    back = edited(new, RemoveStep(id="new"))
    assert data(back) == data(text)
    assert comments(back) == comments(text)


@many
@given(WORKFLOW_TEXTS, seeds)
def test_a_renamed_step_is_called_so_everywhere(text, seed):
    names = ids(text)
    name = names[seed % len(names)]
    new = edited(text, RenameStep(old=name, new="other"))

    assert ids(new) == ["other" if held == name else held for held in names]
    assert not re.search(rf"'{name}'|\{{\{{ {name}\b", repr(data(new)))
    assert comments(new) == comments(text)
    back = edited(new, RenameStep(old="other", new=name))
    assert data(back) == data(text)


@many
@given(WORKFLOW_TEXTS, seeds)
def test_a_connection_that_is_added_and_removed_leaves_no_trace(text, seed):
    assume("connections" not in data(text) and len(ids(text)) > 1)
    new = edited(text, AddConnection(first="s1", second="s0"))

    assert data(new) == {**data(text), "connections": [["s1", "s0"]]}
    assert not changed_lines(text, new)[0] or not text.endswith("\n")
    back = edited(new, RemoveConnection(first="s1", second="s0"))
    assert data(back) == data(text)
    assert comments(back) == comments(text)


@many
@given(WORKFLOW_TEXTS, seeds)
def test_a_value_that_is_removed_and_set_again_is_the_same(text, seed):
    spots = [path for path, _ in leaves(read_yaml(text, "f.yaml")) if len(path) > 2]
    path = spots[seed % len(spots)]
    held = value_at(data(text), path)
    new = edited(text, RemoveValue(path=path))

    assert len(list(leaves(read_yaml(new, "f.yaml")))) <= len(spots) + 9
    if isinstance(path[-1], str):
        back = edited(new, SetValue(path=path, value=held))
        assert data(back) == data(text)


def value_at(held, path):
    for part in path:
        if isinstance(held, list) and isinstance(part, str):
            part = [step["id"] for step in held].index(part)  # noqa: PLW2901
        held = held[part]
    return held


@many
@given(WORKFLOW_TEXTS, VALUES, seeds)
def test_any_value_takes_the_place_of_any_other(text, value, seed):
    names = ids(text)
    step = data(text)["steps"][seed % len(names)]
    key = ("options", "with", "input", "future_key", "prompt_template")[seed % 5]
    new = edited(text, SetValue(path=("steps", step["id"], key), value=value))

    steps = data(new)["steps"]
    assert steps[names.index(step["id"])] == {**step, key: value}
    kept = [held for held in steps if held["id"] != step["id"]]
    assert kept == [held for held in data(text)["steps"] if held["id"] != step["id"]]


@pytest.mark.parametrize("old", ["x", "'x'", '"x"', "|\n      x", ">-\n      x", "5"])
def test_hostile_texts_are_written_so_that_they_read_back(old):
    rest = "" if "\n" in old else "  # c"
    text = f"lao: 1\nname: w\nsteps:\n  - id: a\n    system: {old}{rest}\n"
    for value in HOSTILE + BLOCKS:
        new = edited(text, SetValue(path=("steps", "a", "system"), value=value))
        assert data(new)["steps"] == [{"id": "a", "system": value}]
