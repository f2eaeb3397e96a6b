"""What a judgement says: times, lists, and what makes a digest unbelievable."""

import pytest

from conformance.judge.digests import believes
from conformance.judge.findings import clock, difference, duration, password_words, several
from conformance.judge.keyring import Material
from tests.judge.making import START, addresses

V4, V4B, LOCAL = addresses("192.0.2.1", "192.0.2.5", "fe80::1")


class TestWords:
    def test_times(self):
        assert clock(START) == "22:13:20.000"
        assert clock(10**30) == "1000000000000000000000 s"
        assert (duration(2_000_000), duration(3_210_000_000)) == ("2 ms", "3.2 s")
        assert several([V4B, LOCAL, V4]) == "192.0.2.1, 192.0.2.5 and fe80::1"
        assert several([]) == ""

    @pytest.mark.parametrize(
        ("other", "name", "words"),
        [
            (
                Material(1, (V4,)),
                "password-differs",
                "password 2 of those given, the other's with password 1",
            ),
            (Material(None, (V4,)), "password-differs", "no password"),
            (Material(0, (V4,), long=True), "password-differs", "all of its first 20 characters"),
            (Material(0, (V4,), mixed=1), "password-differs", "over the tail of password 2"),
            (Material(0, (V4, V4B)), "one-address-differs", "covers 192.0.2.5 too"),
            (Material(0, (V4B,)), "addresses-differ", "covers 192.0.2.5 too and lacks 192.0.2.1"),
            (Material(0, (V4, LOCAL)), "link-local-context", "covers fe80::1 too"),
            (Material(0, (V4,), in_order=True), "address-order", "order of configuration"),
            (Material(0, (V4,), lladdr=b"\1" * 6), "lladdr-differs", "link-layer address"),
        ],
    )
    def test_what_makes_a_digest_unbelievable(self, other, name, words):
        own = Material(0, (V4,))
        assert not believes(own, other)
        assert difference(other, own)[0] == name
        assert words in difference(other, own)[1]

    def test_the_same_is_believed(self):
        assert believes(Material(0, (V4, V4B)), Material(0, (V4B, V4)))
        assert password_words(Material(0, (V4,))) == "password 1 of those given"
