"""Keys and the search for what a digest covers."""

import hashlib
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.judge import keyring
from conformance.judge.keyring import Material, Passwords, Search, address_sets, candidates, make_key
from conformance.wire.digest import AddressRule, Secret, key
from tests.judge.making import addresses

COUNTER = bytes(range(8))
A, B, C = addresses("192.0.2.1", "192.0.2.5", "2001:db8::1")


@given(
    st.text(max_size=25),
    st.lists(st.ip_addresses(), min_size=1, max_size=4, unique=True),
    st.integers(1, 255),
    st.binary(min_size=8, max_size=8),
)
def test_a_key_makes_the_digest_of_the_wire_module(password, hashed, vhid, counter):
    made = make_key(key(password), vhid, Material(0, tuple(hashed)))
    assert made.digest(counter) == Secret(password, tuple(hashed)).digest(vhid, counter)


def find(secret, *, passwords=("secret", "other"), given_=(A,), learned=(), seen=(), lladdrs=()):
    """The material of a digest made with ``secret``."""
    sets = list(address_sets(given_, learned, seen))
    found = Search(candidates(Passwords(passwords), 7, sets, lladdrs)).find(
        COUNTER, secret.digest(7, COUNTER)
    )
    return found.material if found is not None else None


@pytest.mark.parametrize(
    ("secret", "hints", "material"),
    [
        (Secret("secret", (A,)), {}, Material(0, (A,))),
        (Secret("other", (A,)), {}, Material(1, (A,))),
        (Secret("", (A,)), {}, Material(None, (A,))),
        (Secret("secret", (B,)), {"seen": (B,)}, Material(0, (B,))),
        (Secret("secret", (A, C)), {"learned": (C,)}, Material(0, (A, C))),
        (Secret("secret", (A, B)), {}, Material(0, (A, B))),
        (
            Secret("secret", (B, A), AddressRule.CONFIGURED),
            {"given_": (A, B)},
            Material(0, (B, A), in_order=True),
        ),
        (
            Secret("secret", (A,), lladdr=b"\2" * 6),
            {"lladdrs": [b"\2" * 6]},
            Material(0, (A,), lladdr=b"\2" * 6),
        ),
        (Secret("other\0_secret", (A,)), {"passwords": ("other", "a_longer_one")}, None),
        (
            Secret("other\0_secret", (A,)),
            {"passwords": ("other", "abcde__secret")},
            Material(0, (A,), mixed=1),
        ),
        (Secret("unknown", (A,)), {}, None),
        (Secret("secret", (C,)), {"given_": ()}, None),
    ],
)
def test_the_search(secret, hints, material):
    assert find(secret, **hints) == material


def test_all_twenty_bytes():
    long = "12345678901234567890"
    digest = make_key(key(long, limit=20), 7, Material(0, (A,))).digest(COUNTER)
    found = Search(candidates(Passwords((long,)), 7, [(A,)])).find(COUNTER, digest)
    assert found is not None
    assert found.material == Material(0, (A,), long=True)


def test_a_second_question_uses_what_was_made():
    search = Search(candidates(Passwords(("secret",)), 7, [(A,), (B,)]))
    for hashed in ((B,), (A,), (B,)):
        found = search.find(COUNTER, Secret("secret", hashed).digest(7, COUNTER))
        assert found is not None
        assert found.material.addresses == hashed
    assert search.find(COUNTER, bytes(20)) is None


def test_a_long_list_of_passwords_is_tried_on_the_likely_sets_only():
    many = tuple(f"candidate {index}" for index in range(50))
    assert find(Secret(many[-1], (A,)), passwords=many) == Material(49, (A,))
    assert find(Secret(many[-1], (A, B)), passwords=many) is None


def test_address_sets_are_likely_first_and_each_once():
    sets = list(address_sets((A,), (B,), (A, C)))
    assert sets[:3] == [(A,), (B,), (A, B)]
    assert len(sets) == len(set(sets)) == 7
    assert list(address_sets((), (), ())) == []


def test_the_universe_of_addresses_is_bounded():
    many = tuple(ip_address(f"192.0.2.{last}") for last in range(1, 40))
    assert len(list(address_sets((), (), many))) < 600


def test_no_password_shows_itself():
    assert "hunter2" not in repr(Passwords(("hunter2",)))
    assert "hunter2" not in repr(make_key(key("hunter2"), 1, Material(0, (A,))))
    assert "hunter2" not in repr(Passwords(("hunter2",)).seeds())


def test_without_a_sha1_of_its_own_python_uses_that_of_openssl(monkeypatch):
    keyring.quickest_sha1.cache_clear()
    monkeypatch.setattr(keyring, "find_spec", lambda _name: None)
    assert keyring.quickest_sha1() is hashlib.sha1
    monkeypatch.undo()
    keyring.quickest_sha1.cache_clear()
