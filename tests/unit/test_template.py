# SPDX-License-Identifier: Apache-2.0
"""Templates see plain data, are parsed once, and reach nothing else."""

from contextlib import suppress

import pytest
from hypothesis import assume, given, strategies as st
from minijinja import TemplateError as EngineError
from msgspec.structs import replace

from lao.workflow.template import (
    ENGINE_NAMES,
    Template,
    TemplateError,
    evaluate_tree,
    is_plain_name,
    parse_template,
    parse_tree,
    templates_in,
)
from lao.workflow.template_engine import LONGEST, engine
from lao.workflow.values import FileValue

names = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True).filter(is_plain_name)


def render(source, /, **scope):
    return parse_template(source).render(scope)


def evaluate(source, /, **scope):
    return parse_template(source).evaluate(scope)


@given(st.text().filter(lambda text: "{" not in text))
def test_a_text_without_braces_stays_as_it_is(text):
    assert parse_template(text) == Template(source=text, names=frozenset())
    assert render(text) == text


@given(st.lists(names, min_size=1, max_size=4), st.integers())
def test_one_plain_name_passes_the_value_itself(path, value):
    scope = value
    for name in reversed(path):
        scope = {name: scope}

    template = parse_template(f"{{{{ {'.'.join(path)} }}}}")

    assert template.names == {".".join(path)}
    assert template.reference == tuple(path)
    assert template.evaluate(scope) == value


SOURCES = st.lists(
    st.sampled_from(
        [
            "{{ a }}",
            "{{a.b}}",
            "{{  b }}",
            "{",
            "}",
            "{{",
            "}}",
            "-",
            "{%",
            "\n",
            "\r\n",
        ]
    )
    | st.text(max_size=3),
    max_size=8,
).map("".join)


@given(SOURCES, st.text(max_size=5), st.text(max_size=5) | st.integers())
def test_words_and_plain_names_are_put_together_as_the_engine_does(source, a, b):
    try:
        template = parse_template(source)
    except TemplateError:
        return
    assume(template.reference is None)  # which passes the value, without the words
    scope = {"a": a, "b": b}
    by_engine = replace(template, pieces=())
    assert outcome(template, scope) == outcome(by_engine, scope)


def outcome(template, scope):
    try:
        return template.render(scope)
    except TemplateError as error:
        return error.what


ODD_NAMES = st.sampled_from(
    [
        "not",
        "and",
        "or",
        "in",
        "is",
        "if",
        "else",
        "for",
        "self",
        "loop",
        "range",
        "none",
        "None",
        "true",
        "a.none",
        "not.a",
        "self.a",
        "a.not",
        "loop.index",
        "é",
        "a.é",
        "ª",
        "x²",
        "_",
        "NONE",
        "namespace.x",
        "debug",
    ]
)


@given(st.lists(names | ODD_NAMES | st.text("ab.é_1²", min_size=1), max_size=4))
def test_the_names_of_a_template_are_those_that_the_engine_finds(found):
    source = "Of " + " and ".join(f"{{{{ {name} }}}}" for name in found) + "."
    try:
        by_engine = engine().undeclared_variables_in_str(source, nested=True)
    except EngineError:
        with pytest.raises(TemplateError):
            parse_template(source)
    else:
        assert parse_template(source).names == set(by_engine) - ENGINE_NAMES


TAGS = st.lists(
    st.sampled_from(
        [
            *[
                "a",
                "b.c",
                "nope",
                "'x'",
                "1",
                "+",
                "==",
                "not",
                "is",
                "in",
                "if",
                "for",
                "(",
                ")",
                "|",
                ",",
                "[0]",
                ".",
                "~",
                ":",
            ],
            " ",
            "{{ ",
            " }}",
            "{% ",
            " %}",
            "{% if a %}",
            "{% endif %}",
            "| nope",
            "is nope",
            "nope(1)",
            "a.b()",
            "{% filter nope %}",
            "{% endfilter %}",
            "text",
        ]
    ),
    max_size=8,
)


@given(TAGS.map(" ".join) | TAGS.map(" ".join).map("{{{{ {} }}}}".format))
def test_what_does_not_exist_is_found_when_a_template_is_parsed(source):
    try:
        engine("chainable").render_str(source)
    except EngineError as error:
        if error.kind.startswith("Unknown") and error.kind != "UnknownMethod":
            with pytest.raises(TemplateError):
                parse_template(source)


def test_most_prompts_need_no_engine():
    assert parse_template("Sum up:\n{{ inputs.text }}\n").pieces
    assert not parse_template("{{ a | upper }}: {{ b }}").pieces


@given(st.text())
def test_a_text_is_written_into_a_prompt_unchanged(text):
    assert render("a {{ x }} b", x=text) == f"a {text} b"
    assert render("{{ x }}", x=text) == text


@given(st.text(alphabet="{}%# \nax.|'\"()-", max_size=20))
def test_any_text_parses_and_renders_or_is_a_template_error(source):
    try:
        template = parse_template(source)
        template.render({"a": "A", "x": [1]})
        template.evaluate({"a": "A", "x": [1]})
    except TemplateError as error:
        assert error.what  # noqa: PT017
        assert error.line >= 1  # noqa: PT017


def test_files_and_lists_pass_whole_and_are_shown_as_text():
    recording = FileValue("/home/ana/talk.wav", "audio")
    assert evaluate("{{ inputs.x }}", inputs={"x": recording}) is recording
    assert render("play {{ x }}", x=recording) == "play /home/ana/talk.wav"
    assert render("{{ x }}", x=[1, {"é": None}]) == '[1, {"é": null}]'
    assert evaluate("{{ x | length }}", x=[1, 2]) == 2


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "null"), (True, "true"), (7, "7"), (1.5, "1.5")]
)
def test_a_value_is_shown_as_json_not_as_python(value, shown):
    assert render("a {{ x }}", x=value) == f"a {shown}"
    assert render("{{ x }}", x=value) == shown


def test_markup_is_not_escaped_and_the_last_newline_stays():
    assert render("a {{ x }}\n", x="<b> & 'c'") == "a <b> & 'c'\n"


def test_a_name_inside_a_loop_is_not_needed_from_outside():
    template = parse_template(
        "{% for row in table.rows %}{{ loop.index }}{{ row.name }}{% endfor %}{{ end }}"
    )
    assert template.names == {"table.rows", "end"}
    assert template.roots == {"table", "end"}
    scope = {"table": {"rows": [{"name": "a"}, {"name": "b"}]}, "end": "."}
    assert template.render(scope) == "1a2b."


@pytest.mark.parametrize("name", ["source", "name", "expression", "scope", "template"])
def test_a_value_may_have_the_name_of_something_in_the_engine(name):
    assert render(f"a {{{{ {name} }}}}", **{name: "x"}) == "a x"
    assert evaluate(f"{{{{ {name} | upper }}}}", **{name: "x"}) == "X"


@pytest.mark.parametrize("name", ["", "a-b", "1a", "a b", "a.b", "true", "None", "é!"])
def test_a_name_that_templates_cannot_read_is_no_plain_name(name):
    assert not is_plain_name(name)


@pytest.mark.parametrize(
    ("source", "line"),
    [("{{ a", 1), ("{% for %}", 1), ("a\n{{ b | nope( }}", 2), ("{% endif %}", 1)],
)
def test_a_syntax_error_says_its_line(source, line):
    with pytest.raises(TemplateError) as caught:
        parse_template(source)
    assert caught.value.line == line


@pytest.mark.parametrize(
    "source",
    [
        "{{ missing }}",
        "{{ x.missing }}",
        "{{ x.0 }}",
        "{{ x.² }}",
        "{{ xs.7 }}",
        "{{ xs.%s }}" % ("9" * 5000),
        "a {{ missing }}",
        "a {{ x.y.z }}",
        "{{ x | no }}",
        "{{ 1 / 0 }}",
        "{% include 'x' %}",
        "{{ xs | format }}",
        "{{ debug() }}",
    ],
)
def test_what_is_not_there_is_an_error(source):
    with pytest.raises(TemplateError):
        render(source, x={"y": 1}, xs=[1])


def test_a_run_time_error_says_its_line_and_never_quotes_the_data():
    with pytest.raises(TemplateError) as caught:
        render("one\n{{ x.y }} {{ z - 1 }}", x={"y": "hunter2"}, z="hunter2")
    assert caught.value.line == 2
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__ }}",
        "{{ x.__class__.__mro__ }}",
        "{{ x.__init__.__globals__ }}",
        "{{ x.copy().__len__() }}",
        "{{ '{0.__class__}'.format(x) }} {{ x.__dict__ }}",
    ],
)
def test_no_python_attribute_leads_out(source):
    with pytest.raises(TemplateError):
        render(f"a {source}", x=[1])


def test_data_is_never_read_as_a_template():
    assert render("a {{ x }}", x="{{ y }}{% for %}") == "a {{ y }}{% for %}"


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
        "{{ range(1000000000) | list }}",
        "{{ [1] | slice(1000000000) }}",
        "{{ 'a' * 1000000000 }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    ],
)
def test_a_template_that_would_go_on_is_stopped(source):
    with pytest.raises(TemplateError):
        render(source)


def chain_of(head, link, tail, length):
    return head + link * ((length - len(head) - len(tail)) // len(link)) + tail


CHAINS = {
    "not": ("a {{ ", "not ", "x }}"),
    "-": ("a {{ ", "-", "1 }}"),
    "|": ("a {{ x", "|string", " }}"),
    ".": ("a {{ x", ".a", " | upper }}"),
    "[]": ("a {{ x", "[0]", " }}"),
    "+": ("a {{ 1", "+1", " }}"),
    "or": ("a {{ 0", " or 0", " }}"),
    "if": ("a {{ 1", " if 0 else 1", " }}"),
    "elif": ("{% if 0 %}", "{% elif 0 %}", "{% endif %}"),
    "(": ("a {{ ", "(", " }}"),
}


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("length", [4 << 10, LONGEST])
def test_a_long_chain_never_overflows_the_stack(name, length):
    if name == "not":  # which takes the engine time by the square: 5 s for the longest
        length = min(length, 16 << 10)
    with suppress(TemplateError):
        render(chain_of(*CHAINS[name], length), x=1)


@pytest.mark.parametrize("name", ["not", "|", "elif"])
def test_a_chain_over_the_limit_is_refused(name):
    with pytest.raises(TemplateError, match="65,536 characters"):
        parse_template(chain_of(*CHAINS[name], 2 * LONGEST))


def test_words_and_plain_names_may_be_as_long_as_they_like():
    words = "word " * LONGEST
    assert render(f"{words}{{{{ x }}}}", x=1) == f"{words}1"


GROWN = (
    "{% set n = namespace(x=[1]) %}{% for i in range(50000) %}"
    "{% set n.x = [n.x] %}{% endfor %}"
)


@pytest.mark.parametrize("shown", ["a", "{{ n.x | string | length }}"])
def test_lists_in_lists_without_end_do_not_overflow_the_stack(shown):
    assert render(GROWN + shown) in {"a", "100003"}


@pytest.mark.parametrize("shown", ["{{ n.x }}", "{{ n.x | tojson }}"])
def test_lists_in_lists_that_cannot_be_shown_are_an_error(shown):
    with pytest.raises(TemplateError, match="nested too deep"):
        render(f"a {GROWN}{shown}")


def test_a_text_over_32_mib_is_refused():
    with pytest.raises(TemplateError, match="over 32 MiB"):
        render("{{ x }}{{ x }}", x="a" * (17 << 20))


def test_a_tree_is_evaluated_text_by_text():
    tree = parse_tree({"a": ["{{ x }}", 1], "b": "x is {{ x }}", "c": None})

    assert [each.source for each in templates_in(tree)] == ["{{ x }}", "x is {{ x }}"]
    assert evaluate_tree(tree, {"x": 5}) == {"a": [5, 1], "b": "x is 5", "c": None}
