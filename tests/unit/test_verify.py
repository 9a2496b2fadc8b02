# SPDX-License-Identifier: Apache-2.0
"""`lao verify`: the catalogue, what an attempt and its control show, the report."""

import json
from collections import Counter
from dataclasses import asdict, replace
from errno import EACCES
from typing import get_args

import pytest
from hypothesis import given, strategies as st

from lao.cli.verify_page import page
from lao.isolation.levels import Machine
from lao.policy import Proof
from lao.verify.attempt import (
    AREAS,
    EVERYWHERE,
    Attempt,
    Bait,
    CannotTry,
    Layer,
    Outcome,
    attempt,
    bait_from_json,
    perform,
)
from lao.verify.catalogue import CATALOGUE, attempts_for
from lao.verify.judging import Finding, judge
from lao.verify.listing import Listing, how_it_ended, outcome_from
from lao.verify.proving import Report, judged

WORKED = Outcome(succeeded=True)
STANDARD = {
    "seccomp": True,
    "landlock": 7,
    "namespaces": False,
    "no_capabilities": True,
}
SEALED = {**STANDARD, "namespaces": True}
BAIT = Bait(
    **dict.fromkeys(
        ("canary", "folder", "home", "home_name", "root_name", "package_file"), "x"
    ),
    **dict.fromkeys(("sockets", "abstract"), "x"),
    **dict.fromkeys(("tcp4", "tcp6", "udp4", "udp6", "udplite", "witness"), 0),
    **dict.fromkeys(("secret_fd", "secret_address", "open_files", "file_size"), 0),
    memory=0,
    threads=0,
)


def refused(errno, **more):
    return Outcome(succeeded=False, errno=errno, **more)


def an_attempt(*by, name="knock", area="network"):
    return Attempt(
        name=name,
        area=area,
        phrase="Knock",
        success="somebody opened",
        stopped_by=by or ("seccomp",),
        kinds=EVERYWHERE,
        act=lambda _: None,
    )


def shown(control, outcome, *by, layers=STANDARD, had_effect=False):
    return judge(
        an_attempt(*by),
        "worker",
        (control, outcome),
        layers=layers,
        had_effect=had_effect,
    )


def report(*findings, level="L2", **more):
    proof = Proof(level=level, layers=STANDARD)
    facts = {
        "machine": Machine(arch="x86_64", landlock_abi=7, seccomp=True, bwrap=None),
        "kernel": "6.18.0",
        "attempts": (an_attempt(), an_attempt(name="other")),
        "controls": {"knock": WORKED, "other": refused("EPERM")},
        "proofs": dict.fromkeys(("worker", "server", "program"), proof),
        "findings": findings,
        "failures": {},
        "seconds": 4.0,
    }
    return Report(**{**facts, **more})


def a_finding(verdict="held", **more):
    facts = {"attempt": "knock", "area": "network", "phrase": "Knock", "kind": "worker"}
    return Finding(**{**facts, "verdict": verdict, **more})


def test_every_attempt_has_a_name_and_a_phrase_of_its_own():
    for told in ("name", "phrase"):
        counted = Counter(getattr(each, told) for each in CATALOGUE)
        assert [found for found, times in counted.items() if times > 1] == []


def test_every_area_is_tried_in_a_worker():
    assert {each.area for each in attempts_for("worker")} == set(AREAS)


def test_every_attempt_says_who_stops_it_where_and_what_counts():
    for each in CATALOGUE:
        assert each.stopped_by
        assert each.kinds
        assert each.success


def test_a_phrase_fits_into_a_narrow_terminal():
    assert [each.phrase for each in CATALOGUE if len(each.phrase) > 43] == []


def test_the_whole_catalogue_goes_to_a_worker_but_what_only_others_can_do():
    elsewhere = {each.name for each in CATALOGUE if "worker" not in each.kinds}

    assert elsewhere == {
        "another-program",
        "connect-a-held-socket",
        "fast-open-on-a-held-socket",
        "run-what-a-program-wrote",
    }


def test_an_attempt_takes_name_and_phrase_from_its_function():
    @attempt("network", "it opened", by=("seccomp",), kinds=("worker",))
    def knock_on_the_door(_bait):
        """Knock on the door.

        More words.
        """

    made = knock_on_the_door
    assert (made.name, made.phrase) == ("knock-on-the-door", "Knock on the door")


def test_what_an_attempt_raises_is_its_outcome():
    def fail(error):
        def act(_bait):
            raise error

        return perform(replace(an_attempt(), act=act), BAIT)

    assert fail(OSError(EACCES, "no")) == refused("EACCES", detail="no")
    assert fail(TimeoutError()).errno == "ETIMEDOUT"
    assert fail(CannotTry("no door")).cannot == "no door"
    assert perform(an_attempt(), BAIT).succeeded


def test_a_bait_survives_its_journey():
    sent = json.loads(json.dumps(asdict(BAIT)))

    assert replace(bait_from_json(sent), parent=0) == replace(BAIT, held_sockets=[])


@pytest.mark.parametrize(
    ("control", "outcome", "verdict"),
    [
        (WORKED, refused("EPERM"), "held"),
        (WORKED, refused("SIGSYS"), "held"),
        (WORKED, WORKED, "open"),
        (refused("EPERM"), refused("EPERM"), "not shown"),
        (refused("ENOSYS"), WORKED, "open"),
        (WORKED, refused("ETIMEDOUT"), "not shown"),
        (WORKED, Outcome(succeeded=False), "not shown"),
        (WORKED, Outcome(succeeded=False, cannot="no door"), "not shown"),
        (Outcome(succeeded=False, cannot="no door"), refused("EPERM"), "not shown"),
    ],
)
def test_only_what_works_unlocked_and_fails_locked_has_held(control, outcome, verdict):
    assert shown(control, outcome).verdict == verdict


@given(
    control=st.booleans(),
    worked=st.booleans(),
    had_effect=st.booleans(),
    by=st.sets(st.sampled_from(get_args(Layer)), min_size=1),
    layers=st.fixed_dictionaries(dict.fromkeys(SEALED, st.booleans())),
)
def test_nothing_holds_that_had_an_effect_or_no_control(
    control, worked, had_effect, by, layers
):
    outcomes = [WORKED if each else refused("EPERM") for each in (control, worked)]
    found = shown(*outcomes, *by, layers=layers, had_effect=had_effect)

    assert (found.verdict == "held") is (control and not worked and not had_effect)
    assert ("open" in found.verdict) is (worked or had_effect)


def test_an_effect_counts_although_the_attempt_says_that_it_was_refused():
    found = shown(WORKED, refused("EPERM"), had_effect=True)

    assert (found.verdict, found.why) == ("open", "it said that it was refused")


def test_what_no_layer_in_force_promises_is_left_open():
    assert shown(WORKED, WORKED, "namespaces").verdict == "left open"
    assert shown(WORKED, WORKED, "namespaces", layers=SEALED).verdict == "open"


def test_an_old_landlock_promises_only_what_it_knows():
    cut = replace(an_attempt("landlock"), landlock_since=3)
    for abi, verdict in ((2, "left open"), (3, "open")):
        layers = {**STANDARD, "landlock": abi}
        found = judge(cut, "worker", (WORKED, WORKED), layers=layers, had_effect=False)
        assert found.verdict == verdict


@pytest.mark.parametrize(
    ("errno", "by", "layer"),
    [
        ("EPERM", ("seccomp", "landlock"), "seccomp"),
        ("EACCES", ("seccomp", "landlock"), "landlock"),
        ("SIGSYS", ("seccomp",), "seccomp"),
        ("ENOENT", ("landlock", "namespaces"), "namespaces"),
        ("EPERM", ("capabilities",), "capabilities"),
        ("worker.too-many-threads", ("limits",), "limits"),
        ("EBADF", ("launch",), "launch"),
        ("EACCES", ("seccomp",), "something else"),
        ("exit code 1", ("seccomp",), "something else"),
    ],
)
def test_the_error_tells_the_layer(errno, by, layer):
    assert shown(WORKED, refused(errno), *by, layers=SEALED).layer == layer


def test_a_layer_that_is_not_in_force_is_never_named():
    found = shown(WORKED, refused("ENOENT"), "landlock", "namespaces")

    assert found.layer == "something else"


def test_an_effect_that_no_attempt_owns_up_to_is_reported():
    outcomes = ({"knock": WORKED}, {"knock": refused("EPERM")})
    proof = Proof(level="L2", layers=STANDARD)
    touched = frozenset({"somebody"})
    found = list(judged("worker", [an_attempt()], outcomes, proof, touched))

    assert [each.verdict for each in found] == ["held", "open"]


def test_a_listing_knows_which_attempt_ended_the_process():
    listing = Listing(("one", "two", "three"))
    listing.take(
        [
            '{"begins": "one"}',
            json.dumps({"ended": "one", "outcome": asdict(refused("EPERM"))}),
            "not a line of its own",
            "[1]",
            '{"begins": "two"}',
        ]
    )
    listing.end(how_it_ended(-31))

    assert listing.outcomes == {"one": refused("EPERM"), "two": refused("SIGSYS")}
    assert listing.missing == ("three",)


@pytest.mark.parametrize("said", [None, {}, [], {"succeeded": "no"}, "yes"])
def test_nonsense_is_no_success_and_has_not_held(said):
    found = outcome_from(said)

    assert not found.succeeded
    assert shown(WORKED, found).verdict == "not shown"


@pytest.mark.parametrize(
    ("changes", "holds"),
    [
        ({}, True),
        ({"findings": (a_finding("open"),)}, False),
        ({"findings": ()}, False),
        ({"findings": (a_finding("not shown"),)}, False),
        ({"findings": (a_finding(), a_finding("left open"))}, True),
        ({"failures": {"server": "it did not start"}}, False),
        ({"proofs": {"worker": Proof(level="L1", layers=STANDARD)}}, False),
        ({"proofs": {}}, False),
    ],
)
def test_a_report_holds_only_if_all_was_tried_and_nothing_promised_is_open(
    changes, holds
):
    assert report(a_finding(), **{"findings": (a_finding(),), **changes}).holds is holds


@pytest.mark.parametrize("width", [80, 120])
def test_the_page_fits(width):
    findings = [
        a_finding(phrase=each.phrase, attempt=each.name, area=each.area, kind=kind)
        for each in CATALOGUE
        for kind in ("worker", "server", "program", "orchestrator")
    ]
    told = page(report(*findings, a_finding("not shown", why="no " * 40)), width=width)

    assert max(map(len, told.splitlines())) <= width


def test_the_page_obeys_nothing_that_a_worker_said():
    evil = "\x1b]52;c;eA==\x07\x9b2J\u202e\rgone"
    told = page(
        report(a_finding(errno=evil), a_finding("not shown", why=evil)), width=80
    )

    assert not set(evil) & set("\x1b\x07\x9b\u202e\r") & set(told)


def test_the_page_names_what_is_open_and_what_is_left_open():
    told = page(report(a_finding("open"), a_finding("left open")), width=80)

    assert "✗ worker: Knock" in told
    assert "Left open at this level" in told
    assert "not everything that L2 promises is proved" in told


def test_the_page_says_what_it_does_not_cover():
    told = page(report(a_finding()), width=120)

    assert "✓ everything that L2 promises held" in told
    assert "1 of 2 attempts succeed" in " ".join(told.split())
    for word in ("your own model server", "swap", "covert channels", "in this run"):
        assert word in " ".join(told.split())
