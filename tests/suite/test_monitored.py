"""What the monitors see in a case goes into its record: of the IUT's hosts, with known deviations, and not of the tester."""

from ipaddress import ip_address

import pytest

from conformance.model.dialects import dialect
from conformance.model.mutants import MUTANTS
from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import Trace
from conformance.suite.cases import Case
from conformance.suite.monitored import monitored
from conformance.suite.verdict import excused
from conformance.targets.model.bench import ModelBench
from conformance.targets.model.target import deviations_of
from conformance.targets.protocol import Deviation, Profile, Settings
from conformance.targets.subject import Subject

SECOND = 1_000_000_000
KNOWN = Deviation("WIRE-004.wire-format", r"TTL is 254", "its router is old", "a letter")


def profile(key, *deviations):
    return Profile(
        name=f"model:{key}", dialect=dialect(key), rung="sim", origin="", pics={}, deviations=deviations
    )


def case(key, rules=None, told=profile, options=(), **settings):
    """A case in which one IUT becomes MASTER, on a host that follows ``rules``, and is MASTER for six seconds."""
    about, bench, trace = told(key), ModelBench((rules or dialect(key),), seed=1), Trace()
    port = bench.port(trace)  # begins a new world
    segment = Segment(bench.loop, trace, port)
    tester = Tester(segment, bench.tester_addresses[0], bench.tester_mac)
    host = bench.hosts["a"]
    chosen = Settings(
        **{
            "password": "conformance",
            "addresses": bench.shared_addresses[:1],
            "options": dict(options),
            **settings,
        }
    )
    subject = Subject(host.start(chosen), host, chosen, about, segment, tester)
    subject.reach_master()
    segment.watch(6 * SECOND)
    made = Case(
        "RX-001.x", "RX", "a title", ("CARP-RX-001",), (), 1, 1.0, "x", "x", segment=segment, bench=bench
    )
    made.subjects.append(subject)
    return made


def mutant(requirement, key):
    """A dialect with a fault that violates a requirement."""
    fault = next(one for one in MUTANTS if one.dialect == key and one.violates == (requirement,))
    return fault.fault(dialect(key))


@pytest.mark.parametrize("key", ["freebsd-13", "freebsd-legacy", "openbsd", "ucarp"])
def test_a_healthy_host_breaks_nothing(key):
    seen = monitored(case(key), profile(key))
    assert seen["broken"] == []
    assert {"CARP-WIRE-004", "CARP-AUTH-001", "CARP-TIMER-001"} <= set(seen["held"])


def test_a_fault_that_the_case_does_not_decide_is_in_its_record():
    seen = monitored(case("freebsd-13", mutant("CARP-WIRE-004", "freebsd-13")), profile("freebsd-13"))
    (broken,) = seen["broken"]
    assert (broken["id"], broken["monitor"], broken["verdict"], broken["host"]) == (
        "CARP-WIRE-004",
        "wire-format",
        "fail",
        "a",
    )
    assert broken["frames"]
    assert "CARP-WIRE-004" not in seen["held"]


def test_a_known_deviation_of_a_monitor():
    made = case("freebsd-13", mutant("CARP-WIRE-004", "freebsd-13"))
    (broken,) = monitored(made, profile("freebsd-13", KNOWN))["broken"]
    assert broken["verdict"] == "known_deviation"
    assert broken["deviation"] == {"reason": "its router is old", "reference": "a letter"}
    assert (
        excused("CARP-WIRE-004", "wire-format", "the TTL is 64", [KNOWN]) is None
    )  # another text is another fault
    assert excused("CARP-WIRE-016", "wire-format", "the TTL is 254", [KNOWN]) is None


def test_a_password_that_was_changed_was_given_all_the_same():
    made = case("freebsd-13")
    (subject,) = made.subjects
    subject.reconfigure(password="another")
    made.segment.watch(3 * SECOND)
    assert [one.password for one in subject.told] == ["conformance", "another"]
    assert monitored(made, profile("freebsd-13"))["broken"] == []


def test_addresses_that_were_added_and_removed():
    made = case("freebsd-13")
    (subject,) = made.subjects
    subject.add_address(ip_address("192.0.2.101"))
    made.segment.watch(6 * SECOND)
    subject.remove_address(ip_address("192.0.2.101"))
    made.segment.watch(6 * SECOND)
    assert monitored(made, profile("freebsd-13"))["broken"] == []


def test_an_option_that_changes_the_wire_on_purpose():
    made = case("openbsd", options={"lladdr": "02:c0:ff:ee:00:01"})
    assert monitored(made, profile("openbsd"))["broken"] == []


def test_hosts_that_hash_in_another_order_are_known_to():
    made = case("freebsd-legacy-6", addresses=(ip_address("192.0.2.101"), ip_address("192.0.2.100")))
    known = profile("freebsd-legacy-6", *deviations_of("freebsd-legacy-6"))
    assert {one["verdict"] for one in monitored(made, known)["broken"]} == {"known_deviation"}
    assert {one["verdict"] for one in monitored(made, profile("freebsd-legacy-6"))["broken"]} == {"fail"}


def test_no_password_is_in_it():
    made = case("freebsd-13", mutant("CARP-WIRE-004", "freebsd-13"), password="hunter2")
    assert "hunter2" not in str(monitored(made, profile("freebsd-13")))


def test_where_nothing_was_started_nothing_is_said():
    made = case("freebsd-13")
    made.subjects.clear()
    assert monitored(made, profile("freebsd-13")) is None
    assert monitored(Case("RX-001.x", "RX", "t", (), (), 1, 1.0, "x", "x"), profile("freebsd-13")) is None
