# SPDX-License-Identifier: Apache-2.0
"""Names a result by everything that can change it, and by nothing else.

By the content of the model and the settings that change its answers, by what it is
asked, by the content of files. Not by names of steps, models or files, by endpoints,
retries or time limits: those decide whether and when there is an answer, not which.
The version of the runtime (Ollama, llama.cpp) is not among it either: it answers no
better to the same question, and every update would forget all results.
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import blake2b
from operator import methodcaller
from typing import assert_never

from msgspec import Struct, field

from lao.engine.file_digests import FileDigests
from lao.engine.requests import schema_words, takes_prompt
from lao.errors import LaoError
from lao.planning.plan import Engine
from lao.roles import Backend, BackendFactory
from lao.workflow.inference import ModelRequest
from lao.workflow.local_models import (
    Custom,
    Embedded,
    Installed,
    LlamaCpp,
    ModelBackend,
    Ollama,
    Options,
    WhisperCpp,
)
from lao.workflow.template import Template
from lao.workflow.values import JsonValue

RESULT_VERSION = 1
"""Raised whenever LAO itself would answer differently."""

_ENGINES = 16_384  # whose names are begun; the oldest are forgotten
_TAGS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_in_order = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode
_sorted = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode


class ResultName(Struct, frozen=True, kw_only=True):
    """The name of a result, and what it is made of.

    `ingredients` holds a short digest of each thing that could change it: model,
    prompt (as written), options, schema, input (what fills the prompt in), files,
    version. They explain why a key differs; only the key decides.
    """

    key: str
    ingredients: Mapping[str, str]
    model_digest: str
    reproducible: bool


class _Options(Struct, frozen=True, kw_only=True):
    """The options of a request: as text, in short, and whether they leave no chance."""

    text: str
    short: str
    reproducible: bool


class _Begun(Struct, kw_only=True):
    """What is the same in all names of an engine's results, and what was last.

    `model` and `options` are the short digest and the options of the latest request,
    under what they were made of: they seldom change. `unfilled` are the fillings of a
    prompt that is its template's words, and of no system prompt.
    """

    engine: Engine
    backend: Backend
    text: str
    settings: str
    words: tuple[str, ...]
    system: tuple[str, ...]
    schema_words: str
    ingredients: Mapping[str, str]
    unfilled: str
    reads_input: bool
    model: tuple[str, str] = ("", "")
    options: tuple[str, _Options | None] = ("", None)


Identify = Callable[[Backend], Awaitable[str]]
_ask: Identify = methodcaller("identify")


class AskedOnce(Struct):
    """Asks each model once what it is, and remembers also what went wrong."""

    answers: dict[int, str | LaoError] = field(default_factory=dict)

    async def identify(self, backend: Backend) -> str:
        """Return the digest of a model, as it was when first asked for."""
        answer = self.answers.get(id(backend))
        if answer is None:
            try:
                answer = await backend.identify()
            except LaoError as error:
                answer = error
            self.answers[id(backend)] = answer
        if isinstance(answer, LaoError):
            raise answer
        return answer


class Namer:
    """Names results. Each model is asked anew what it is: it may be exchanged.

    `identify` asks it. State: what is the same for all requests of an engine, and
    digests of files.
    """

    def __init__(
        self,
        backends: BackendFactory,
        *,
        files: FileDigests | None = None,
        identify: Identify = _ask,
    ) -> None:
        self._backends = backends
        self._files = files or FileDigests()
        self._ask = identify
        self._begun: dict[int, _Begun] = {}

    async def identify(self, engine: Engine) -> str:
        """Return the digest of the engine's model.

        Raises:
            LaoError: the model cannot be used.
        """
        return await self._ask(self._begin(engine).backend)

    async def name(self, engine: Engine, request: ModelRequest) -> ResultName:
        """Return the name of what the engine's model answers to a request.

        Raises:
            LaoError: the model cannot be used, or a file cannot be read.
        """
        begun = self._begin(engine)
        model = await self._ask(begun.backend)
        if begun.model[0] != model:
            begun.model = model, _short(_joined([model, begun.settings]))
        options = await self._options(begun, request)
        contents = ""
        if request.files:
            digests = [await self._files.digest(path) for path in request.files]
            contents = ",".join(digests)
        given = _given(request) if begun.reads_input else ""
        prompt, system = request.prompt, request.system
        asked = (model, options.text, prompt, system, given, contents, request.wants)
        return ResultName(
            key=blake2b(
                _encoded(begun.text + _joined(asked)), digest_size=32
            ).hexdigest(),
            ingredients={
                **begun.ingredients,
                "model": begun.model[1],
                "options": options.short,
                "input": _short(_fillings(begun, prompt, system) + _joined((given,))),
                "files": _short(contents) if contents else _NO_FILES,
            },
            model_digest=model,
            reproducible=options.reproducible,
        )

    async def _options(self, begun: _Begun, request: ModelRequest) -> _Options:
        """Return the options in force; a file among them counts by its content."""
        model = begun.engine.model
        chosen = {**model.options, **request.options}
        if isinstance(model, WhisperCpp):
            for name, value in chosen.items():
                if name.endswith("_path") and isinstance(value, str) and value:
                    chosen[name] = await self._files.digest(value)
        written = f"{chosen!r} {request.wants}" if chosen else request.wants
        known = begun.options[1]
        if known is None or begun.options[0] != written:
            known = _options(model, chosen, request)
            begun.options = written, known
        return known

    def _begin(self, engine: Engine) -> _Begun:
        known = self._begun.get(id(engine))
        if known is None:  # the entry keeps the engine, so that its id stays its own
            known = self._begun[id(engine)] = _begin(engine, self._backends)
            if len(self._begun) > _ENGINES:
                del self._begun[next(iter(self._begun))]
        return known


def _begin(engine: Engine, backends: BackendFactory) -> _Begun:
    settings = _in_order(_settings(engine.model))
    output = engine.output
    # The order of a schema's properties is the order in which a model fills them in.
    schema = [str(output.type), output.schema and dict(output.schema)]
    sources = [each and each.source for each in (engine.prompt, engine.system)]
    words, system = _fixed_words(engine.prompt), _fixed_words(engine.system)
    return _Begun(
        engine=engine,
        backend=backends(engine.model),
        text=_joined([_joined([str(RESULT_VERSION), settings, _in_order(schema)])]),
        settings=settings,
        words=words,
        system=system,
        schema_words=schema_words(output.schema) if output.schema else "",
        unfilled=_all_fillings("".join(words), words, "", system),
        reads_input=not takes_prompt(engine),
        ingredients={
            "prompt": _short(_in_order(sources)),
            "schema": _short(_in_order(schema)),
            "version": _short(str(RESULT_VERSION)),
        },
    )


def _settings(model: ModelBackend) -> JsonValue:
    """Return what changes a model's answers beside its content and its options."""
    match model:
        case Ollama():
            return [model.kind, model.think, model.mode]
        case WhisperCpp():  # a program of its own is a part of its identity
            return [model.kind, model.program is not None]
        case LlamaCpp():
            return [model.kind]
        case Embedded():
            return [model.kind, model.name]
        case Custom():
            return [model.kind, model.plugin.partition(".py:")[2]]
        case Installed():  # its identity is that of all its files
            return [model.kind]
        case _:
            assert_never(model)


def _options(model: ModelBackend, chosen: Options, request: ModelRequest) -> _Options:
    text = _sorted(chosen)
    if isinstance(model, Custom | Installed):  # loaded with its own, asked with all
        text = _sorted([dict(model.options), chosen])
    is_sampled = request.wants != "embedding" and _is_sampled(model, chosen)
    return _Options(text=text, short=_short(text), reproducible=not is_sampled)


def _is_sampled(model: ModelBackend, options: Options) -> bool:
    """Whether asking again would give another answer.

    A language model samples by chance unless its temperature is 0 or it has a seed;
    the other models do so only if they are given a temperature.
    """
    match model:
        case Ollama() | LlamaCpp():
            usual: JsonValue = 1
        case WhisperCpp() | Embedded() | Custom() | Installed():
            usual = 0
        case _:
            assert_never(model)
    seed = options.get("seed")
    is_seeded = isinstance(seed, int) and seed >= 0  # below 0: by chance
    return options.get("temperature", usual) != 0 and not is_seeded


def _given(request: ModelRequest) -> str:
    """Return what a model works on that reads more than its prompt."""
    return _in_order(_without_paths(request.input, request.files))


def _fixed_words(template: Template | None) -> tuple[str, ...]:
    """Return the stretches of a template that stand in every text it makes."""
    return tuple(filter(None, _TAGS.split(template.source))) if template else ()


def _fillings(begun: _Begun, prompt: str, system: str) -> str:
    """Return what fills the templates in, without the words of the templates.

    So a template that was reworded counts as another prompt, not as another input.
    """
    if begun.schema_words:
        prompt = prompt.removesuffix(begun.schema_words)
    if (prompt,) == begun.words and not system:  # nothing does
        return begun.unfilled
    return _all_fillings(prompt, begun.words, system, begun.system)


def _all_fillings(
    prompt: str, words: tuple[str, ...], system: str, system_words: tuple[str, ...]
) -> str:
    return _joined([*_rest(prompt, words), "system", *_rest(system, system_words)])


def _rest(text: str, words: tuple[str, ...]) -> list[str]:
    """Return what stands between the `words`, in order, and which of them are there."""
    rest: list[str] = []
    start = 0
    for number, word in enumerate(words):
        at = text.find(word, start)
        if at >= 0:
            rest += [text[start:at], str(number)]
            start = at + len(word)
    return [*rest, text[start:]]


def _without_paths(value: JsonValue, files: Sequence[str]) -> JsonValue:
    """Return a value in which files are numbers: they count by their content."""
    if not files:
        return value
    match value:
        case str() if value in files:
            return {"file": files.index(value)}
        case list():
            return [_without_paths(item, files) for item in value]
        case dict():
            return {key: _without_paths(item, files) for key, item in value.items()}
        case _:
            return value


def _joined(parts: Sequence[str]) -> str:
    """Return one text of several, from which they could be told apart again."""
    return "".join([f"{len(part)}:{part}" for part in parts])


def _short(text: str) -> str:
    return blake2b(_encoded(text), digest_size=6).hexdigest()


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # names of files may not be UTF-8


_NO_FILES = _short("")
