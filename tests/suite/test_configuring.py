"""Settings that are taken or refused become decisions of the case."""

import pytest

from conformance.segment.decision import Mismatch
from conformance.suite.configuring import accepts, refuses
from conformance.targets.protocol import ConfigurationRefused


class Wire:
    """Keeps what was checked and raises as a segment does."""

    def __init__(self):
        self.checked = []

    def check(self, what, actual, expected):
        self.checked.append((what, actual, expected))
        if actual != expected:
            raise Mismatch(expected, actual)


def running(**settings):
    return settings


def refusing(**settings):
    raise ConfigurationRefused(2, "Password too long\n")


def test_accepted_settings_give_the_iut():
    wire = Wire()
    assert accepts(wire, running, "vhid 7", vhid=7) == {"vhid": 7}
    assert wire.checked == [("vhid 7", "accepted", "accepted")]


def test_refusal_of_settings_that_must_be_taken_says_how():
    with pytest.raises(Mismatch, match=r"refused, with exit status 2: Password too long$"):
        accepts(Wire(), refusing, "a long password")


def test_silent_refusal_says_so():
    def dumb(**settings):
        raise ConfigurationRefused(None, "")

    with pytest.raises(Mismatch, match="not a word"):
        accepts(Wire(), dumb, "vhid 0", vhid=0)


def test_refused_settings_give_the_refusal():
    wire = Wire()
    assert refuses(wire, refusing, "a long password").status == 2
    assert wire.checked == [("a long password", "refused", "refused")]


def test_settings_that_must_be_refused_but_are_taken_are_a_mismatch():
    with pytest.raises(Mismatch, match="accepted"):
        refuses(Wire(), running, "vhid 0", vhid=0)
