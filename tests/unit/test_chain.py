# SPDX-License-Identifier: Apache-2.0
"""The chain language: what it compiles to, what it refuses, and where it points."""

from collections.abc import Mapping

import pytest
from hypothesis import example, given, strategies as st

from lao.chain import (
    ParsedChain,
    SourceGlob,
    SourcePath,
    SourceStdin,
    SourceText,
    parse_chain,
    quote,
)
from lao.chain.words import literal
from lao.errors import InvalidWorkflow, Problem, Span
from lao.workflow.local_models import Custom, Embedded, LlamaCpp, Ollama, WhisperCpp
from lao.workflow.steps import Output, Parameter, Recipe, RecipeEngine, Retry
from lao.workflow.template import parse_template, parse_tree
from lao.workflow.values import AUDIO, IMAGE, JSON, TEXT, ValueType, list_of


def _recipe(
    name: str,
    main: str = "text",
    *,
    gives: ValueType = TEXT,
    needs: str = "chat",
    **parameters: Parameter,
) -> Recipe:
    entering = Parameter(type=AUDIO if needs == "speech" else TEXT)
    return Recipe(
        name=name,
        description=name,
        main=main,
        needs=needs,  # type: ignore[arg-type]
        parameters={main: entering, **parameters},
        engine=RecipeEngine(output=Output(type=gives)),
    )


RECIPES: Mapping[str, Recipe] = {
    each.name: each
    for each in (
        _recipe(
            "transcribe", "audio", needs="speech", format=Parameter(default="text")
        ),
        _recipe("summarize", style=Parameter(default="bullets")),
        _recipe("extract-entities", gives=JSON),
        _recipe("translate", to=Parameter(), source=Parameter(optional=True)),
        _recipe("answer", question=Parameter()),
        _recipe("classify", gives=JSON, labels=Parameter(type=list_of(TEXT))),
        _recipe("tags", gives=JSON, count=Parameter(type=JSON, default=5)),
        _recipe("ask", "prompt"),
        _recipe(
            "save",
            needs="none",
            path=Parameter(),
            overwrite=Parameter(type=JSON, default=False),
        ),
    )
}
TEMPLATES = {
    "tidy.md": "Tidy this up.\n",
    "in.md": "A {{ input }} Z",
    "bad.md": "{{ input",
}


def _read(path: str) -> str:
    if path not in TEMPLATES:
        raise FileNotFoundError(2, "No such file or directory", path)
    return TEMPLATES[path]


def parse(text: str, recipes: Mapping[str, Recipe] = RECIPES) -> ParsedChain:
    return parse_chain(text, recipes, read_text=_read)


def problems(text: str) -> list[tuple[str, str]]:
    """Return the codes and what each underlines."""
    with pytest.raises(InvalidWorkflow) as caught:
        parse(text)
    found = []
    for problem in caught.value.problems:
        assert isinstance(problem.where, Span)
        assert problem.mend
        underlined = text[problem.where.start : problem.where.end]
        found.append((problem.code.removeprefix("chain."), underlined))
    return found


def test_stages_become_steps_that_read_the_one_before():
    chain = parse("transcribe audio.wav | summarize | extract-entities")
    assert [(step.id, step.uses, step.arguments) for step in chain.workflow.steps] == [
        ("transcribe", "transcribe", {"audio": "{{ inputs.input }}"}),
        ("summarize", "summarize", {"text": "{{ transcribe }}"}),
        ("extract_entities", "extract-entities", {"text": "{{ summarize }}"}),
    ]
    assert chain.workflow.outputs == {"output": "{{ extract_entities }}"}


def test_a_step_that_comes_twice_gets_a_number():
    ids = [
        step.id for step in parse("summarize | summarize | summarize").workflow.steps
    ]
    assert ids == ["summarize", "summarize_2", "summarize_3"]


@pytest.mark.parametrize(
    ("text", "source", "kind", "default"),
    [
        ("transcribe a.wav", SourcePath("a.wav"), AUDIO, "a.wav"),
        ("'my talk' | transcribe", SourcePath("my talk"), AUDIO, "my talk"),
        ("a.wav | summarize", SourcePath("a.wav"), AUDIO, "a.wav"),
        ("a.png | ollama:llava", SourcePath("a.png"), IMAGE, "a.png"),
        ("notes.md | summarize", SourcePath("notes.md"), TEXT, {"file": "notes.md"}),
        ("./notes | summarize", SourcePath("./notes"), TEXT, {"file": "./notes"}),
        ("'Is it so?' | summarize", SourceText("Is it so?"), TEXT, "Is it so?"),
        ("'Why?' | summarize", SourceText("Why?"), TEXT, "Why?"),
        ("'{{ x }}' | summarize", SourceText("{{ x }}"), TEXT, "{{ x }}"),
        ("summarize 'It rains.'", SourceText("It rains."), TEXT, "It rains."),
        ("summarize --text 'It rains.'", SourceText("It rains."), TEXT, "It rains."),
        ("- | summarize", SourceStdin(), TEXT, None),
        ("summarize -", SourceStdin(), TEXT, None),
        ("summarize", None, TEXT, None),
        ("'*.md' | tags", SourceGlob("*.md"), list_of(TEXT), {"glob": "*.md"}),
        ("transcribe '*.wav'", SourceGlob("*.wav"), list_of(AUDIO), {"glob": "*.wav"}),
    ],
)
def test_a_source_is_told_by_its_shape(text, source, kind, default):
    chain = parse(text)
    given_input = chain.workflow.inputs["input"]
    assert (chain.source, given_input.type, given_input.default) == (
        source,
        kind,
        default,
    )


def test_an_own_input_means_the_same_as_a_source():
    assert parse("transcribe a.wav | tags").workflow == (
        parse("a.wav | transcribe | tags").workflow
    )


@pytest.mark.parametrize(
    ("text", "source", "arguments"),
    [
        ("answer Who?", None, {"question": "Who?"}),
        ("answer n.txt Who?", SourcePath("n.txt"), {"question": "Who?"}),
        ("answer n.txt --question Who?", SourcePath("n.txt"), {"question": "Who?"}),
        ("n.txt | answer Who?", SourcePath("n.txt"), {"question": "Who?"}),
        ("translate de en", SourceText("de"), {"to": "en"}),
        ("n.txt | translate de en", SourcePath("n.txt"), {"to": "de", "source": "en"}),
        ("save out.md", None, {"path": "out.md"}),
        ("save a.md --overwrite", None, {"path": "a.md", "overwrite": True}),
        ("save --overwrite a.md", None, {"path": "a.md", "overwrite": True}),
        ("save a.md --overwrite false", None, {"path": "a.md", "overwrite": False}),
    ],
)
def test_words_fill_what_must_be_given_before_the_input(text, source, arguments):
    chain = parse(text)
    given_arguments = dict(chain.workflow.steps[0].arguments)
    assert given_arguments.pop("text") == "{{ inputs.input }}"
    assert (chain.source, given_arguments) == (source, arguments)


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ("tags --count 7", {"count": 7}),
        ("tags count=7", {"count": 7}),
        ("tags --count=7", {"count": 7}),
        ("tags --count '[1, \"a\"]'", {"count": [1, "a"]}),
        ("tags --count many", {"count": "many"}),
        ("tags --count NaN", {"count": "NaN"}),
        ("tags --count 1e999", {"count": "1e999"}),
        ("summarize --style 5", {"style": "5"}),
        ("summarize --style ''", {"style": ""}),
        ("summarize '--style'", {"style": "--style"}),
        ("summarize 'a=b'", {"style": "a=b"}),
        ("summarize --style -1", {"style": "-1"}),
        ("answer '{{ x }}'", {"question": '{{ "{" }}{ x }}'}),
        ("classify a,b", {"labels": ["a", "b"]}),
        ("{ classify 'a, b' }", {"labels": ["a", "b"]}),
    ],
)
def test_values_are_read_as_their_parameter_wants(words, arguments):
    step = parse(f"- | {words}").workflow.steps[0]
    assert dict(step.arguments) == {"text": "{{ inputs.input }}", **arguments}


def test_quoting_is_that_of_a_shell():
    text = r"""- | answer a\ b'|c'"{,\"\$}\n"\'"""
    assert parse(text).workflow.steps[0].arguments["question"] == "a b|c{,\"$}\\n'"


@pytest.mark.parametrize(
    ("name", "step_id", "model"),
    [
        ("ollama:llama3.2", "llama3_2", Ollama(model="llama3.2")),
        ("ollama:a/b:7b", "a_b_7b", Ollama(model="a/b:7b")),
        ("llama.cpp:~/m/q.gguf", "q", LlamaCpp(model_path="~/m/q.gguf")),
        ("whisper.cpp:b.en.bin", "b_en", WhisperCpp(model_path="b.en.bin")),
        ("custom:x/my.py:Best", "my", Custom(plugin="x/my.py:Best")),
        ("embedded:summary", "summary", Embedded(name="summary")),
    ],
)
def test_a_model_is_named_by_its_kind(name, step_id, model):
    step = parse(f"- | {name} --temperature 0 --timeout 5m --retry 3").workflow.steps[0]
    assert (step.id, step.model) == (step_id, model)
    assert (step.options, step.timeout) == ({"temperature": 0}, 300)
    assert step.retry == Retry(attempts=3)


def test_an_instruction_stands_before_the_material():
    step = parse("n.txt | ollama:x 'Say it {{ well }}.'").workflow.steps[0]
    prompt = parse_template(step.prompt_template)
    assert step.input == "{{ inputs.input }}"
    assert prompt.render({"input": "rain"}) == "Say it {{ well }}.\n\nrain"


def test_an_instruction_needs_no_material():
    chain = parse("ollama:x 'A haiku, please'")
    prompt = parse_template(chain.workflow.steps[0].prompt_template)
    assert chain.workflow.inputs["input"].default == ""
    assert prompt.render({"input": ""}) == "A haiku, please"
    assert prompt.render({"input": "rain"}) == "A haiku, please\n\nrain"


def test_an_image_goes_beside_the_instruction():
    [step] = parse("a.png | ollama:llava 'What is it?'").workflow.steps
    assert (step.input, step.prompt_template) == ("{{ inputs.input }}", "What is it?")


def test_a_model_may_be_given_to_a_recipe():
    first, second = parse(
        "summarize --model ollama:a | tags --model b.gguf"
    ).workflow.steps
    assert (first.uses, first.model) == ("summarize", Ollama(model="a"))
    assert second.model == LlamaCpp(model_path="b.gguf")


def test_a_template_file_is_answered_by_its_model():
    [step] = parse("n.txt | @in.md --model ollama:a --seed 1").workflow.steps
    assert (step.id, step.model, step.options) == (
        "step_in",
        Ollama(model="a"),
        {"seed": 1},
    )
    assert (step.input, step.prompt_template) == (
        "{{ inputs.input }}",
        "A {{ input }} Z",
    )


def test_a_template_file_without_a_model_is_put_to_the_default_one():
    [step] = parse("n.txt | @tidy.md").workflow.steps
    assert (step.model, step.prompt_template) == (
        None,
        "Tidy this up.\n\n{{ input }}",
    )


def test_braces_give_an_object_with_the_names_as_written():
    steps = parse("{ summarize, extract-entities, summarize }").workflow.steps
    assert [step.id for step in steps][-1] == "branches"
    assert steps[-1].input == {
        "summarize": "{{ summarize }}",
        "extract-entities": "{{ extract_entities }}",
        "summarize-2": "{{ summarize_2 }}",
    }
    assert (steps[-1].model, steps[-1].uses) == (None, None)


def test_json_goes_into_text_as_its_text():
    for text in ("tags | summarize", "{ tags } | summarize", "tags | embedded:summary"):
        last = parse(text).workflow.steps[-1]
        given = last.arguments.get("text", last.input)
        [name] = parse_template(given).names
        assert parse_template(given).evaluate({name: {"a": [1]}}) == (
            '{\n  "a": [\n    1\n  ]\n}'
        )


def test_a_glob_runs_every_stage_once_per_element():
    steps = parse(
        "'n/*.md' | tags | { summarize, translate de } | save a"
    ).workflow.steps
    tags, summarize, translate, branches, save = steps
    assert (tags.for_each, tags.arguments["text"]) == (
        "{{ inputs.input }}",
        "{{ item }}",
    )
    assert summarize.for_each == translate.for_each == "{{ tags }}"
    assert branches.input == {"summarize": "{{ item.0 }}", "translate": "{{ item.1 }}"}
    assert (save.for_each, save.arguments["text"]) == (None, "{{ branches }}")
    rows = parse_template(branches.for_each).evaluate(
        {"summarize": ["a", "b"], "translate": ["c", {"d": 1}]}
    )
    assert rows == [["a", "c"], ["b", {"d": 1}]]


def test_the_documented_mistake_reads_as_documented():
    with pytest.raises(InvalidWorkflow) as caught:
        parse("transcribe audio.wav | sumarize | extract-entities")
    assert str(caught.value) == (
        "error[chain.unknown-recipe]: no recipe or plugin is called 'sumarize'\n"
        "  transcribe audio.wav | sumarize | extract-entities\n"
        "                         ^^^^^^^^\n"
        "  mend: did you mean 'summarize'?"
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [("empty", "")]),
        ("  ", [("empty", "  ")]),
        ("summarize | 'a b", [("unclosed-quote", "'a b")]),
        ('- | answer "a', [("unclosed-quote", '"a')]),
        ("- | answer a\\", [("unfinished-escape", "\\")]),
        ("- | { tags, summarize", [("unclosed-brace", "{")]),
        ("{ tags, { summarize } }", [("nested-braces", "{")]),
        ("{ tags | summarize }", [("pipe-in-braces", "|")]),
        ("{ tags } summarize", [("words-after-braces", "summarize")]),
        ("{ tags, }", [("empty-branch", "{ tags, }")]),
        ("{}", [("empty-branch", "{}")]),
        ("tags || summarize", [("empty-stage", "||")]),
        ("| tags", [("empty-stage", "|")]),
        ("tags |", [("empty-stage", "|")]),
        ("n.txt", [("no-stage", "n.txt")]),
        ("tags | n.txt", [("source-not-first", "n.txt")]),
        ("a.md b.md | tags", [("source-not-alone", "a.md")]),
        ("tags | olama:x", [("unknown-recipe", "olama:x")]),
        ("ollama:", [("unknown-model", "ollama:")]),
        ("embedded:sumary", [("unknown-model", "embedded:sumary")]),
        ("summarize --stile x", [("unknown-parameter", "--stile x")]),
        ("summarize stile=x", [("unknown-parameter", "stile=x")]),
        ("summarize --style", [("missing-value", "--style")]),
        ("tags --model", [("missing-value", "--model")]),
        ("tags count=1 count=2", [("duplicate-key", "count=2")]),
        ("- | translate", [("missing-parameter", "translate")]),
        ("- | tags 5 6 7", [("too-many-words", "6 7")]),
        ("- | tags --text x", [("input-given-twice", "--text x")]),
        ("tags --retry 0", [("invalid-value", "--retry 0")]),
        ("tags --timeout 5", [("invalid-value", "--timeout 5")]),
        ("tags --model embedded:x", [("invalid-value", "--model embedded:x")]),
        ("ollama:x --model y", [("model-given-twice", "--model y")]),
        ("- | @none.md", [("unreadable-template", "@none.md")]),
        ("- | @bad.md", [("invalid-template", "@bad.md")]),
        (
            "transcrib a.wav | summarize --x 1 | tags 1 2",
            [
                ("unknown-recipe", "transcrib"),
                ("unknown-parameter", "--x 1"),
                ("too-many-words", "2"),
            ],
        ),
    ],
)
def test_every_problem_is_underlined(text, found):
    assert problems(text) == found


def test_a_mistyped_model_kind_is_mended_with_its_model():
    with pytest.raises(InvalidWorkflow, match="did you mean 'ollama:x'"):
        parse("olama:x")


@pytest.mark.parametrize(
    ("text", "code"),
    [("a" * 70_000, "chain.too-long"), ("a|" * 10_001, "chain.too-many-stages")],
)
def test_a_chain_is_bounded(text, code):
    with pytest.raises(InvalidWorkflow) as caught:
        parse(text)
    assert code in [problem.code for problem in caught.value.problems]


def test_only_so_many_problems_are_listed():
    found = problems("|".join(["wrong"] * 1000))
    assert [code for code, _ in found] == ["unknown-recipe"] * 20 + ["more-problems"]


def test_a_long_chain_parses():
    assert len(parse("|".join(["tags"] * 10_000)).workflow.steps) == 10_000


def test_places_lead_back_to_the_text():
    text = "a.wav | transcribe | { summarize --style x, tags 3 }"
    chain = parse(text)

    def at(*path: str | int) -> str:
        span = chain.locate(path)
        return span.text[span.start : span.end]

    assert at("steps", 1, "with", "style") == "--style x"
    assert at("steps", 2, "with", "count") == "3"
    assert at("steps", 1, "with", "text") == at("steps", 1, "uses") == "summarize"
    assert at("steps", 3, "input") == "{ summarize --style x, tags 3 }"
    assert at("inputs", "input", "default") == "a.wav"
    assert at("outputs", "output") == text


# Properties

_WORD = st.text(min_size=1, max_size=12)
_ANY = st.text(alphabet=st.sampled_from("a|{},'\"\\ \n=-:.@*{%tagsumrize"), max_size=60)


@given(st.one_of(st.text(max_size=60), _ANY))
@example("{'|,}")
@example("ollama:x '{{'")
def test_any_text_parses_or_is_refused_with_spans_inside_it(text):
    found: tuple[Problem, ...] = ()
    spans: list[tuple[int, int]] = []
    try:
        chain = parse(text)
        spans = list(chain.spans.values())
        for step in chain.workflow.steps:
            parse_tree([dict(step.arguments), step.input, step.prompt_template])
    except InvalidWorkflow as error:
        found = error.problems
    places = [problem.where for problem in found if isinstance(problem.where, Span)]
    assert len(places) == len(found)
    assert spans or found
    spans += [(place.start, place.end) for place in places]
    assert all(0 <= start <= end <= len(text) for start, end in spans)
    assert all(map(str, found))


@given(st.text())
def test_a_quoted_word_is_read_back(word):
    for text in (f"- | answer {quote(word)}", f"- | {{tags, answer {quote(word)}}}"):
        steps = parse(text).workflow.steps
        asked = next(step for step in steps if step.uses == "answer")
        assert asked.arguments["question"] == literal(word)


@given(st.one_of(st.text(), st.text(alphabet="{}%# a\n")))
def test_a_literal_gives_its_text(word):
    assert parse_template(literal(word)).render({}) == word


def _call() -> st.SearchStrategy[list[tuple[str, str]]]:
    """Return calls as `(key, value)`; the name has an empty key."""
    word = st.one_of(_WORD, st.sampled_from(["a,b", "{", "}", "|", "--x", "k=v", "7"]))
    return st.one_of(
        st.builds(lambda a: [("", "summarize"), ("style", a)], word),
        st.builds(lambda a: [("", "answer"), ("question", a)], word),
        st.builds(lambda a: [("", "tags"), ("count", a)], word),
        st.builds(lambda a: [("", "ollama:x"), ("seed", a)], word),
        st.just([("", "extract-entities")]),
    )


def _render(stages: list[list[list[tuple[str, str]]]], style: int) -> str:
    """Write stages as a chain, with keys in one of three ways."""

    def key_value(key: str, value: str) -> str:
        written = "'" + value.replace("'", "'\\''") + "'"
        ways = (f"--{key} {written}", f"--{key}={written}", f"{key}={written}")
        return written if not key else ways[style]

    def call(parts: list[tuple[str, str]]) -> str:
        (_, name), *rest = parts
        return " ".join([name, *(key_value(*part) for part in rest)])

    def stage(calls: list[list[tuple[str, str]]]) -> str:
        text = ", ".join(map(call, calls))
        return text if len(calls) == 1 else f"{{ {text} }}"

    return " | ".join(["-", *map(stage, stages)])


@given(st.lists(st.lists(_call(), min_size=1, max_size=3), min_size=1, max_size=4))
def test_however_a_chain_is_written_it_is_the_same_workflow(stages):
    first, *others = (parse(_render(stages, style)) for style in range(3))
    assert all(other.workflow == first.workflow for other in others)
    calls = [
        step
        for step in first.workflow.steps
        if step.uses is not None or step.model is not None
    ]
    assert len(calls) == sum(map(len, stages))
    written = [
        part[1][1] for calls in stages for part in calls if part[0][1] == "answer"
    ]
    asked = [step.arguments["question"] for step in calls if step.uses == "answer"]
    assert asked == [literal(word) for word in written]
