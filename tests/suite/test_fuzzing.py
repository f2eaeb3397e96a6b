"""What is drawn, what it makes of an advertisement, and what the oracle says of that."""

import gc
import subprocess
import sys
from ipaddress import ip_address
from random import Random
from types import SimpleNamespace

import pytest

from conformance.model.dialects import dialect
from conformance.model.rows import KEYS
from conformance.suite.fuzzing import SEED, BadSeed, Fuzzed, drawn, oracle, seed_of, tells_seed
from conformance.targets.protocol import Settings
from conformance.wire.advertisement import Advertisement
from conformance.wire.checks import Check, faults
from conformance.wire.digest import Secret
from conformance.wire.frame import decode

SHARED = ip_address("192.0.2.100")
HOST = SimpleNamespace(
    name="a", addresses=(ip_address("192.0.2.1"), ip_address("fe80::1")), mac=bytes.fromhex("020000000201")
)
SETTINGS = Settings(vhid=1, password="secret", addresses=(SHARED,), advskew=100)


def advertisement(key="freebsd-13", **fields):
    """A valid advertisement of the tester."""
    secret = Secret("secret", (SHARED,), dialect(key).address_rule)
    return Advertisement(vhid=1, source=ip_address("192.0.2.254"), secret=secret, counter=7, **fields)


def noting(method, counts):
    """The method, which also notes how many objects the collector leaves alone at each call."""

    def noted(*arguments):
        counts.append(gc.get_freeze_count())
        return method(*arguments)

    return noted


def found(*changes):
    """What is wrong with an advertisement after these changes."""
    one = advertisement()
    return faults(decode(Fuzzed(changes).frame(one)), 1, one.secret)


class TestSeed:
    def test_default(self):
        assert seed_of({}) == SEED
        assert seed_of({"CARP_CONFORMANCE_SEED": ""}) == SEED

    def test_given(self):
        assert seed_of({"CARP_CONFORMANCE_SEED": "-7"}) == -7

    def test_no_number(self):
        with pytest.raises(BadSeed, match=r"CARP_CONFORMANCE_SEED is 'x': give a whole number") as raised:
            seed_of({"CARP_CONFORMANCE_SEED": "x"})
        assert raised.value.given == "x"

    def test_case_tells_it(self):
        noted = []
        wire = SimpleNamespace(describe=lambda: "the IUT is well", note=noted.append)
        assert tells_seed(wire) == SEED
        assert wire.describe().splitlines()[0] == "the IUT is well"
        assert f"CARP_CONFORMANCE_SEED={SEED} repeats it" in wire.describe()
        assert str(SEED) in noted[0]


class TestDrawn:
    def test_same_seed_draws_the_same(self):
        first = drawn(5, 60)
        drawn.cache_clear()
        assert drawn(5, 60) == first
        assert drawn(6, 60) != first
        assert len(set(first)) == len(first) > 40

    def test_same_seed_draws_the_same_in_a_process_with_other_modules(self):
        script = "from conformance.suite.fuzzing import drawn; print(*drawn(5, 60), sep='\\n')"
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
        )
        assert done.stdout.splitlines() == [str(one) for one in drawn(5, 60)]

    @pytest.mark.parametrize("kept", [False, True])
    def test_drawing_looks_for_no_garbage_in_what_was_there_before(self, monkeypatch, kept):
        counts = []
        if kept:
            gc.freeze()
        with monkeypatch.context() as patched:
            patched.setattr(Random, "getrandbits", noting(Random.getrandbits, counts))
            drawn.__wrapped__(SEED, 20)
        after = gc.get_freeze_count()
        gc.unfreeze()
        assert min(counts) > 0
        assert (after > 0) == kept

    def test_what_is_drawn_can_be_sent(self):
        for one in drawn(SEED, 150):
            data = one.frame(advertisement())
            assert data[23] == 112
            assert decode(data).ip is not None

    def test_some_is_right_and_some_is_wrong(self):
        wrong = sum(bool(found(*one.changes)) for one in drawn(SEED, 150))
        assert 30 < wrong < len(drawn(SEED, 150)) - 30


class TestFrame:
    def test_without_changes_it_is_the_advertisement(self):
        assert Fuzzed(()).frame(advertisement()) == advertisement().frame()

    @pytest.mark.parametrize(
        ("change", "check"),
        [
            (("ttl", 254), Check.TTL),
            (("version", 3), Check.VERSION),
            (("vhid", 2), Check.VHID),
            (("checksum bit", 15), Check.CHECKSUM),
            (("cut to", 35), Check.LENGTH),
            (("cut to", 0), Check.LENGTH),
            (("IP checksum bit", 0), Check.IP),
            (("fragment offset", 1), Check.IP),
            (("destination", 1), Check.DESTINATION),
        ],
    )
    def test_one_fault(self, change, check):
        assert check in found(change)

    def test_digest_alone(self):
        assert found(("digest bit", 159)) == {Check.DIGEST}

    @pytest.mark.parametrize(
        "change",
        [
            ("type", 15),
            ("authlen", 0),
            ("counter", 2**64 - 1),
            ("zeros behind", 64),
            ("tos", 255),
            ("identification", 65_535),
            ("padding", 64),
            ("source", 0),
            ("source MAC", 2**40 - 1),
            ("advskew", 255),
            ("advbase", 255),
            ("demote", 255),
        ],
    )
    def test_odd_and_not_wrong(self, change):
        assert not found(change)
        assert Fuzzed((change,)).frame(advertisement()) != advertisement().frame()

    def test_in_words(self):
        assert str(Fuzzed((("ttl", 254), ("type", 3)))) == "ttl 254, type 3"


@pytest.mark.parametrize("key", KEYS)
def test_oracle(key):
    """It yields to what is better and valid, again and again, and to nothing else."""
    farewell = advertisement(key, advbase=255, advskew=255).frame()
    yields = oracle(dialect(key), HOST, SETTINGS, farewell)
    better, worse = advertisement(key, advskew=50), advertisement(key, advskew=150)
    odd, wrong = Fuzzed((("authlen", 0),)), Fuzzed((("ttl", 64),))
    asked = [better.frame(), worse.frame(), odd.frame(better), wrong.frame(better), better.frame()]
    assert [yields(frame) for frame in asked] == [True, False, True, False, True]
