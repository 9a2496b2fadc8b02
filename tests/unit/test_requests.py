# SPDX-License-Identifier: Apache-2.0
"""What a model is asked: its prompt, its material, its files, its options."""

import pytest

from lao.engine.requests import RequestWriter
from lao.errors import StepError
from lao.planning.plan import Engine
from lao.policy import RunLimits
from lao.workflow.local_models import Custom, Embedded, LlamaCpp, Ollama, WhisperCpp
from lao.workflow.steps import Output
from lao.workflow.template import parse_template, parse_tree
from lao.workflow.values import EMBEDDING, JSON, TEXT, FileValue, list_of

CHAT = Ollama(model="m")


def write(prompt=None, *, scope=None, model=CHAT, limits=None, **words):
    if "input" in words:
        words["input"] = parse_tree(words["input"])
    template = parse_template(prompt) if prompt is not None else None
    engine = Engine(model=model, prompt=template, **words)
    return RequestWriter(limits or RunLimits()).write(engine, scope or {})


def test_the_instruction_comes_before_the_material():
    request = write("Sum up.", input="{{ input }}", scope={"input": "Ants."})
    assert request.prompt == "Sum up.\n\nAnts."


def test_a_prompt_that_names_its_input_gets_it_once():
    request = write("Of {{ input }}!", input="{{ input }}", scope={"input": "ants"})
    assert request.prompt == "Of ants!"


def test_material_that_is_not_text_is_shown_as_json():
    request = write("Sum up.", input="{{ input }}", scope={"input": {"é": [1]}})
    assert request.prompt == 'Sum up.\n\n{\n  "é": [\n    1\n  ]\n}'


@pytest.mark.parametrize("model", [CHAT, LlamaCpp(model_path="/m.gguf")])
@pytest.mark.parametrize("many", [False, True])
def test_files_travel_by_path_beside_the_prompt(model, many):
    image = FileValue("/a.png", "image")
    scope = {"input": [image] if many else image}
    request = write("What is it?", input="{{ input }}", scope=scope, model=model)
    assert (request.prompt, request.files) == ("What is it?", ("/a.png",))


def test_files_inside_an_input_travel_beside_it():
    recording = FileValue("/a.wav", "audio")
    tree = {"all": [{"sound": "{{ input }}"}]}
    request = write(
        input=tree, scope={"input": recording}, model=Custom(plugin="/m.py")
    )
    assert request.input == {"all": [{"sound": "/a.wav"}]}
    assert request.files == ("/a.wav",)


def test_a_recogniser_gets_its_input_and_no_prompt():
    recording = FileValue("/a.wav", "audio")
    model = WhisperCpp(model_path="/m.bin")
    request = write(input="{{ input }}", scope={"input": recording}, model=model)
    assert (request.prompt, request.input, request.files) == ("", "/a.wav", ("/a.wav",))


def test_an_embedded_model_gets_text_as_it_is():
    request = write(
        input="{{ input }}", scope={"input": ""}, model=Embedded(name="summary")
    )
    assert (request.prompt, request.input) == ("", "")


def test_an_image_without_words_is_a_request():
    image = FileValue("/a.png", "image")
    assert write(input="{{ input }}", scope={"input": image}).files == ("/a.png",)


@pytest.mark.parametrize("prompt", [None, "", " \n", "{{ x }}"])
def test_an_empty_prompt_is_refused(prompt):
    with pytest.raises(StepError) as caught:
        write(prompt, scope={"x": ""})
    assert caught.value.code == "step.empty-prompt"


def test_a_prompt_over_the_limit_is_refused():
    limits = RunLimits(prompt_bytes=5)
    assert write("12345", limits=limits).prompt == "12345"
    with pytest.raises(StepError) as caught:
        write("123456", limits=limits)
    assert caught.value.code == "step.prompt-too-large"


def test_a_name_that_is_not_there_fails_with_its_line():
    with pytest.raises(StepError, match="line 2") as caught:
        write("one\n{{ missing }}")
    assert caught.value.code == "template.failed"


def test_a_schema_stands_in_the_prompt_after_everything_else():
    output = Output(type=JSON, schema={"type": "object", "title": "Größe {{ x }}"})
    request = write(
        "Sum up.", input="{{ input }}", scope={"input": "Ants."}, output=output
    )
    start, _, end = request.prompt.partition("Ants.")
    assert start == "Sum up.\n\n"
    assert '"Größe {{ x }}"' in end
    assert request.schema == output.schema


@pytest.mark.parametrize(
    ("type_", "wants"),
    [
        (TEXT, "text"),
        (JSON, "json"),
        (list_of(TEXT), "json"),
        (EMBEDDING, "embedding"),
        (list_of(EMBEDDING), "embedding"),
    ],
)
def test_the_type_of_the_output_says_what_is_wanted(type_, wants):
    assert write("x", input="x", output=Output(type=type_)).wants == wants


def test_options_are_templates_over_the_model_s_own():
    model = Ollama(model="m", options={"seed": 1, "top_k": 2})
    options = parse_tree({"seed": "{{ n }}", "top_k": None, "stop": ["{{ w }}"]})
    request = write("x", model=model, options=options, scope={"n": 5, "w": "END"})
    assert request.options == {"seed": 5, "stop": ["END"]}
