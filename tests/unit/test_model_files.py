# SPDX-License-Identifier: Apache-2.0
"""Model files are found where people keep them, once each, and named by content."""

import json
import os
import shutil
from hashlib import sha256

import pytest

from lao.backends.model_files import (
    HashingStopped,
    default_model_folders,
    file_digest,
    find_model_files,
    model_parts,
)
from lao.errors import ModelUnavailable


def found_below(*folders):
    return list(find_model_files(folders))


def digest_of(data: bytes) -> str:
    return f"sha256:{sha256(data).hexdigest()}"


def test_both_kinds_are_found_and_described(tmp_path, tiny_gguf, tiny_whisper):
    shutil.copy(tiny_gguf, tmp_path / "b.gguf")
    shutil.copy(tiny_whisper, tmp_path / "ggml-tiny.en.bin")
    language, speech = found_below(tmp_path)
    assert (language.kind, language.name) == ("llama.cpp", "lao-tiny-canned")
    assert (language.context_length, language.quantisation) == (2048, "F32")
    assert language.size == tiny_gguf.stat().st_size
    assert (speech.kind, speech.name) == ("whisper.cpp", "tiny.en")
    assert language.problem is None
    assert speech.problem is None


def test_hugging_face_links_are_followed_and_counted_once(tmp_path, tiny_gguf):
    model = tmp_path / "models--a--b"
    (model / "blobs").mkdir(parents=True)
    blob = model / "blobs" / ("0" * 64)
    shutil.copy(tiny_gguf, blob)
    for revision in ("one", "two"):
        (model / "snapshots" / revision).mkdir(parents=True)
        (model / "snapshots" / revision / "m.gguf").symlink_to(blob)
    [only] = found_below(tmp_path, tmp_path)
    assert only.path == model / "snapshots" / "one" / "m.gguf"
    assert file_digest(only.path) == f"sha256:{'0' * 64}"


def test_what_is_no_model_of_its_own_is_left_out(tmp_path, tiny_gguf):
    for name in ("mmproj-x.gguf", "m-00002-of-00002.gguf", "notes.txt"):
        shutil.copy(tiny_gguf, tmp_path / name)
    (tmp_path / "pytorch_model.bin").write_bytes(b"PK\x03\x04")
    assert found_below(tmp_path) == []


def test_a_split_model_has_the_size_of_its_parts(tmp_path, tiny_gguf):
    first, second = model_parts(tmp_path / "m-00001-of-00002.gguf")
    shutil.copy(tiny_gguf, first)
    second.write_bytes(b"12345")
    [only] = found_below(tmp_path)
    assert only.size == tiny_gguf.stat().st_size + 5


def test_a_split_model_without_all_its_parts_has_a_problem(tmp_path, tiny_gguf):
    shutil.copy(tiny_gguf, tmp_path / "m-00001-of-00002.gguf")
    [only] = found_below(tmp_path)
    assert "m-00002-of-00002.gguf" in (only.problem or "")


def test_unreadable_files_are_listed_with_their_problem(tmp_path):
    (tmp_path / "broken.gguf").write_bytes(b"GGUF")
    (tmp_path / "ggml-broken.bin").write_bytes(b"hello")
    os.mkfifo(tmp_path / "pipe.gguf")
    assert [model.path.name for model in found_below(tmp_path) if model.problem] == [
        "broken.gguf",
        "ggml-broken.bin",
        "pipe.gguf",
    ]


def test_what_cannot_be_walked_holds_nothing(tmp_path, tiny_gguf):
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "nowhere.gguf").symlink_to(tmp_path / "gone")
    assert found_below(tmp_path / "missing", tiny_gguf, tmp_path) == []


def test_folders_are_walked_to_a_bounded_depth(tmp_path, tiny_gguf):
    deep = tmp_path.joinpath(*"abcdefgh")
    (deep / "i").mkdir(parents=True)
    shutil.copy(tiny_gguf, deep / "m.gguf")
    shutil.copy(tiny_gguf, deep / "i" / "m.gguf")
    assert [model.path for model in found_below(tmp_path)] == [deep / "m.gguf"]


def test_the_usual_folders_follow_the_settings(tmp_path):
    assert default_model_folders(tmp_path)[0] == tmp_path / ".cache/huggingface/hub"
    hf_home = default_model_folders(tmp_path, hf_home=tmp_path / "hf")
    assert hf_home[0] == tmp_path / "hf" / "hub"
    hub = default_model_folders(tmp_path, hf_home=tmp_path, hf_hub_cache=tmp_path / "c")
    assert hub[0] == tmp_path / "c"


def test_a_digest_names_the_content(tmp_path):
    (tmp_path / "m").write_bytes(b"content")
    assert file_digest(tmp_path / "m") == digest_of(b"content")


def test_a_digest_of_a_split_model_covers_every_part(tmp_path):
    first, second = model_parts(tmp_path / "m-00001-of-00002.gguf")
    first.write_bytes(b"1")
    second.write_bytes(b"2")
    before = file_digest(first)
    second.write_bytes(b"3")
    assert file_digest(first) != before


def test_a_kept_digest_is_used_until_the_file_changes(tmp_path):
    model, cache = tmp_path / "m", tmp_path / "cache"
    model.write_bytes(b"old")
    file_digest(model, cache_folder=cache)
    kept = cache / "model-digests.json"
    other = sha256(b"other").hexdigest()
    kept.write_text(kept.read_text().replace(sha256(b"old").hexdigest(), other))
    assert file_digest(model, cache_folder=cache) == f"sha256:{other}"
    model.write_bytes(b"newer")
    assert file_digest(model, cache_folder=cache) == digest_of(b"newer")


def test_kept_digests_are_private(tmp_path):
    (tmp_path / "m").write_bytes(b"m")
    file_digest(tmp_path / "m", cache_folder=tmp_path / "cache")
    [kept] = (tmp_path / "cache").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "broken", ["", "[]", "{", "[" * 100_000, '{"a": 1}', "\x00", "PATH", '{"a": "b"}']
)
def test_a_broken_store_of_digests_is_ignored(tmp_path, broken):
    model, kept = tmp_path / "m", tmp_path / "model-digests.json"
    model.write_bytes(b"content")
    kept.write_text(json.dumps({str(model): "x y"}) if broken == "PATH" else broken)
    assert file_digest(model, cache_folder=tmp_path) == digest_of(b"content")
    assert str(model) in json.loads(kept.read_text())


def test_a_folder_that_cannot_be_written_is_no_trouble(tmp_path):
    (tmp_path / "m").write_bytes(b"content")
    digest = file_digest(tmp_path / "m", cache_folder=tmp_path / "m")
    assert digest == digest_of(b"content")


def test_hashing_ends_when_nobody_waits_for_it(tmp_path):
    (tmp_path / "m").write_bytes(b"content")
    with pytest.raises(HashingStopped):
        file_digest(tmp_path / "m", is_cancelled=lambda: True)


def test_a_file_that_changes_while_it_is_read_has_no_digest(tmp_path):
    model = tmp_path / "m"
    model.write_bytes(b"content")

    def grow() -> bool:
        with model.open("ab") as file:
            file.write(b"!" if model.stat().st_size < 10 else b"")
        return False

    with pytest.raises(ModelUnavailable) as caught:
        file_digest(model, is_cancelled=grow)
    assert caught.value.code == "model.changing"


def test_a_missing_file_has_no_digest(tmp_path):
    with pytest.raises(ModelUnavailable) as caught:
        file_digest(tmp_path / "m")
    assert caught.value.code == "model.file-missing"
