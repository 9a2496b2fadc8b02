# SPDX-License-Identifier: Apache-2.0
"""Headers of model files are read, and nothing in them is believed."""

import os
import struct
import tracemalloc
from contextlib import suppress
from pathlib import Path

import gguf
import pytest
from hypothesis import given, strategies as st
from tests.models import make_tiny_gguf, make_tiny_whisper

from lao.backends import gguf as reader
from lao.backends.gguf import read_gguf_header, read_whisper_header
from lao.errors import ModelUnavailable


def text(words: str) -> bytes:
    return struct.pack("<Q", len(words)) + words.encode()


def start(*, tensors: int = 0, keys: int = 0, version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, keys)


def array(kind: int, count: int) -> bytes:
    return text("a") + struct.pack("<IIQ", 9, kind, count)


ARCHITECTURE = text("general.architecture") + struct.pack("<I", 8) + text("llama")


def code_of(path) -> str:
    with pytest.raises(ModelUnavailable) as caught:
        read_gguf_header(path)
    assert caught.value.problem.mend
    return caught.value.code


@pytest.fixture
def written(tmp_path):
    def written(*parts: bytes):
        path = tmp_path / "model.gguf"
        path.write_bytes(b"".join(parts))
        return path

    return written


def test_a_header_says_what_the_model_is(tiny_gguf):
    header = read_gguf_header(tiny_gguf)
    assert header.name == "lao-tiny-canned"
    assert header.architecture == "llama"
    assert header.size == tiny_gguf.stat().st_size
    assert header.context_length == 2048
    assert header.quantisation == "F32"
    assert header.vocabulary_size == 271
    assert header.has_chat_template
    assert not header.embedding


def test_the_weights_are_counted(tiny_gguf):
    tensors = gguf.GGUFReader(tiny_gguf).tensors
    counted = sum(int(tensor.n_elements) for tensor in tensors)
    assert read_gguf_header(tiny_gguf).parameters == counted


def test_a_brief_look_tells_the_same_and_stops_before_the_vocabulary(tiny_gguf):
    whole, brief = read_gguf_header(tiny_gguf), read_gguf_header(tiny_gguf, brief=True)
    for field in ("name", "architecture", "size", "context_length", "quantisation"):
        assert getattr(brief, field) == getattr(whole, field)
    assert (brief.parameters, brief.vocabulary_size) == (None, None)


def test_a_large_vocabulary_is_read_to_its_end(tmp_path):
    writer = gguf.GGUFWriter(tmp_path / "large.gguf", "bert")
    writer.add_token_list([f"token number {i}" for i in range(100_000)])
    writer.add_token_merges(["a b", "x" * 70_000, ""])
    writer.add_pooling_type(gguf.PoolingType.CLS)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    header = read_gguf_header(tmp_path / "large.gguf")
    assert header.vocabulary_size == 100_000
    assert header.embedding
    assert header.name == "large"
    assert header.parameters is None


def test_every_quantisation_that_the_format_knows_has_a_name():
    known = {t.value: t.name for t in gguf.LlamaFileType if t.name != "GUESSED"}
    ours = {
        number: name.removeprefix("MOSTLY_").removeprefix("ALL_")
        for number, name in known.items()
    }
    assert dict(reader._QUANTISATIONS) == ours


@pytest.mark.parametrize(
    "data",
    [b"", b"GGU", b"PK\x03\x04 a zip", start(version=1), start(version=4)],
)
def test_another_kind_of_file_is_not_gguf(written, data):
    assert code_of(written(data)) in {"model.not-gguf", "model.damaged"}


def test_a_file_for_big_endian_machines_is_refused(written):
    path = written(b"GGUF" + struct.pack(">IQQ", 3, 0, 0))
    with pytest.raises(ModelUnavailable, match="big-endian") as caught:
        read_gguf_header(path)
    assert caught.value.code == "model.not-gguf"


@pytest.mark.parametrize(
    "parts",
    [
        (start(keys=1 << 60),),
        (start(tensors=1 << 60),),
        (start(keys=1), struct.pack("<Q", 1 << 63)),
        (start(keys=1), array(8, 1 << 40)),
        (start(keys=1), array(8, 9_999_999)),
        (start(keys=1), array(8, 1), b"\xff" * 8),
        (start(keys=1), array(8, 2), b"\xff" * 7 + b"\x7f"),
        (start(keys=1), array(4, 1 << 62)),
        (start(keys=1), array(9, 1)),
        (start(keys=1), text("a"), struct.pack("<I", 13)),
        (start(keys=0),),
        (start(keys=1, tensors=1), ARCHITECTURE, text("t"), struct.pack("<I", 9)),
    ],
)
def test_a_header_that_contradicts_itself_is_damaged(written, parts):
    assert code_of(written(*parts)) == "model.damaged"


def test_a_huge_hole_behind_a_header_is_not_read_whole(written, monkeypatch):
    assert reader._LONGEST_HEADER <= 256 << 20
    monkeypatch.setattr(reader, "_LONGEST_HEADER", 32 << 20)
    path = written(start(keys=1), array(4, 1 << 36))
    with path.open("r+b") as file:
        file.truncate(1 << 40)
    tracemalloc.start()
    code = code_of(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert code == "model.damaged"
    assert peak < 100 << 20


def test_a_missing_file_names_its_neighbour(tmp_path):
    make_tiny_gguf(tmp_path / "llama.gguf")
    with pytest.raises(ModelUnavailable) as caught:
        read_gguf_header(tmp_path / "lama.gguf")
    assert caught.value.code == "model.file-missing"
    assert "'llama.gguf'" in caught.value.problem.mend


def test_only_regular_files_are_read(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    assert code_of(tmp_path / "fifo") == "model.not-a-file"
    assert code_of(tmp_path) == "model.not-a-file"


def test_a_path_that_is_a_loop_or_no_path_is_refused(tmp_path):
    (tmp_path / "loop.gguf").symlink_to(tmp_path / "loop.gguf")
    assert code_of(tmp_path / "loop.gguf") == "model.unreadable"
    assert code_of(tmp_path / "nul\0.gguf") == "model.unreadable"


def test_a_refused_file_is_closed(tmp_path):
    before = list(Path("/dev/fd").iterdir())
    code_of(tmp_path)
    assert list(Path("/dev/fd").iterdir()) == before


@pytest.mark.parametrize("path", ["/dev/null", "/dev/zero"])
def test_devices_are_not_read(path):
    assert code_of(path) == "model.not-a-file"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return make_tiny_gguf(tmp_path_factory.mktemp("g") / "small.gguf", mode="random")


@pytest.fixture(scope="module")
def header_length(small) -> int:
    return int(gguf.GGUFReader(small).data_offset) - 32  # at most that is padding


@given(data=st.data())
def test_a_file_cut_within_its_header_is_refused(small, header_length, data):
    cut = data.draw(st.integers(0, header_length))
    path = small.with_name("cut.gguf")
    path.write_bytes(small.read_bytes()[:cut])
    assert code_of(path) in {"model.damaged", "model.not-gguf"}


@given(data=st.data(), junk=st.binary(min_size=1, max_size=16))
def test_no_damage_escapes_as_another_error(small, header_length, data, junk):
    at = data.draw(st.integers(0, header_length))
    content, path = small.read_bytes(), small.with_name("junk.gguf")
    path.write_bytes(content[:at] + junk + content[at + len(junk) :])
    with suppress(ModelUnavailable):
        assert read_gguf_header(path).size == len(content)


def test_a_whisper_header_says_what_the_model_is(tiny_whisper):
    header = read_whisper_header(tiny_whisper)
    assert header.name == "tiny.en"
    assert not header.multilingual
    assert header.quantisation == "F16"
    assert header.vocabulary_size == 51864


def whisper(*, vocabulary=51865, layers=6, file_type=1, context=1500) -> bytes:
    audio, words = (context, 512, 8, layers), (448, 512, 8, 6)
    return struct.pack("<I11i", 0x67676D6C, vocabulary, *audio, *words, 80, file_type)


@pytest.mark.parametrize(
    ("data", "name", "quantisation"),
    [
        (whisper(), "base", "F16"),
        (whisper(layers=32, vocabulary=51866, file_type=2008), "large", "Q5_0"),
        (whisper(layers=12, vocabulary=51864, file_type=7), "small.en", "Q8_0"),
    ],
)
def test_whisper_models_have_their_customary_names(written, data, name, quantisation):
    header = read_whisper_header(written(data))
    assert (header.name, header.quantisation) == (name, quantisation)


@pytest.mark.parametrize(
    "data",
    [b"", b"lmgg", whisper()[:47], whisper(layers=5), whisper(context=3), b"GGUF" * 20],
)
def test_another_kind_of_file_is_not_whisper(written, data):
    with pytest.raises(ModelUnavailable) as caught:
        read_whisper_header(written(data))
    assert caught.value.code == "model.not-whisper"


@given(st.binary(max_size=60) | st.binary(max_size=44).map(b"lmgg".__add__))
def test_any_bytes_are_a_whisper_header_or_a_clear_complaint(small, data):
    path = small.with_name("any.bin")
    path.write_bytes(data)
    with suppress(ModelUnavailable):
        assert read_whisper_header(path).size == len(data)


def test_a_whisper_model_is_not_a_language_model(tmp_path):
    path = make_tiny_whisper(tmp_path / "w.bin")
    assert code_of(path) == "model.not-gguf"
