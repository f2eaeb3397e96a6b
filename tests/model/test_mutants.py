"""Mutants are many, telling and different; what they are made of changes what it says and nothing else."""

import dataclasses
import re
from collections import Counter

import pytest

from conformance.catalogue import Level, load
from conformance.model import checks
from conformance.model.actions import State
from conformance.model.config import VhostConfig
from conformance.model.dialects import dialect
from conformance.model.mutants import MUTANTS
from conformance.model.mutants.making import (
    added,
    carp,
    common,
    demanding,
    dropped,
    exchanged,
    first,
    instead,
    last,
    meant,
    miscounted,
    mutant,
    put,
    rules,
    sending,
    step,
    threshold,
    thresholds_of_states,
    wedge,
    wording,
)
from conformance.model.rows import KEYS
from conformance.model.transitions import Effect, Input, Reason
from conformance.wire.digest import AddressRule
from conformance.wire.header import checksum
from tests.model.building import PASSWORD, SECOND, SHARED, Bench, sent

FREEBSD = dialect("freebsd-13")


def flat(rules_of):
    """All values of a dialect, those that all have alike among them."""
    values = {one.name: getattr(rules_of, one.name) for one in dataclasses.fields(rules_of)}
    alike = values.pop("common")
    return values | {one.name: getattr(alike, one.name) for one in dataclasses.fields(alike)}


class TestMutants:
    def test_ids_are_unique_and_telling(self):
        ids = [one.id for one in MUTANTS]
        assert not [id for id, count in Counter(ids).items() if count > 1]
        assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", id) for id in ids)

    def test_there_are_enough(self):
        assert len(MUTANTS) >= 160

    @pytest.mark.parametrize("key", KEYS)
    def test_each_dialect_has_some(self, key):
        assert sum(one.dialect == key for one in MUTANTS) >= 10

    def test_they_violate_what_the_catalogue_demands(self):
        catalogue = load()
        assert not [(one.id, id) for one in MUTANTS for id in one.violates if id not in catalogue]
        assert all(one.violates and len(set(one.violates)) == len(one.violates) for one in MUTANTS)

    def test_they_violate_what_binds_their_dialect(self):
        catalogue = load()
        strange = [
            (one.id, id)
            for one in MUTANTS
            for id in one.violates
            if catalogue[id].level is Level.MAY
            and not {one.dialect, dialect(one.dialect).name} & catalogue[id].holds_for
        ]
        assert not strange

    @pytest.mark.parametrize("one", MUTANTS, ids=lambda one: one.id)
    def test_fault_changes_the_dialect(self, one):
        healthy = dialect(one.dialect)
        before = flat(healthy)
        after = flat(one.fault(healthy))
        assert any(after[name] != value for name, value in before.items()), "it is no fault"
        assert flat(healthy) == before, "it changed the healthy dialect"
        assert one.about


class TestMaking:
    def test_faults_add_up(self):
        made = mutant(
            "two-faults", "both", "WIRE-018 WIRE-019", "openbsd", rules(tos=0), rules(traffic_class=9)
        )
        faulty = made.fault(dialect("openbsd"))
        assert (faulty.tos, faulty.traffic_class) == (0, 9)
        assert made.violates == ("CARP-WIRE-018", "CARP-WIRE-019")
        assert made.group == "WIRE"

    def test_common_rules(self):
        faulty = common(password_length=18)(FREEBSD)
        assert faulty.common.password_length == 18
        assert faulty.common.takes is FREEBSD.common.takes

    def test_checks_change_places_in_both_families(self):
        faulty = exchanged(checks.ttl, checks.digest)(FREEBSD)
        for before, after in (
            (FREEBSD.checks_ipv4, faulty.checks_ipv4),
            (FREEBSD.checks_ipv6, faulty.checks_ipv6),
        ):
            assert after[before.index(checks.ttl)] is checks.digest
            assert after[before.index(checks.digest)] is checks.ttl

    def test_checks_are_replaced_and_added(self):
        faulty = instead(checks.ttl, checks.length)(FREEBSD)
        assert checks.ttl not in faulty.checks_ipv4
        assert first(checks.digest)(FREEBSD).checks_ipv4[0] is checks.digest
        assert last(checks.ttl)(FREEBSD).checks_ipv4[-1] is checks.ttl
        assert demanding(checks.ttl)(FREEBSD).checks_ipv6[-1] is checks.ttl

    def test_transitions(self):
        better = State.MASTER, Input.BETTER
        faulty = step(*better, to=State.INIT)(FREEBSD)
        assert faulty.transitions[better].to is State.INIT
        assert faulty.transitions[better].reason is Reason.BETTER
        assert Effect.ARM_DOWN not in dropped(Effect.ARM_DOWN, *better)(FREEBSD).transitions[better].effects
        assert added(Effect.ANNOUNCE, *better)(FREEBSD).transitions[better].effects[-1] is Effect.ANNOUNCE

    def test_log_lines(self):
        assert threshold("log_ttl", 7)(FREEBSD).log_ttl.threshold == 7
        states = thresholds_of_states(5)(FREEBSD).log_states
        assert {line.threshold for line in states.values()} == {5}
        assert "CARP" in wording("carp", "CARP")(FREEBSD).log_states[Reason.BETTER].text
        with pytest.raises(AssertionError, match="log_replay"):
            threshold("log_replay", 1)(FREEBSD)

    def test_counters(self):
        faulty = miscounted(badttl=("badver", "badsum"))(FREEBSD)
        assert faulty.common.counts("badttl") == ("badver", "badsum")
        assert faulty.common.counts("badlen") == ("badlen",)


def take_over(rules_of, *addresses):
    """The frames that a host sends when it becomes MASTER."""
    config = VhostConfig(1, addresses or (SHARED,), PASSWORD, advskew=100)
    return sent(Bench(rules_of, config=config).wait(4 * SECOND))


class TestInTheMachine:
    """A fault reaches what the machine does."""

    def test_advertisement_is_changed_under_a_right_checksum(self):
        (healthy, *_), (faulty, *_) = take_over(FREEBSD), take_over(carp(put(3, b"\x1c"))(FREEBSD))
        assert (healthy.carp.authlen, faulty.carp.authlen) == (7, 28)
        assert checksum(faulty.payload) == 0

    def test_advertisements_are_told_from_other_frames(self):
        seen = []
        take_over(sending(lambda _, data, vhid: seen.append((data[12:14].hex(), vhid)))(FREEBSD))
        assert seen == [("0800", 1), ("0806", None)]

    def test_rule_of_addresses(self):
        faulty = rules(address_rule=AddressRule.CONFIGURED)(FREEBSD)
        descending = "192.0.2.102", "192.0.2.101"
        (healthy, *_), (other, *_) = take_over(FREEBSD, *descending), take_over(faulty, *descending)
        assert healthy.carp.counter == other.carp.counter
        assert healthy.carp.digest != other.carp.digest

    def test_crash(self):
        bench = Bench(FREEBSD, state=State.MASTER)
        wedge(bench.host.vhost("em0", 1))
        assert bench.host.next_deadline_ns is None
        assert not bench.receive(bench.advert())

    def test_virtual_host_that_a_packet_names(self):
        seen = []
        faulty = first(lambda arrival: bool(seen.append(meant(arrival))) or True)(FREEBSD)
        bench = Bench(faulty, state=State.BACKUP)
        for vhid in (1, 2):
            bench.receive(bench.advert(vhid=vhid))
        bench.receive(bench.advert(cut=1))
        assert seen == [bench.host.vhost("em0", 1), None, None]
