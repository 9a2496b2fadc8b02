# SPDX-License-Identifier: Apache-2.0
"""What the items of a batch become: texts, JSON, files and lists of files."""

import pytest
from msgspec.structs import replace
from tests.batches import Bench

from lao.batch.material import is_unchanged, read_material
from lao.batch.sources import Item
from lao.config import load_settings
from lao.runtime import Session
from lao.workflow.steps import Input
from lao.workflow.values import FileValue, parse_type


@pytest.fixture
def read(tmp_path):
    """Read an item for an input of some type."""

    async def material(kind, given):
        batch = Bench(tmp_path).batch()
        plan = replace(batch.prepared.plan, inputs={"x": Input(type=parse_type(kind))})
        batch = replace(batch, prepared=replace(batch.prepared, plan=plan))
        item = Item(position=1, label="x", key="x", stem="x", given={"x": given})
        settings = load_settings({"HOME": str(tmp_path)}, ephemeral=True)
        async with Session(settings) as session:
            return await read_material(item, batch, session)

    return material


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("text", "[1]"),
        ("json", [1]),
        ("audio", FileValue("PATH", "audio")),
        ("list[image]", [FileValue("PATH", "image")]),
    ],
)
async def test_a_path_becomes_what_the_input_takes(read, tmp_path, kind, expected):
    path = tmp_path / "file"
    path.write_text("[1]")

    material = await read(kind, path)

    assert repr(material.own["x"]) == repr(expected).replace("PATH", str(path))
    assert list(material.files) == [str(path)]


async def test_a_path_in_a_row_is_known_by_its_content_too(read, tmp_path):
    (tmp_path / "a.wav").touch()

    material = await read("audio", str(tmp_path / "a.wav"))

    assert material.files[str(tmp_path / "a.wav")].startswith("sha256:")


@pytest.mark.parametrize(
    ("kind", "given", "code"),
    [("text", 12, "input.wrong-type"), ("audio", "/no/such", "input.missing-file")],
)
async def test_what_does_not_fit_is_a_problem(read, kind, given, code):
    material = await read(kind, given)

    assert material.problem.code == code


async def test_a_file_is_read_again_only_if_it_was_touched(tmp_path):
    file = tmp_path / "a"
    file.write_text("new")
    touched = file.stat().st_ctime
    files = {str(file): "sha256:of-the-old", str(tmp_path / "gone"): "sha256:x"}
    async with Session(load_settings({"HOME": str(tmp_path)})) as session:
        assert await is_unchanged(files, touched + 60, session)
        assert not await is_unchanged(files, touched - 60, session)
