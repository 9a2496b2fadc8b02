# SPDX-License-Identifier: Apache-2.0
"""A pattern finds each file once, in a fixed order, whatever the names and links are."""

import os
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings, strategies as st

from lao.batch import patterns
from lao.batch.patterns import matching_files


@pytest.fixture
def tree(tmp_path):
    """Write empty files."""

    def write(*paths):
        for path in paths:
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        return tmp_path

    return write


def found(base, pattern, **words):
    return list(matching_files(pattern, base=base, **words))


def test_a_folder_comes_in_order_of_name_with_its_folders_in_between(tree):
    base = tree("in/b.wav", "in/a/z.wav", "in/c/1.wav", "in/a.wav", "in/c.txt")

    assert found(base, "in/**/*.wav") == [
        "in/a/z.wav",
        "in/a.wav",
        "in/b.wav",
        "in/c/1.wav",
    ]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*", ["a.txt"]),
        ("**", ["a.txt", "d/b.txt", "d/e/c.txt"]),
        ("d/**", ["d/b.txt", "d/e/c.txt"]),
        ("**/**/*.txt", ["a.txt", "d/b.txt", "d/e/c.txt"]),
        ("*/b.*", ["d/b.txt"]),
        ("./d/?.txt", ["./d/b.txt"]),
        ("**/e/*", ["d/e/c.txt"]),
        ("d/[!a].txt", ["d/b.txt"]),
        ("a.txt", ["a.txt"]),
        ("d", []),
        ("d/", []),
        ("d/*/", []),
        ("no/*.txt", []),
        ("a.txt/*", []),
        ("*/../a.txt", []),
    ],
)
def test_patterns(tree, pattern, expected):
    assert found(tree("a.txt", "d/b.txt", "d/e/c.txt"), pattern) == expected


def test_an_absolute_pattern_gives_absolute_paths(tree):
    base = tree("d/a.txt")

    assert found(base / "elsewhere", f"{base}/*/*.txt") == [f"{base}/d/a.txt"]


def test_hidden_names_only_where_the_pattern_names_them(tree):
    base = tree(".a.txt", ".d/b.txt", "d/.c.txt", "d/d.txt")

    assert found(base, "**/*.txt") == ["d/d.txt"]
    assert found(base, "**/.*") == [".a.txt", "d/.c.txt"]
    assert found(base, ".d/*") == [".d/b.txt"]


def test_a_file_whose_name_looks_like_a_pattern(tree):
    assert found(tree("[1].txt", "1.txt"), "[1].txt") == ["[1].txt"]


def test_odd_names_are_names(tree):
    names = ["-rf.txt", "a\nb.txt", "\udcff.txt", "ü 日本.txt", "~x.txt", "$(id).txt"]

    assert sorted(found(tree(*names), "*.txt")) == sorted(names)


def test_links_lead_to_files_and_never_in_circles(tree):
    base = tree("d/a.txt", "other/b.txt")
    (base / "d" / "loop").symlink_to(base / "d")
    (base / "link").symlink_to(base / "other")
    (base / "d" / "file").symlink_to(base / "other" / "b.txt")
    (base / "d" / "broken").symlink_to(base / "gone")
    (base / "d" / "self").symlink_to("self")
    os.mkfifo(base / "d" / "pipe")

    assert found(base, "**") == ["d/a.txt", "d/file", "other/b.txt"]
    assert found(base, "*/*.txt") == ["d/a.txt", "link/b.txt", "other/b.txt"]
    assert found(base, "d/loop/loop/*.txt") == ["d/loop/loop/a.txt"]


def test_the_folder_that_is_written_to_is_left_out_unless_it_is_named(tree):
    base = tree("a.txt", "out/b.txt", "d/out/c.txt")
    out = base / "out"

    assert found(base, "**/*.txt", avoid=out) == ["a.txt", "d/out/c.txt"]
    assert found(base, "out/*.txt", avoid=out) == ["out/b.txt"]


def test_a_folder_that_may_not_be_read_is_told(tree, monkeypatch):
    base, told = tree("a/x.txt", "b/y.txt"), []
    scandir = os.scandir

    def refuse(path):
        if str(path).rstrip("/").endswith("/a"):
            raise PermissionError(13, "no")
        return scandir(path)

    monkeypatch.setattr(patterns.os, "scandir", refuse)

    assert found(base, "**/*.txt", unreadable=told.append) == ["b/y.txt"]
    assert told == ["a/"]


def test_a_large_folder_is_sorted_in_pieces(tree, monkeypatch):
    monkeypatch.setattr(patterns, "_SORTED_AT_ONCE", 3)
    names = [f"{n % 7}-{n}\udcfe\n.txt" for n in range(20)]
    base = tree(*names, "5-d/x.txt")

    assert found(base, "**/*.txt") == sorted([*names, "5-d/x.txt"])


NAMES = st.sampled_from(["a", "b", ".h", "ab", "a-b"])
PATHS = st.lists(st.lists(NAMES, min_size=1, max_size=4).map("/".join), max_size=8)
PARTS = st.sampled_from(["*", "**", "a", "a*", "?", "[ab]", ".*"])
PATTERNS = st.lists(PARTS, min_size=1, max_size=4).map("/".join)


@settings(max_examples=80, deadline=None)
@given(paths=PATHS, pattern=PATTERNS)
def test_it_finds_exactly_what_the_rules_say(paths, pattern):
    with TemporaryDirectory() as name:
        base = Path(name)
        for path in paths:
            file = base / path
            inside = PurePosixPath(path).parents
            if not any((base / parent).is_file() for parent in inside):
                file.parent.mkdir(parents=True, exist_ok=True)
                if not file.is_dir():
                    file.touch()
        every = {str(p.relative_to(base)) for p in base.rglob("*") if p.is_file()}

        matches = found(base, pattern)

    assert len(matches) == len(set(matches))
    assert set(matches) == {p for p in every if fits(p.split("/"), pattern.split("/"))}


def fits(names, parts):
    """Say what the rules of patterns say, the slow way."""
    if parts[:1] == ["**"]:
        return any(
            fits(names[n:], parts[1:] or ["*"])
            for n in range(len(names) + 1)
            if not any(name.startswith(".") for name in names[:n])
        )
    if not names or not parts:
        return not names and not parts
    hidden = names[0].startswith(".") and not parts[0].startswith(".")
    return not hidden and fnmatchcase(names[0], parts[0]) and fits(names[1:], parts[1:])
