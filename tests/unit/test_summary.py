# SPDX-License-Identifier: Apache-2.0
"""What the embedded summary picks and how it writes it."""

import pytest
from hypothesis import given, strategies as st
from tests.text_models import Listener, ask

from lao.backends.embedded.ranking import central, likeness, vectors
from lao.backends.embedded.summary import Summary, without_connective
from lao.workflow.inference import ModelProblem, ModelRequest

REVIEW = """Harbour bridge: review of the closure

On Monday, 4 May 2026, the harbour bridge was closed for nine hours after a bearing cracked. \
The closure began at 06:20, when an inspector saw the crack, and it ended at 15:30. \
About 18,000 drivers took the tunnel, and the ferry ran twice as often.

The crack was not a surprise. It had been reported in March by a diver. \
The report was filed under the wrong number, so nobody read it. \
However, the bearing was due for replacement in June.

The repair cost is estimated at £212,000, which includes the crane and the night shift. \
The insurer pays half of the repair cost. \
This was agreed by telephone.

The council recommends three changes to the inspection of the bridge. \
First, every report about the bridge must be read within two days. \
Second, a spare bearing must be kept at the harbour. \
Third, drivers must hear about a closure before they reach the bridge.
"""
OPENERS = ("first", "second", "third", "however", "this", "it ", "they", "and", "but")


def lines(text: str) -> list[str]:
    return [line.removeprefix("- ") for line in text.splitlines()]


def test_a_summary_has_the_lead_and_the_cost():
    picked = ask(Summary(), REVIEW).value
    assert "closed for nine hours" in picked
    assert "£212,000" in picked
    assert len(lines(picked)) == 5


@pytest.mark.parametrize("count", range(1, 13))
def test_no_sentence_stands_without_what_it_refers_to(count):
    picked = lines(ask(Summary(), REVIEW, sentences=count).value)
    assert len(picked) == count
    for before, line in zip(["", *picked], picked, strict=False):
        if line.lower().startswith(OPENERS):
            assert before
            assert REVIEW.index(line[2:]) - REVIEW.index(before[2:]) < 200


def test_every_sentence_is_one_of_the_text():
    for line in lines(ask(Summary(), REVIEW, sentences=8).value):
        assert line[1:] in REVIEW


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Second, a test must be run.", "A test must be run."),
        ("However, the bridge held.", "The bridge held."),
        ("so we moved the date", "we moved the date"),
        ("In addition, costs rose.", "Costs rose."),
        ("Otherwise, costs rise.", "Otherwise, costs rise."),
        ("Second hand goods sell.", "Second hand goods sell."),
        ("And", "And"),
    ],
)
def test_connectives_go_where_the_rest_stays_true(sentence, expected):
    assert without_connective(sentence) == expected


def test_a_transcript_without_punctuation_is_summarised_by_lines():
    talk = (
        "good morning everybody and welcome to the call\n"
        "the new oven arrives on the third of june\n"
        "the oven costs nine thousand euros and the bank pays half\n"
        "ana ruiz will train the bakers on the new oven\n"
        "thanks for listening\n"
    )
    picked = lines(ask(Summary(), talk, sentences=2).value)
    assert "the oven costs nine thousand euros and the bank pays half" in picked
    assert all(line in talk for line in picked)


def test_a_short_text_comes_back_whole():
    text = "The oven is new. Yes. It bakes."
    assert lines(ask(Summary(), text).value) == [
        "The oven is new.",
        "Yes.",
        "It bakes.",
    ]


def test_a_paragraph_is_one_line_of_ended_sentences():
    text = "the oven is new and hot\nthe bakers like it very much"
    value = ask(Summary(), text, style="paragraph").value
    assert value == "the oven is new and hot. the bakers like it very much."


def test_repeats_are_not_picked_twice():
    text = "The red bridge closed for nine hours today. " * 5 + (
        "A bearing of the harbour crane broke at night."
    )
    picked = lines(ask(Summary(), text, sentences=2).value)
    assert len(set(picked)) == 2


@pytest.mark.parametrize("text", ["", "  \n\t "])
def test_nothing_cannot_be_summarised(text):
    with pytest.raises(ModelProblem) as raised:
        ask(Summary(), text)
    assert raised.value.code == "embedded.empty-text"


@pytest.mark.parametrize(
    ("options", "code", "mend"),
    [
        ({"sentence": 3}, "embedded.unknown-option", "did you mean 'sentences'?"),
        ({"sentences": "five"}, "embedded.bad-option", "from 1 to 50"),
        ({"sentences": True}, "embedded.bad-option", "from 1 to 50"),
        ({"sentences": 0}, "embedded.bad-option", "from 1 to 50"),
        ({"sentences": 51}, "embedded.bad-option", "from 1 to 50"),
        ({"style": "haiku"}, "embedded.bad-option", "bullets, paragraph"),
    ],
)
def test_options_are_checked_at_load_and_at_each_request(options, code, mend):
    with pytest.raises(ModelProblem) as raised:
        ask(Summary(), REVIEW, **options)
    assert raised.value.code == code
    assert mend in raised.value.mend
    with pytest.raises(ModelProblem):
        Summary().load(options)


def test_options_of_the_model_hold_until_a_request_says_otherwise():
    model = Summary()
    model.load({"sentences": 2, "style": None})
    assert len(lines(ask(model, REVIEW).value)) == 2
    assert len(lines(ask(model, REVIEW, sentences=3).value)) == 3


@pytest.mark.parametrize("value", [3, True, {"a": 1}, ["a", 1]])
def test_what_is_not_text_is_refused(value):
    with pytest.raises(ModelProblem) as raised:
        ask(Summary(), value)
    assert raised.value.code == "embedded.not-text"


@pytest.mark.parametrize("value", [{"text": "One."}, ["One."], "One."])
def test_text_may_come_in_a_list_or_an_object(value):
    assert ask(Summary(), value).value == "- One."


def test_a_request_without_input_is_about_its_prompt():
    reply = Summary().infer(ModelRequest(prompt="One."), Listener())
    assert reply.value == "- One."


def test_embeddings_are_refused():
    with pytest.raises(ModelProblem) as raised:
        Summary().infer(ModelRequest(input="One.", wants="embedding"), Listener())
    assert raised.value.code == "embedded.no-embedding"


def test_a_cancelled_request_ends_soon():
    report = Listener(looks_left=2)
    with pytest.raises(ModelProblem) as raised:
        Summary().infer(ModelRequest(input="All is well here now. " * 2000), report)
    assert raised.value.code == "worker.cancelled"


def test_a_book_is_summarised_from_its_most_telling_sentences():
    book = " ".join(
        f"The {' '.join(f'word{at * step % 499}' for step in range(3, 11))}."
        for at in range(1, 4001)
    )
    reply = ask(Summary(), book)
    assert reply.notes[0] == "5 of 4000 sentences"
    assert "1500" in reply.notes[1]
    assert all(line in book for line in lines(reply.value))


def test_the_description_names_the_source():
    description = Summary().describe()
    assert description.name == "embedded:summary"
    assert description.digest.startswith("sha256:")
    assert (
        ask(Summary(), REVIEW).made_by == "LAO summary: extractive, no language model"
    )


@given(st.text(alphabet="abAB .\n,!?1", min_size=1).filter(str.strip))
def test_any_text_has_a_summary_and_always_the_same(text):
    assert ask(Summary(), text).value == ask(Summary(), text).value


@given(st.lists(st.lists(st.sampled_from("abcdef"), min_size=1), min_size=1))
def test_the_walk_agrees_with_the_matrix_it_avoids(bags):
    rows = vectors([" ".join(f"{letter}{letter}x" for letter in bag) for bag in bags])
    total = len(rows)
    matrix = [
        [likeness(a, b) if i != j else 0.0 for j, b in enumerate(rows)]
        for i, a in enumerate(rows)
    ]
    degrees = [sum(row) or 1.0 for row in matrix]
    rank = [1 / total] * total
    for _ in range(60):
        flow = [share / degree for share, degree in zip(rank, degrees, strict=True)]
        rank = [
            0.15 / total + 0.85 * sum(m * f for m, f in zip(row, flow, strict=True))
            for row in matrix
        ]
    expected = [share / max(rank) for share in rank]
    assert central(rows) == pytest.approx(expected, abs=1e-3)
