"""Every row of the verdict table, and that a known deviation is strict."""

import pytest

from conformance.segment.decision import Inconclusive, Mismatch, NotApplicable, Vacuous
from conformance.suite.verdict import expected_deviation, verdict
from conformance.targets.protocol import ConfigurationRefused, Deviation

KNOWN = Deviation("WIRE-016", r"fifth byte is 0", "it sends from another address", "carp.c:248")
FAILED_SO = Mismatch("source is right", "its fifth byte is 0")
FAILED_OTHERWISE = Mismatch("source is right", "it is silent")


@pytest.mark.parametrize(
    ("raised", "deviations", "word"),
    [
        (None, (), "pass"),
        (None, (KNOWN,), "fail"),
        (FAILED_SO, (), "fail"),
        (FAILED_SO, (KNOWN,), "known_deviation"),
        (FAILED_OTHERWISE, (KNOWN,), "fail"),
        (Inconclusive("late"), (), "inconclusive"),
        (Inconclusive("late"), (KNOWN,), "inconclusive"),
        (NotApplicable("no"), (), "not_applicable"),
        (NotApplicable("no"), (KNOWN,), "not_applicable"),
        (Vacuous("nothing"), (), "error"),
        (Vacuous("nothing"), (KNOWN,), "error"),
        (AssertionError("a bare assert of a case"), (), "error"),
        (AssertionError("its fifth byte is 0"), (KNOWN,), "error"),
        (OSError("rig"), (KNOWN,), "error"),
        (KeyboardInterrupt(), (), "error"),
    ],
)
def test_table(raised, deviations, word):
    judged = verdict("WIRE-016.source", raised, deviations)
    assert judged.word == word
    assert bool(judged.reason) == (word != "pass")


def test_an_unexpected_pass_says_what_to_do():
    judged = verdict("WIRE-016.source", None, (KNOWN,))
    assert "remove it from the profile" in judged.reason
    assert judged.deviation is KNOWN


def test_another_failure_than_the_known_one_shows_itself():
    judged = verdict("WIRE-016.source", FAILED_OTHERWISE, (KNOWN,))
    assert "otherwise than the known deviation" in judged.reason
    assert "it is silent" in judged.reason


def test_a_deviation_of_other_cases_excuses_nothing():
    assert verdict("WIRE-017.x", FAILED_SO, (KNOWN,)).word == "fail"


def test_the_most_special_deviation_counts():
    special = Deviation("WIRE-016.source[a]", "", "x", "y")
    assert expected_deviation("WIRE-016.source[a]", (KNOWN, special)) is special
    assert expected_deviation("WIRE-016.source[b]", (KNOWN, special)) is KNOWN
    assert expected_deviation("RX-001.x", (KNOWN, special)) is None


def test_settings_that_the_implementation_refuses_are_its_fail():
    """Not an error of the rig: it was asked for nothing that the case does not need."""
    raised = ConfigurationRefused(2, "Password too long")
    judged = verdict("AUTH-001.x", raised, ())
    assert (judged.word, judged.reason) == (
        "fail",
        "expected the settings of the case to be accepted; the implementation refused its configuration (exit status 2): Password too long",
    )
    known = Deviation("AUTH-001", "Password too long", "it takes no more", "src/carp.c")
    assert verdict("AUTH-001.x", raised, (known,)).word == "known_deviation"
