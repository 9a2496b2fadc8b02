# SPDX-License-Identifier: Apache-2.0
"""Tiny real models for tests, written from nothing: no training, no download.

Both have a known answer. In the "canned" language model the embeddings are one-hot
and the only layer is silent, so that `output.weight` is a table of next-token
logits, written by hand. In the whisper model all layers are silent, and the
decoder's position table points at the next token to say. The margins are many
logits wide: the answers hold on any processor and at any temperature. The
"random" language model has seeded noise for weights: its text is stable on one
machine only and means nothing. The "wide" one is the same with 16 million weights: it
takes milliseconds for a token, as a model of use does.
"""

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, TypeAlias

import gguf
import numpy as np
import numpy.typing as npt

CANNED_ANSWER = "This is a canned answer from the tiny test model."
CANNED_TRANSCRIPT = "this is a canned transcript from the tiny test model."

Array: TypeAlias = npt.NDArray[np.float32]

# -- llama.cpp ---------------------------------------------------------------

_CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_MERGES = ("t h", "th e")
_HEADS = 4
_CHAT_TEMPLATE = (
    "{% for m in messages %}"
    "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def _byte_alphabet() -> list[str]:
    """Return GPT-2's printable stand-in for each of the 256 byte values."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    spare = iter(range(256, 512))
    return [chr(b if b in printable else next(spare)) for b in range(256)]


_ALPHABET = _byte_alphabet()
_WORDS = tuple(
    (_ALPHABET[ord(" ")] if i else "") + word
    for i, word in enumerate(CANNED_ANSWER.split())
)
_TOKENS = (*_ALPHABET, *(m.replace(" ", "") for m in _MERGES), *_WORDS, *_CONTROL)
_IDS = {token: i for i, token in enumerate(_TOKENS)}


def _ids_of(characters: str) -> list[int]:
    return [_IDS[_ALPHABET[ord(c)]] for c in characters]


_TYPABLE = _ids_of("".join(map(chr, range(32, 127))) + "\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """The sizes of the model."""

    width: int
    inner: int
    layers: int


def make_tiny_gguf(
    path: Path,
    *,
    mode: Literal["canned", "random", "wide"] = "canned",
    n_ctx: int = 2048,
) -> Path:
    """Write a llama-architecture model that answers CANNED_ANSWER (or noise)."""
    if mode == "canned":
        width = math.ceil(len(_TOKENS) / 32) * 32
        shape = _Shape(width=width, inner=32, layers=1)
    elif mode == "random":
        shape = _Shape(width=64, inner=128, layers=2)
    else:
        shape = _Shape(width=512, inner=1408, layers=5)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(f"lao-tiny-{mode}")
    _add_parameters(writer, shape, n_ctx)
    _add_tokenizer(writer)
    if mode == "canned":
        _add_canned_weights(writer, shape)
    else:
        _add_random_weights(writer, shape)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_parameters(writer: gguf.GGUFWriter, shape: _Shape, n_ctx: int) -> None:
    writer.add_license("CC0-1.0")
    writer.add_context_length(n_ctx)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_rope_dimension_count(shape.width // _HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(_TOKENS))
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)


def _add_tokenizer(writer: gguf.GGUFWriter) -> None:
    """Add a byte-level BPE vocabulary in which each canned word is one token."""
    normal = len(_TOKENS) - len(_CONTROL)
    types = [gguf.TokenType.NORMAL] * normal + [gguf.TokenType.CONTROL] * len(_CONTROL)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(list(_TOKENS))
    writer.add_token_types(types)
    writer.add_token_merges(list(_MERGES))
    writer.add_bos_token_id(_IDS["<|endoftext|>"])
    writer.add_eos_token_id(_IDS["<|im_end|>"])
    writer.add_pad_token_id(_IDS["<|endoftext|>"])
    writer.add_add_bos_token(value=False)
    writer.add_chat_template(_CHAT_TEMPLATE)


def _add_canned_weights(writer: gguf.GGUFWriter, shape: _Shape) -> None:
    vocabulary = len(_TOKENS)
    writer.add_tensor("token_embd.weight", np.eye(vocabulary, shape.width, dtype="f4"))
    for name, rows, columns in _layer_matrices(shape):
        writer.add_tensor(name, np.zeros((rows, columns), np.float32))
    _add_layer_norms(writer, shape)
    # RMSNorm multiplies a one-hot vector by sqrt(width): this undoes it.
    undo = np.full(shape.width, shape.width**-0.5, np.float32)
    writer.add_tensor("output_norm.weight", undo)
    writer.add_tensor("output.weight", _next_token_table(shape))


def _next_token_table(shape: _Shape) -> Array:
    """Return logits[next token, current token] that spell the canned answer."""
    table = np.zeros((len(_TOKENS), shape.width), np.float32)
    table[_TYPABLE, :] = 5.0
    table[_ids_of(" \n\t"), :] = 0.0  # under a grammar: no idle white space, and
    table[_ids_of('"]}'), :] = 7.0  # close strings, arrays and objects early
    table[_IDS[_WORDS[0]], :] = 20.0  # after anything else, start the answer,
    for current, following in zip(_WORDS, (*_WORDS[1:], "<|im_end|>"), strict=True):
        table[_IDS[following], _IDS[current]] = 30.0  # go on word by word, then stop
    table[_ids_of('"'), _IDS[_WORDS[-1]]] = 25.0  # (or close the JSON string)
    return table


def _add_random_weights(writer: gguf.GGUFWriter, shape: _Shape) -> None:
    rng = np.random.default_rng(0)

    def noise(rows: int, columns: int) -> Array:
        return rng.normal(0, columns**-0.5, (rows, columns)).astype(np.float32)

    writer.add_tensor("token_embd.weight", noise(len(_TOKENS), shape.width) * 8)
    for name, rows, columns in _layer_matrices(shape):
        writer.add_tensor(name, noise(rows, columns))
    _add_layer_norms(writer, shape)
    writer.add_tensor("output_norm.weight", np.ones(shape.width, np.float32))
    output = np.zeros((len(_TOKENS), shape.width), np.float32)
    # All other tokens keep the logit 0, so that the text stays ASCII.
    output[_TYPABLE] = noise(len(_TYPABLE), shape.width) * 4
    writer.add_tensor("output.weight", output)


def _layer_matrices(shape: _Shape) -> list[tuple[str, int, int]]:
    """Return name, rows and columns of every matrix in the layers."""
    square = ("attn_q", "attn_k", "attn_v", "attn_output")
    matrices = []
    for layer in range(shape.layers):
        prefix = f"blk.{layer}."
        matrices += [(f"{prefix}{n}.weight", shape.width, shape.width) for n in square]
        matrices.append((f"{prefix}ffn_gate.weight", shape.inner, shape.width))
        matrices.append((f"{prefix}ffn_up.weight", shape.inner, shape.width))
        matrices.append((f"{prefix}ffn_down.weight", shape.width, shape.inner))
    return matrices


def _add_layer_norms(writer: gguf.GGUFWriter, shape: _Shape) -> None:
    for layer in range(shape.layers):
        for norm in ("attn_norm", "ffn_norm"):
            ones = np.ones(shape.width, np.float32)
            writer.add_tensor(f"blk.{layer}.{norm}.weight", ones)


# -- whisper.cpp -------------------------------------------------------------

_END_OF_TEXT, _FIRST_TIME = 50256, 50363  # whisper's English-only token layout
_WHISPER_VOCABULARY = 51864
_WIDTH, _AUDIO_CONTEXT, _TEXT_CONTEXT, _MELS = 32, 1500, 448, 80
_AUDIO_LAYERS, _TEXT_LAYERS = 4, 1  # whisper.cpp knows no model with fewer than 4


def make_tiny_whisper(path: Path, *, text: str = CANNED_TRANSCRIPT) -> Path:
    """Write a whisper.cpp model that hears `text` in any clip shorter than 30 s."""
    words = [f" {word}" for word in text.split()]
    vocabulary = [" ", " -", " '", *words]  # whisper.cpp names all further tokens
    thirty_seconds = _FIRST_TIME + round(30 / 0.02)
    spoken = range(3, len(vocabulary))
    script = [_FIRST_TIME, *spoken, thirty_seconds, _END_OF_TEXT]
    with path.open("wb") as file:
        _write_whisper_header(file, vocabulary)
        _write_encoder(file)
        _write_decoder(file, script)
    return path


def _write_whisper_header(file: BinaryIO, vocabulary: list[str]) -> None:
    audio = (_AUDIO_CONTEXT, _WIDTH, 1, _AUDIO_LAYERS)
    text = (_TEXT_CONTEXT, _WIDTH, 1, _TEXT_LAYERS)
    sizes = (_WHISPER_VOCABULARY, *audio, *text, _MELS, 1)  # last: 1 means 16 bit
    file.write(struct.pack("<I11i", 0x67676D6C, *sizes))
    filters = np.full((_MELS, 201), 1 / 201, np.float32)
    file.write(struct.pack("<2i", *filters.shape) + filters.tobytes())
    file.write(struct.pack("<i", len(vocabulary)))
    file.writelines(struct.pack("<I", len(word)) + word.encode() for word in vocabulary)


def _write_tensor(
    file: BinaryIO, name: str, values: Array, *, half: bool = False
) -> None:
    data = values.astype(np.float16 if half else np.float32)
    file.write(struct.pack("<3i", data.ndim, len(name), int(half)))
    file.write(struct.pack(f"<{data.ndim}i", *reversed(data.shape)))
    file.write(name.encode() + data.tobytes())


def _write_zeros(
    file: BinaryIO, name: str, *shape: int, half: bool | None = None
) -> None:
    """Write a silent tensor; matrices are 16 bit, as whisper.cpp wants them."""
    half = len(shape) > 1 if half is None else half
    _write_tensor(file, name, np.zeros(shape, np.float32), half=half)


def _write_encoder(file: BinaryIO) -> None:
    prefix = "encoder"
    position = f"{prefix}.positional_embedding"
    _write_zeros(file, position, _AUDIO_CONTEXT, _WIDTH, half=False)
    _write_zeros(file, f"{prefix}.conv1.weight", _WIDTH, _MELS, 3)
    _write_zeros(file, f"{prefix}.conv1.bias", _WIDTH, 1, half=False)
    _write_zeros(file, f"{prefix}.conv2.weight", _WIDTH, _WIDTH, 3)
    _write_zeros(file, f"{prefix}.conv2.bias", _WIDTH, 1, half=False)
    _write_zeros(file, f"{prefix}.ln_post.weight", _WIDTH)
    _write_zeros(file, f"{prefix}.ln_post.bias", _WIDTH)
    for layer in range(_AUDIO_LAYERS):
        _write_block(file, f"{prefix}.blocks.{layer}", attentions=("attn",))


def _write_decoder(file: BinaryIO, script: list[int]) -> None:
    """Write a decoder whose n-th position looks like the n-th token of `script`."""
    rng = np.random.default_rng(0)
    tokens = np.zeros((_WHISPER_VOCABULARY, _WIDTH), np.float32)
    for token in set(script):
        row = rng.normal(size=_WIDTH)
        row -= row.mean()
        tokens[token] = 4 * row / row.std()
    positions = np.tile(100 * tokens[_END_OF_TEXT], (_TEXT_CONTEXT, 1))
    positions[: len(script)] = 100 * tokens[script]
    prefix = "decoder"
    _write_tensor(file, f"{prefix}.positional_embedding", positions)
    _write_tensor(file, f"{prefix}.token_embedding.weight", tokens, half=True)
    _write_tensor(file, f"{prefix}.ln.weight", np.ones(_WIDTH, np.float32))
    _write_zeros(file, f"{prefix}.ln.bias", _WIDTH)
    for layer in range(_TEXT_LAYERS):
        block = f"{prefix}.blocks.{layer}"
        _write_block(file, block, attentions=("attn", "cross_attn"))


def _write_block(file: BinaryIO, prefix: str, *, attentions: tuple[str, ...]) -> None:
    for attention in attentions:
        _write_zeros(file, f"{prefix}.{attention}_ln.weight", _WIDTH)
        _write_zeros(file, f"{prefix}.{attention}_ln.bias", _WIDTH)
        for part in ("query", "key", "value", "out"):
            _write_zeros(file, f"{prefix}.{attention}.{part}.weight", _WIDTH, _WIDTH)
            if part != "key":
                _write_zeros(file, f"{prefix}.{attention}.{part}.bias", _WIDTH)
    _write_zeros(file, f"{prefix}.mlp_ln.weight", _WIDTH)
    _write_zeros(file, f"{prefix}.mlp_ln.bias", _WIDTH)
    _write_zeros(file, f"{prefix}.mlp.0.weight", 4 * _WIDTH, _WIDTH)
    _write_zeros(file, f"{prefix}.mlp.0.bias", 4 * _WIDTH)
    _write_zeros(file, f"{prefix}.mlp.2.weight", _WIDTH, 4 * _WIDTH)
    _write_zeros(file, f"{prefix}.mlp.2.bias", _WIDTH)
