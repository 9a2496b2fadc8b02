# SPDX-License-Identifier: Apache-2.0
"""What the rules find in a text, and what they leave alone."""

import json

import pytest
from hypothesis import given, settings, strategies as st
from tests.text_models import Listener, ask

from lao.backends.embedded.entities import Entities
from lao.workflow.inference import ModelProblem, ModelRequest

KEYS = [
    "people",
    "organizations",
    "places",
    "dates",
    "times",
    "money",
    "percentages",
    "durations",
    "quantities",
    "emails",
    "phones",
    "urls",
    "ips",
]

REVIEW = """Northgate Library Network: review of the flood

On Sunday, 8 February 2026, a pipe burst in the Bristol archive of the Northgate Library Network. \
The pumps, two FlowMaster X90 bought from Tarn Engineering Ltd in 2018, had failed at 02:40, \
and 1,150 boxes stood in water for five hours and ten minutes. The alarm went to a phone that \
nobody had carried since Anjali Deshpande moved to the reading room in October.

Dr. Samuel Adebayo, the head of conservation, arrived at 07:15 and called Piotr Nowak. \
Lucy Hartmann will freeze 34 damp ledgers by 20 March 2026. Freezing costs £18,400, and 15% of \
the boxes may be lost. Libraries in Bath and Exeter lent nine freezers.

Write to Lucy Hartmann at l.hartmann@northgate.example or call +44 117 496 0833. \
The list is at https://northgate.example/flood/2026.
"""

MEETING = (
    "welcome everybody to the planning call\n"
    "anna kowalska will open the new bakery in hamburg by monday the second of june\n"
    "the ovens cost eighteen thousand euros and the bank pays fifty percent\n"
    "mister okafor and peter lang from acme corporation will test them at half past nine\n"
    "the bakers need two and a half hours and twelve trays\n"
)


@pytest.fixture(scope="module")
def model() -> Entities:
    entities = Entities()
    entities.load({})
    return entities


def test_the_keys_are_always_there_and_in_order(model):
    assert list(ask(model, "").value) == KEYS
    assert list(ask(model, REVIEW).value) == KEYS


def test_a_review_gives_up_its_facts_and_nothing_else(model):
    assert ask(model, REVIEW).value == {
        "people": [
            "Anjali Deshpande",
            "Samuel Adebayo",
            "Piotr Nowak",
            "Lucy Hartmann",
        ],
        "organizations": ["Northgate Library Network", "Tarn Engineering Ltd"],
        "places": ["Bristol", "Bath", "Exeter"],
        "dates": ["Sunday, 8 February 2026", "2018", "October", "20 March 2026"],
        "times": ["02:40", "07:15"],
        "money": ["£18,400"],
        "percentages": ["15%"],
        "durations": ["five hours and ten minutes"],
        "quantities": ["1,150 boxes", "34 damp ledgers", "nine freezers"],
        "emails": ["l.hartmann@northgate.example"],
        "phones": ["+44 117 496 0833"],
        "urls": ["https://northgate.example/flood/2026"],
        "ips": [],
    }


def test_a_capital_at_the_start_of_each_sentence_is_no_sign_of_cased_names(model):
    text = "".join(f"{line.capitalize()}.\n" for line in MEETING.splitlines())

    found = ask(model, text).value

    assert found["people"] == ["Anna Kowalska", "Mister Okafor", "Peter Lang"]
    assert found["places"] == ["Hamburg"]


def test_a_lower_case_transcript_gives_up_its_facts_too(model):
    found = ask(model, MEETING).value
    assert found["people"] == ["Anna Kowalska", "Mister Okafor", "Peter Lang"]
    assert found["organizations"] == ["Acme Corporation"]
    assert found["places"] == ["Hamburg"]
    assert found["dates"] == ["monday the second of june"]
    assert found["times"] == ["half past nine"]
    assert found["money"] == ["eighteen thousand euros"]
    assert found["percentages"] == ["fifty percent"]
    assert found["durations"] == ["two and a half hours"]
    assert found["quantities"] == ["twelve trays"]


@pytest.mark.parametrize(
    "text",
    [
        "we will mark the grant proposal and bill the client",
        "in may you may ask if hope and faith are rich",
        "frank words about art in the summer of the rose",
        "she drew a chase scene and the dean will sue",
        "the doctor said a doctor visit is fine",
        "Will it rain? May we go? Mark the date. Bill the client. Grant access.",
        "Chase the invoice in April, June or August.",
        "Machine Learning and Data Protection are topics of the Finance Department.",
        "NetStore X200 and iPhone users like GitHub.",
    ],
)
def test_words_that_are_also_names_are_no_people(model, text):
    found = ask(model, text).value
    assert found["people"] == []
    assert found["organizations"] == []


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("mark johnson called", "Mark Johnson"),
        ("we met will smith there", "Will Smith"),
        ("doctor okafor agreed to it", "Doctor Okafor"),
        ("maria de la cruz signed it", "Maria de la Cruz"),
        ("ask john o'brien about it", "John O'Brien"),
        ("It was Grace Adeyemi who came.", "Grace Adeyemi"),
        ("Then Will Turner and others left.", "Will Turner"),
        ("JOHN SMITH appeared in court.", "John Smith"),
        ("The letter of J. Müller-Braun came.", "J. Müller-Braun"),
        ("Herr Jürgen Groß unterschrieb.", "Jürgen Groß"),
        ("La señora Lucía Peña firmó.", "Lucía Peña"),
        ("Kwabena Osei, who lives there, said no.", "Kwabena Osei"),
        ("Kind regards,\nTendai Moyo\n", "Tendai Moyo"),
        ("Dear Oluwaseun,\nthanks for this.", "Oluwaseun"),
    ],
)
def test_people_are_found_by_list_title_or_context(model, text, person):
    assert ask(model, text).value["people"] == [person]


@pytest.mark.parametrize(
    ("text", "organization"),
    [
        ("We wrote to Iberia Travel S.A. in May.", "Iberia Travel S.A."),
        ("It was the Bank of England.", "Bank of England"),
        ("Ask the CEO of Brightwater Labs.", "Brightwater Labs"),
        ("She works at St. Anne's Hospital.", "St. Anne's Hospital"),
        ("Er studiert an der Universität Heidelberg.", "Universität Heidelberg"),
        ("Whitmore & Hale LLP wrote.", "Whitmore & Hale LLP"),
        ("The EU agreed.", "EU"),
    ],
)
def test_organizations_are_found_by_their_first_or_last_word(model, text, organization):
    assert ask(model, text).value["organizations"] == [organization]


def test_a_name_ends_with_its_line_and_its_sentence(model):
    text = "We met Maria.\nLopez Street is far. It was Anna\nBerg is a hill."
    assert ask(model, text).value["people"] == ["Maria", "Anna"]


def test_a_person_named_again_by_one_word_is_listed_once(model):
    text = "Maria Lopez came. Ms Lopez spoke. Then Maria left, and Lopez wrote."
    assert ask(model, text).value["people"] == ["Maria Lopez"]


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        (
            "on friday the fourteenth of march",
            "dates",
            "friday the fourteenth of march",
        ),
        ("due 03/04/2026 now", "dates", "03/04/2026"),
        ("seit dem 3. März 2026", "dates", "3. März 2026"),
        ("el 3 de marzo de 2026", "dates", "3 de marzo de 2026"),
        ("in 2019, had it", "dates", "2019"),
        ("in early 2027 it", "dates", "2027"),
        ("from 3-7 September at", "dates", "3-7 September"),
        ("by the end of the month", "dates", "the end of the month"),
        ("at five o'clock sharp", "times", "five o'clock"),
        ("um 14:30 Uhr in", "times", "14:30 Uhr"),
        ("at nine thirty a m", "times", "nine thirty a m"),
        ("it cost twelve thousand dollars", "money", "twelve thousand dollars"),
        ("zahlt 1.250,00 € an", "money", "1.250,00 €"),
        ("about €3.5m in all", "money", "€3.5m"),
        ("half an hour later", "durations", "half an hour"),
        ("two to three weeks", "durations", "two to three weeks"),
        ("takes 20 mg daily", "quantities", "20 mg"),
        ("pressure 148/92 mmHg", "quantities", "148/92 mmHg"),
        ("call (555) 123-4567 now", "phones", "(555) 123-4567"),
        ("Tel. 0113 496 0142.", "phones", "0113 496 0142"),
        ("see (https://x.example/a_(b)).", "urls", "https://x.example/a_(b)"),
        ("from fe80::1ff:fe23:4567:890a", "ips", "fe80::1ff:fe23:4567:890a"),
        ("host 10.0.4.7 is up", "ips", "10.0.4.7"),
        (
            "write ana dot ruiz at example dot org",
            "emails",
            "ana dot ruiz at example dot org",
        ),
    ],
)
def test_numbers_and_addresses_are_found_whole(model, text, kind, expected):
    assert ask(model, text).value[kind] == [expected]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("in 2019, had it", "quantities"),
        ("in 2021 when the size", "quantities"),
        ("twice a year and once a day", "durations"),
        ("you may first ask", "dates"),
        ("version 2.3.4.5 works", "ips"),
        ("99:99 and 1:2:3", "times"),
        ("10 20 30 40 50 60", "phones"),
        ("on 03.03.2026 08", "phones"),
        ("room 12 opens", "quantities"),
    ],
)
def test_look_alikes_are_left_alone(model, text, kind):
    assert ask(model, text).value[kind] == []


def test_log_lines_give_addresses_times_and_sizes(model):
    log = (
        "2026-03-03T08:10:01.224Z ERROR store: timed out after 30s (192.168.10.14)\n"
        '10.0.4.9 - - [03/Mar/2026:08:12:44 +0000] "GET /items?id=1 HTTP/1.1" 500 12\n'
        "INFO cache: 1,204 entries evicted, 35% of 2.5 GB used\n"
    )
    found = {kind: names for kind, names in ask(model, log).value.items() if names}
    assert found == {
        "dates": ["2026-03-03", "03/Mar/2026"],
        "times": ["08:10:01.224Z", "08:12:44"],
        "percentages": ["35%"],
        "durations": ["30s"],
        "quantities": ["1,204 entries", "2.5 GB"],
        "ips": ["192.168.10.14", "10.0.4.9"],
    }


def test_finds_are_distinct_and_in_order_of_appearance(model):
    text = "In Paris, then London, then Paris, then LONDON and Rome."
    assert ask(model, text).value["places"] == ["Paris", "London", "Rome"]


def test_a_list_ends_at_a_bound_and_says_so(model):
    text = "\n".join(f"x{number}@example.org" for number in range(10_200))
    reply = ask(model, text)
    assert len(reply.value["emails"]) == 10_000
    assert "emails" in reply.notes[0]


def test_there_are_no_options(model):
    with pytest.raises(ModelProblem) as raised:
        ask(model, "text", kinds=["people"])
    assert raised.value.code == "embedded.unknown-option"
    with pytest.raises(ModelProblem):
        Entities().load({"language": "en"})


def test_a_cancelled_request_ends_at_the_next_block(model):
    with pytest.raises(ModelProblem) as raised:
        model.infer(ModelRequest(input="a\n" * 100_000), Listener(looks_left=2))
    assert raised.value.code == "worker.cancelled"


def test_the_description_names_the_source(model):
    description = model.describe()
    assert description.name == "embedded:entities"
    assert description.digest.startswith("sha256:")
    assert ask(model, "").made_by == "LAO entities: rules, no language model"


@settings(max_examples=60)
@given(st.text(alphabet="Aa1.,@:/-+'() \nİß£%", max_size=200))
def test_any_text_gives_lists_of_strings(model, text):
    found = ask(model, text).value
    assert all(
        isinstance(name, str) and name for names in found.values() for name in names
    )
    assert json.loads(json.dumps(found)) == found
