# SPDX-License-Identifier: Apache-2.0
"""Opening the data folder: what is not LAO's, or not whole, is refused and left as it is."""

import errno
import os
import socket
import sqlite3
import stat

import pytest

from lao.errors import StoreError
from lao.store import schema
from lao.store.opening import open_store
from lao.store.runs import NewRun


def made(folder, runs=3):
    """Make a store with some runs; return its database file."""
    with open_store(folder) as store:
        for number in range(runs):
            store.runs.begin(NewRun(id=f"r{number}", workflow="w", started=1.0))
    return folder / "lao.db"


def refusal(folder):
    with pytest.raises(StoreError) as refused:
        open_store(folder)
    assert refused.value.exit_code == 1
    return refused.value.code


def refusal_of(folder, content):
    """Return the code of the refusal of a file, which is to stay as it is."""
    file = folder / "lao.db"
    file.write_bytes(content)
    code = refusal(folder)
    assert file.read_bytes() == content
    return code


def foreign_database(folder, *statements):
    file = folder / "other.db"
    connection = sqlite3.connect(file, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()
    content = file.read_bytes()
    file.unlink()
    return content


def test_a_store_is_made_for_its_owner_only(tmp_path):
    folder = tmp_path / "share" / "lao"
    made(folder)
    with open_store(folder) as store:
        store.runs.begin(NewRun(id="x", workflow="w" * 100_000, started=1.0))
        kept = [folder, *folder.rglob("*")]
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in kept}

    assert {"lao.db", "lao.db-wal", "lao.db-shm", "lao.lock"} < modes.keys()
    assert [n for n, mode in modes.items() if mode & 0o077] == []


def test_what_was_kept_is_there_again(tmp_path):
    made(tmp_path)
    with open_store(tmp_path) as store:
        assert [each.id for each in store.runs.listed()] == ["r2", "r1", "r0"]


def test_an_empty_file_becomes_a_store(tmp_path):
    (tmp_path / "lao.db").touch()
    made(tmp_path)


def test_garbage_is_refused(tmp_path):
    assert refusal_of(tmp_path, b"garbage" * 1000) == "store.not-a-database"


def test_a_file_too_short_for_a_database_is_refused(tmp_path):
    assert refusal_of(tmp_path, b"SQLite format 3\0") == "store.not-a-database"


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE a (b)"],
        ["PRAGMA application_id=7", "CREATE TABLE a (b)"],
        ["PRAGMA application_id=7"],
        ["PRAGMA user_version=1"],
        ["PRAGMA journal_mode=WAL", "CREATE TABLE a (b)", "INSERT INTO a VALUES (1)"],
    ],
    ids=str,
)
def test_another_programs_database_is_refused(tmp_path, statements):
    content = foreign_database(tmp_path, *statements)
    assert refusal_of(tmp_path, content) == "store.foreign"


def test_another_programs_database_that_is_in_use_is_refused(tmp_path):
    other = sqlite3.connect(tmp_path / "lao.db", isolation_level=None)
    other.execute("PRAGMA journal_mode=WAL")
    other.execute("CREATE TABLE a (b)")  # in the log, not yet in the file

    assert refusal(tmp_path) == "store.foreign"
    assert other.execute("SELECT count(*) FROM a").fetchone() == (0,)
    other.close()


def test_another_programs_log_is_left_alone(tmp_path):
    other = sqlite3.connect(tmp_path / "other.db", isolation_level=None)
    other.execute("CREATE TABLE a (b)")
    other.execute("PRAGMA journal_mode=WAL")
    other.execute("INSERT INTO a VALUES (1)")
    for end in ("", "-wal"):  # as a crash would leave them
        content = (tmp_path / f"other.db{end}").read_bytes()
        (tmp_path / f"lao.db{end}").write_bytes(content)
    other.close()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    assert refusal(tmp_path) == "store.foreign"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_newer_schema_is_refused(tmp_path):
    file = made(tmp_path)
    connection = sqlite3.connect(file)
    connection.execute(f"PRAGMA user_version={schema.VERSION + 1}")
    connection.close()

    assert refusal_of(tmp_path, file.read_bytes()) == "store.newer"


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9])
def test_a_truncated_database_is_refused(tmp_path, part):
    content = made(tmp_path).read_bytes()
    torn = content[: int(len(content) * part)]
    assert refusal_of(tmp_path, torn) == "store.damaged"


def test_a_damaged_schema_is_refused(tmp_path):
    content = bytearray(made(tmp_path).read_bytes())
    content[108:2000] = os.urandom(2000 - 108)
    assert refusal_of(tmp_path, bytes(content)) == "store.damaged"


def test_damage_that_shows_later_is_named_as_such(tmp_path):
    file = made(tmp_path, runs=200)
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xaa" * (len(content) - 4096)
    file.write_bytes(content)

    with open_store(tmp_path) as store, pytest.raises(StoreError) as refused:
        list(store.runs.listed())
    assert refused.value.code == "store.damaged"


@pytest.mark.parametrize("name", ["lao.db", "lao.lock"])
def test_a_folder_in_a_files_place_is_refused(tmp_path, name):
    (tmp_path / name).mkdir()
    assert refusal(tmp_path) == "store.not-a-file"


def test_a_fifo_or_a_socket_in_the_databases_place_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("lao.db")
    assert refusal(tmp_path) == "store.not-a-file"
    (tmp_path / "lao.db").unlink()

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("lao.db")
        assert refusal(tmp_path) == "store.not-a-file"


@pytest.mark.parametrize("under", ["", "deeper"])
def test_a_file_in_the_data_folders_place_is_refused(tmp_path, under):
    (tmp_path / "data").write_text("mine")
    assert refusal(tmp_path / "data" / under) == "store.not-a-folder"
    assert (tmp_path / "data").read_text() == "mine"


def test_a_crash_while_the_store_is_made_leaves_nothing_to_mend(tmp_path, monkeypatch):
    def crash(script):
        yield from _statements(script)[:3]
        raise KeyboardInterrupt

    _statements = schema._statements
    with monkeypatch.context() as patch:
        patch.setattr(schema, "_statements", crash)
        with pytest.raises(KeyboardInterrupt):
            open_store(tmp_path)
    made(tmp_path)


def test_a_disk_too_full_to_make_the_store_is_named_as_such(tmp_path, monkeypatch):
    def on_a_full_disk(database, *more):
        database.execute("PRAGMA max_page_count=3")
        bring_up_to_date(database, *more)

    bring_up_to_date = schema.bring_up_to_date
    with monkeypatch.context() as patch:
        patch.setattr(schema, "bring_up_to_date", on_a_full_disk)
        assert refusal(tmp_path) == "store.full"
    made(tmp_path)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "store.full"),
        (errno.EIO, "store.io"),
        (errno.EROFS, "store.unwritable"),
    ],
)
def test_what_the_system_refuses_is_told_apart(tmp_path, monkeypatch, number, code):
    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", fail)
    assert refusal(tmp_path) == code


def test_the_migrations_are_numbered_and_the_last_is_known():
    names = sorted(path.name for path in schema._MIGRATIONS.glob("*.sql"))
    numbers = [int(name.partition("_")[0]) for name in names]
    assert numbers == list(range(1, schema.VERSION + 1))


def test_a_store_is_closed_twice_without_harm(tmp_path):
    store = open_store(tmp_path)
    store.close()
    store.close()
