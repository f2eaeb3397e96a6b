"""An IUT that speaks VRRPv3 is recognised on the wire, and its windows follow from what it heard."""

from ipaddress import ip_address

import pytest

from conformance.model.dialects import dialect
from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.segment.trace import Trace
from conformance.targets.model.bench import ModelBench
from conformance.targets.model.target import ModelTarget
from conformance.targets.protocol import ConfigurationRefused, Settings
from conformance.targets.subject import Subject
from conformance.targets.subject.router import Router

SECOND = 1_000_000_000


@pytest.fixture
def started():
    """Starts an IUT with these options; gives it as a subject."""
    bench = ModelBench((dialect("freebsd-15"),), 1)
    trace = Trace()
    port = bench.port(trace)
    segment = Segment(bench.loop, trace, port)
    tester = Tester(segment, bench.tester_addresses[0], bench.tester_mac)
    profile = ModelTarget("model:freebsd-15", dialect("freebsd-15"), ()).profile

    def start(**options):
        settings = Settings(password="secret", addresses=bench.shared_addresses[:1], options=options)
        host = bench.hosts["a"]
        return Subject(host.start(settings), host, settings, profile, segment, tester)

    return start


def test_what_carp_speaks_is_no_router(started):
    with pytest.raises(AssertionError, match="carpver 3"):
        Router.of(started())


def test_windows(started):
    router = Router.of(started(carpver=3, vrrpprio=200, vrrpinterval=300))
    assert (router.priority, router.interval_cs, router.interval_ns) == (200, 300, 3 * SECOND)
    low, high = router.start_bounds_ns
    assert low <= 3_210_000_000 <= high < 4 * SECOND
    assert router.take_over_bounds_ns[0] <= 9_650_000_000 <= router.take_over_bounds_ns[1]
    seen = router.tester.send(router.router(255, interval_cs=50))
    assert router.last_valid() is seen
    window = router.master_down_window()
    assert window.from_ns - seen.time_ns <= 1_600_000_000 <= window.to_ns - seen.time_ns


def test_own_and_foreign_advertisements(started):
    router = Router.of(started(carpver=3))
    first = router.reach_master()
    assert router.is_own(first)
    assert router.packet(first).addresses(4) == router.settings.addresses
    for wrong in ({"vrid": 7}, {"pseudo": False}, {"ttl": 254}):
        router.tester.send(router.router(255, **wrong))
        assert router.last_valid() is None
    assert not router.is_own(router.tester.send(router.router(1)))


def test_a_peer_lists_the_family_that_it_sends_over(started):
    router = Router.of(started(carpver=3))
    assert router.router(1, source=ip_address("fe80::9")).addresses == ()
    assert router.router(1).addresses == router.settings.addresses


def test_options_can_be_changed(started):
    router = Router.of(started(carpver=3, vrrpprio=7))
    router.reconfigure(options={"vrrpprio": 8})
    assert dict(router.settings.options) == {"carpver": 3, "vrrpprio": 8}
    assert router.priority == 8


@pytest.mark.parametrize("options", [{"carpver": 2}, {"xparam": "x"}])
def test_options_that_cannot(started, options):
    router = Router.of(started(carpver=3))
    with pytest.raises(ConfigurationRefused, match="cannot be changed"):
        router.reconfigure(options=options)
    assert dict(router.settings.options) == {"carpver": 3}
