"""Every oddity is odd and passes every check of the reference receiver."""

from ipaddress import ip_address

import pytest

from conformance.wire.advertisement import Advertisement
from conformance.wire.checks import faults
from conformance.wire.digest import Secret
from conformance.wire.frame import decode
from conformance.wire.oddities import ODDITIES, BadOddity, Oddity, oddity

ADVERTISEMENT = Advertisement(
    vhid=7,
    source=ip_address("192.0.2.254"),
    secret=Secret("secret", (ip_address("192.0.2.1"),)),
    advskew=3,
    counter=0x0123456789ABCDEF,
)


@pytest.mark.parametrize("odd", ODDITIES, ids=str)
def test_no_check_refuses_it(odd):
    assert faults(decode(odd.frame(ADVERTISEMENT)), 7, ADVERTISEMENT.secret) == frozenset()


@pytest.mark.parametrize("odd", ODDITIES, ids=str)
def test_it_is_not_what_an_implementation_sends(odd):
    assert odd.frame(ADVERTISEMENT) != ADVERTISEMENT.frame()


def test_an_oddity_that_is_wrong_is_refused():
    bad = Oddity("bad", "", "CARP-RX-007", lambda ad: ad.but(vhid=8).frame())
    with pytest.raises(BadOddity, match="should pass every check, but fails: vhid"):
        bad.frame(ADVERTISEMENT)


def test_it_serves_as_a_fault_of_a_stream():
    odd = oddity("type-2")
    assert odd(ADVERTISEMENT) == odd.frame(ADVERTISEMENT)
    assert odd.breaks == "type 2 in place of 1 (odd, not wrong)"


def test_names_are_unique_and_found():
    assert [oddity(o.name) for o in ODDITIES] == list(ODDITIES)
    with pytest.raises(KeyError):
        oddity("no such")


@pytest.mark.parametrize(
    ("name", "at", "value"),
    [
        ("type-15", 34, 0x2F),
        ("authlen-255", 37, 255),
        ("byte-4-255", 38, 255),
        ("df-clear", 20, 0),
        ("tos-255", 15, 255),
    ],
)
def test_the_named_byte_is_the_odd_one(name, at, value):
    assert oddity(name).frame(ADVERTISEMENT)[at] == value


def test_options_stand_between_the_headers():
    assert decode(oddity("options-40").frame(ADVERTISEMENT)).ip.header_length == 60


def test_the_shared_address_is_the_first_of_the_secret():
    assert decode(oddity("source-shared").frame(ADVERTISEMENT)).ip.source == ip_address("192.0.2.1")
