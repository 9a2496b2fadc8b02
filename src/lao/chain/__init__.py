# SPDX-License-Identifier: Apache-2.0
"""The one-line language: `transcribe talk.wav | summarize | extract-entities`.

    chain  := [source '|'] stage ('|' stage)*
    stage  := call | '{' call (',' call)* '}'
    call   := name (word | '--'key [value] | '--'key'='value | key'='value)*
    name   := a recipe | ollama:MODEL | llama.cpp:PATH | whisper.cpp:PATH
            | custom:FILE.py[:CLASS] | embedded:NAME | @TEMPLATE-FILE
            | a plugin | plugin:NAME
    source := PATH | GLOB | '-' | a quoted text

Words quote as in a POSIX shell and are data: `{{` in a word is text, never a
template. Braces do not nest, and a branch is one call.

What goes where
- The value that comes down the pipe goes to a recipe's main parameter, or is a
  plugin's input. Words fill the
  other parameters, those that must be given first, else in their declared order.
- Without a source, the first stage may bring its own input: its first word, unless
  the parameters that must be given need every word (`answer "Who?"` reads the pipe,
  `answer notes.txt "Who?"` the file). `transcribe a.wav` is `a.wav | transcribe`.
- A chat model's first word is its instruction; the material follows it after a blank
  line. `--key value` are the model's options. A template file names the material
  `{{ input }}`, or it follows likewise; the configured model answers it, or that of --model.
- `--model`, `--timeout` and `--retry` go with every stage.
- Braces make a JSON object with one key per branch, its name as written. Where text
  is wanted, JSON goes in as JSON text.
- A glob makes a list: every stage runs once per element, and the last output is a
  list in the same order. A recipe that only acts, such as `save`, gets the whole list.
"""

from collections.abc import Callable, Mapping, Sequence, Set as AbstractSet
from types import MappingProxyType

from msgspec import Struct

from lao.chain.calls import MODEL_KINDS, Call, CallReader
from lao.chain.sources import (
    Source,
    SourceGlob,
    SourcePath,
    SourceStdin,
    SourceText,
    input_for,
    looks_like_source,
    read_source,
)
from lao.chain.steps import StepWriter, Value, wanted_by
from lao.chain.tokens import Faults, Stage, Token, quote, read_stages
from lao.errors import InvalidWorkflow, Problem, Span
from lao.workflow.plugins import PluginManifest
from lao.workflow.steps import Input, Recipe, Workflow

__all__ = [
    "ParsedChain",
    "Path",
    "Source",
    "SourceGlob",
    "SourcePath",
    "SourceStdin",
    "SourceText",
    "parse_chain",
    "quote",
]

Path = tuple[str | int, ...]


class ParsedChain(Struct, frozen=True, kw_only=True):
    """A chain as a workflow. `source` fills its input "input"; None: nothing does yet.

    The input's default says the same to whoever runs the workflow from a file.
    """

    text: str
    workflow: Workflow
    source: Source | None
    spans: Mapping[Path, tuple[int, int]]

    def locate(self, path: Path, line: int = 1) -> Span:
        """Return the stretch of the chain that a part of the workflow comes from."""
        del line  # a chain is one line
        while path and path not in self.spans:
            path = path[:-1]
        return Span(self.text, *self.spans.get(path, (0, len(self.text))))


def parse_chain(
    text: str,
    recipes: Mapping[str, Recipe],
    *,
    plugins: Mapping[str, PluginManifest] = MappingProxyType({}),
    base: str = ".",
    read_text: Callable[[str], str] | None = None,
) -> ParsedChain:
    """Read a chain. `read_text` reads the template files that it names.

    Recipes go before plugins of the same name.

    Raises:
        InvalidWorkflow: with every problem found, each underlined in the text.
    """
    faults = Faults(text)
    stages = read_stages(text, faults)
    names = frozenset([*recipes, *plugins])
    word = _leading_source(stages, names)
    if word is not None:
        del stages[0]
        if not stages:
            what = "this chain has an input and no step"
            mend = f"add one: `{quote(word.value)} | summarize`"
            faults.add("no-stage", what, (word.start, word.end), mend=mend)
    reader = CallReader(recipes, plugins, read_text or _read_nothing, faults)
    calls = [
        _read_stage(stage, reader, names, is_first=number == 0 and word is None)
        for number, stage in enumerate(stages)
    ]
    if faults.found:
        raise InvalidWorkflow(sorted(faults.found, key=_start))
    return _compile(text, list(zip(stages, calls, strict=True)), word, base=base)


def _compile(
    text: str,
    stages: Sequence[tuple[Stage, Sequence[Call]]],
    word: Token | None,
    *,
    base: str,
) -> ParsedChain:
    first = stages[0][1][0]
    wanted = wanted_by(first)
    word = word or first.own
    source = read_source(word, wanted) if word is not None else None
    given = input_for(source, wanted)
    may_be_absent = word is None and len(stages[0][1]) == 1 and bool(first.instruction)
    if may_be_absent:
        given = Input(type=given.type, default="", optional=True)
    value = Value(
        name="inputs.input",
        type=given.type.item or given.type,
        is_list=given.type.item is not None,
        may_be_absent=may_be_absent,
    )
    writer = StepWriter()
    if word is not None:
        writer.spans["inputs",] = (word.start, word.end)
    for stage, calls in stages:
        if stage.braces:
            branches = {
                name: writer.call(call, value)
                for name, call in zip(_keys(calls), calls, strict=True)
            }
            value = writer.join(branches, (stage.start, stage.end))
        else:
            value = writer.call(calls[0], value)
    workflow = Workflow(
        name="chain",
        inputs={"input": given},
        steps=tuple(writer.steps),
        outputs={"output": value.whole},
        base=base,
    )
    return ParsedChain(text=text, workflow=workflow, source=source, spans=writer.spans)


def _keys(calls: Sequence[Call]) -> list[str]:
    """Return the branches' names as written; a second `a` is `a-2`."""
    keys: dict[str, None] = {}
    for call in calls:
        name, count = call.name.value, 1
        while name in keys:
            count += 1
            name = f"{call.name.value}-{count}"
        keys[name] = None
    return list(keys)


def _leading_source(stages: Sequence[Stage], names: AbstractSet[str]) -> Token | None:
    """Return the word that is the chain's source, if the first item is one."""
    if not stages or stages[0].braces or len(stages[0].calls[0]) > 1:
        return None
    word = stages[0].calls[0][0]
    if _is_name(word, names):
        return None
    return word if word.is_quoted or looks_like_source(word) else None


def _is_name(word: Token, names: AbstractSet[str]) -> bool:
    if word.value in names:
        return True
    has_space = any(sign.isspace() for sign in word.value)
    if word.is_quoted and (has_space or word.value.startswith("@")):
        return False
    kind, colon, _ = word.value.partition(":")
    return word.value.startswith("@") or kind + colon in MODEL_KINDS


def _read_stage(
    stage: Stage, reader: CallReader, names: AbstractSet[str], *, is_first: bool
) -> list[Call]:
    calls: list[Call] = []
    for words in stage.calls:
        name = words[0]
        if not _is_name(name, names) and looks_like_source(name):
            _refuse_source(name, reader.faults, is_first=is_first)
            continue
        may_bring_input = is_first and not stage.braces
        call = reader.read(words, may_bring_input=may_bring_input)
        if call is not None:
            calls.append(call)
    return calls


def _refuse_source(word: Token, faults: Faults, *, is_first: bool) -> None:
    span = (word.start, word.end)
    if is_first:
        what = f"the source {word.value!r} must stand alone"
        mend = "put a pipe after it; several files need a glob, such as 'notes/*.md'"
        faults.add("source-not-alone", what, span, mend=mend)
    else:
        what = f"{word.value!r} is a source in the middle of the chain"
        mend = "move it to the front; to write a file, use `save PATH`"
        faults.add("source-not-first", what, span, mend=mend)


def _read_nothing(path: str) -> str:
    raise ValueError(f"no file is read here, {path!r} neither")


def _start(problem: Problem) -> int:
    return problem.where.start if isinstance(problem.where, Span) else 0
