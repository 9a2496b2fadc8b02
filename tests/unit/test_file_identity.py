# SPDX-License-Identifier: Apache-2.0
"""A model file is read again when it changed, and only then."""

import pytest

from lao.backends.file_identity import FileIdentity
from lao.backends.model_files import file_digest, model_parts
from lao.errors import ModelUnavailable

MUCH_LATER = 4_000_000_000.0


def identity(path, checked, now=lambda: MUCH_LATER):
    return FileIdentity(path=path, check=checked.append, now=now)


async def test_a_file_is_read_once_until_it_changes(tmp_path):
    path, checked = tmp_path / "m", []
    path.write_bytes(b"old")
    one = identity(path, checked)
    assert {await one.digest() for _ in range(3)} == {file_digest(path)}
    assert checked == [path]
    path.write_bytes(b"newer")
    assert await one.digest() == file_digest(path)
    assert checked == [path, path]


async def test_a_file_that_changed_just_now_is_read_again(tmp_path):
    path = tmp_path / "m"
    path.write_bytes(b"x")
    changed = path.stat().st_ctime
    for later, reads in [(1.9, 2), (2.1, 1)]:
        checked = []
        one = identity(path, checked, now=lambda later=later: changed + later)
        await one.digest()
        await one.digest()
        assert len(checked) == reads


async def test_every_part_of_a_split_model_counts(tmp_path):
    first, second = model_parts(tmp_path / "m-00001-of-00002.gguf")
    first.write_bytes(b"1")
    second.write_bytes(b"2")
    one = identity(first, [])
    before, mark = await one.digest(), one.mark()
    second.write_bytes(b"three")
    assert one.mark() != mark
    assert await one.digest() != before


async def test_a_file_that_is_gone_has_no_identity(tmp_path):
    path = tmp_path / "m"
    path.write_bytes(b"x")
    one = identity(path, [])
    await one.digest()
    path.unlink()
    assert one.mark() == ""
    with pytest.raises(ModelUnavailable, match=r"model\.file-missing"):
        await one.digest()


async def test_a_file_that_cannot_be_used_is_never_remembered(tmp_path):
    path = tmp_path / "m"
    path.write_bytes(b"x")

    def refuse(_):
        raise ModelUnavailable("model.unreadable", "no")

    one = FileIdentity(path=path, check=refuse, now=lambda: MUCH_LATER)
    for _ in range(2):
        with pytest.raises(ModelUnavailable):
            await one.digest()
