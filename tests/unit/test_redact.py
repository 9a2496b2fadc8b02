# SPDX-License-Identifier: Apache-2.0
"""What the redaction masks, and that nothing is left to find."""

import re

import pytest
from hypothesis import given, settings, strategies as st
from tests.text_models import Listener, ask

from lao.backends.embedded.blocks import lowered
from lao.backends.embedded.contacts import emails, phones
from lao.backends.embedded.identifiers import cards, ibans
from lao.backends.embedded.redact import Redact
from lao.workflow.inference import ModelProblem, ModelRequest

LETTER = """Dear Mr Osei,

your landlord, Eleanor Vance, says that the rent of £4,250 fell due on 25 December 2025. \
Please pay into GB29 NWBK 6016 1331 9268 19 or by card 4111 1111 1111 1111. \
Ms Vance is at e.vance@homes.example or on 020 7946 0321. Your passport no. is 533380006.

Then Vance wrote to E.VANCE@homes.example from 10.0.0.1.
"""


@pytest.fixture(scope="module")
def model() -> Redact:
    redact = Redact()
    redact.load({})
    return redact


def test_a_letter_keeps_its_sense_and_loses_its_people(model):
    assert ask(model, LETTER).value == (
        "Dear Mr [PERSON 1],\n\n"
        "your landlord, [PERSON 2], says that the rent of £4,250 fell due on "
        "25 December 2025. Please pay into [IBAN 1] or by card [CARD 1]. "
        "Ms [PERSON 2] is at [EMAIL 1] or on [PHONE 1]. Your passport no. is [ID 1].\n\n"
        "Then [PERSON 2] wrote to [EMAIL 1] from [IP 1].\n"
    )


def test_the_notes_count_and_do_not_tell(model):
    reply = ask(model, LETTER)
    assert reply.notes == (
        "people: 4",
        "emails: 2",
        "phones: 1",
        "cards: 1",
        "ibans: 1",
        "ids: 1",
        "ips: 1",
    )
    assert reply.made_by == "LAO redact: rules, no language model; check the result"
    assert ask(model, "all quiet").notes == ("found nothing to mask",)


def test_blocks_say_nothing_about_kind_or_length(model):
    masked = ask(model, "Write to ana@example.org or Bo@a.example.", mask="block").value
    assert masked == "Write to █████ or █████."


def test_only_the_kinds_asked_for_are_masked(model):
    masked = ask(model, LETTER, kinds=["cards", "email"]).value
    assert "[CARD 1]" in masked
    assert "[EMAIL 1]" in masked
    assert "Eleanor Vance" in masked
    assert "020 7946 0321" in masked


@pytest.mark.parametrize(
    "kinds", ["people, emails", ["person", "email"], ["names", "emails"]]
)
def test_kinds_may_be_written_as_people_write_them(model, kinds):
    masked = ask(model, "Maria Lopez: m@x.example, 10.0.0.1", kinds=kinds).value
    assert masked == "[PERSON 1]: [EMAIL 1], 10.0.0.1"


@pytest.mark.parametrize(
    "text",
    [
        "378282246310005",
        "5500-0055-5555-5559",
        "DE89370400440532013000",
        "es91 2100 0418 4502 0005 1332",
        "078-05-1120",
        "QQ 12 34 56 C",
        "12345678Z",
        "ana.ruiz+x@mail.example.org",
        "+49 171 9876543",
        "(555) 123-4567",
        "five five five one two three four",
        "fe80::1ff:fe23:4567:890a",
    ],
)
def test_what_points_to_a_person_is_masked_whole(model, text):
    masked = ask(model, f"Here: {text}, as said.").value
    assert re.fullmatch(r"Here: \[[A-Z]+ 1\], as said\.", masked)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Patient number: 4471-B is in.", "Patient number: [ID 1] is in."),
        ("ID: 8841-2207 is in.", "ID: [ID 1] is in."),
        ("Tel: 555-1234 today", "Tel: [PHONE 1] today"),
        ("the call of maria lopez", "the call of [PERSON 1]"),
    ],
)
def test_a_word_before_a_number_says_what_it_is(model, text, masked):
    assert ask(model, text).value == masked


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112 has a wrong check digit",
        "case 12 is closed and account: 4 of 5",
        "on 2026-03-03 08:10 and on 03.03.2026",
        "we paid 1,250,000.00 in 2019",
        "version 1.2.3 of 10 20 30 40",
    ],
)
def test_other_numbers_stay(model, text):
    assert ask(model, text).value == text


def test_a_card_is_found_among_other_digits(model):
    masked = ask(model, "Order 12 4111 1111 1111 1111 99").value
    assert masked == "Order 12 [CARD 1] 99"


def test_a_surname_is_masked_before_the_full_name_is_known(model):
    masked = ask(model, "Okonjo spoke first. Then came Maria Okonjo.").value
    assert masked == "[PERSON 1] spoke first. Then came [PERSON 1]."


def test_labels_of_an_earlier_redaction_are_not_given_out_again(model):
    masked = ask(model, "[EMAIL 7] and ana@example.org").value
    assert masked == "[EMAIL 7] and [EMAIL 8]"


@pytest.mark.parametrize(
    ("options", "code", "mend"),
    [
        ({"kind": ["emails"]}, "embedded.unknown-option", "did you mean 'kinds'?"),
        ({"kinds": ["emials"]}, "embedded.bad-option", "did you mean 'emails'?"),
        ({"kinds": 3}, "embedded.bad-option", "a list of"),
        ({"kinds": [3]}, "embedded.bad-option", "one of"),
        ({"mask": "stars"}, "embedded.bad-option", "label, block"),
    ],
)
def test_options_are_checked(model, options, code, mend):
    with pytest.raises(ModelProblem) as raised:
        ask(model, "text", **options)
    assert raised.value.code == code
    assert mend in raised.value.mend


def test_a_cancelled_request_ends_at_the_next_block(model):
    with pytest.raises(ModelProblem) as raised:
        model.infer(ModelRequest(input="a\n" * 100_000), Listener(looks_left=2))
    assert raised.value.code == "worker.cancelled"


def test_each_model_is_named_by_its_own_source(model):
    assert model.describe().name == "embedded:redact"
    assert model.describe().digest.startswith("sha256:")


_PIECES = st.sampled_from(
    [
        "Maria Lopez",
        "Lopez",
        "Dr. Osei",
        "ana@x.example",
        "@y.example",
        "+44 113 496 0142",
        "0113 496 0142",
        "555-123-4567",
        "4111 1111 1111 1111",
        "4111",
        "12 ",
        "DE89 3704 0044 0532 0130 00",
        "GB29NWBK60161331926819",
        "ID: 4471-99",
        "passport ",
        "10.0.0.1",
        "3 May 2026",
        "the bridge closed",
        "\n",
        ". ",
        " ",
        "-",
        "tel ",
        "[PERSON 1]",
        "a line of more than fifty characters that ends without a stop\n",
    ]
)
_TEXTS = st.lists(_PIECES, max_size=12).map(" ".join) | st.lists(
    _PIECES, max_size=8
).map("".join)


@settings(max_examples=80, deadline=None)
@given(_TEXTS, st.sampled_from(["label", "block"]))
def test_a_second_redaction_finds_nothing(model, text, mask):
    once = ask(model, text, mask=mask).value
    assert ask(model, once, mask=mask).value == once
    low = lowered(once.replace("\n", " \n"))
    for finder in (emails, phones, cards, ibans):
        assert [low[a:b] for a, b in finder(low) if "[" not in low[a:b]] == []


@settings(max_examples=50, deadline=None)
@given(_TEXTS)
def test_what_is_not_masked_is_unchanged(model, text):
    masked = ask(model, text, mask="block").value
    parts = [re.escape(part) for part in masked.split("█████")]
    assert re.fullmatch(".*".join(parts), text, re.DOTALL)
