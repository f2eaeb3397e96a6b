"""What an administrator orders: states on request, changes beside a live peer, and removal."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from conformance.segment.decision import Window
from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.suite.configuring import Start
from conformance.suite.marks import covers, hosts, needs, takes
from conformance.targets.beside.client import Client
from conformance.targets.protocol import Bench
from conformance.targets.subject import Subject
from conformance.targets.subject.group import Group
from conformance.wire.digest import Address
from conformance.wire.frame import virtual_mac

SECOND = 1_000_000_000
APART_NS = 200_000_000
SETTLE_NS = 50_000_000
"""Until the last frame of a stream, or a farewell, has surely been captured."""


# --- states on request


@covers("CARP-ELECT-022")
@needs("state_request")
@takes(10)
def test_order_to_step_down(master: Subject, wire: Segment) -> None:
    """A MASTER that is ordered to be BACKUP falls silent, and is back when its master-down timer expires."""
    master.next_own()
    wire.watch(master.interval_ns // 2)
    ordered_ns = master.just_now_ns
    master.request_state("BACKUP")
    wire.expect(master.enters("BACKUP"), within=master.reaction_window(ordered_ns))
    bounds = master.take_over_bounds_ns
    wire.expect(
        master.becomes_master(),
        within=Window.after(ordered_ns, bounds, "it was ordered to step down"),
    )


@covers("CARP-ELECT-022")
@needs("state_request")
@takes(12)
def test_order_to_step_down_for_a_peer(master: Subject, tester: Tester, wire: Segment) -> None:
    """A MASTER that was ordered to be BACKUP stays it under a slower peer that advertises meanwhile."""
    master.request_state("BACKUP")
    master.stays_backup(master.worse())


@covers("CARP-ELECT-023")
@needs("state_request")
@takes(2)
def test_order_to_take_over(backup: Subject, wire: Segment) -> None:
    """A BACKUP that is ordered to be MASTER advertises and announces its address within 100 ms."""
    ordered_ns = backup.just_now_ns
    backup.request_state("MASTER")
    soon = Window.after(ordered_ns, (0, 100_000_000), "the order")
    wire.expect(backup.becomes_master(), within=soon)
    (address,) = backup.settings.addresses
    assert isinstance(address, IPv4Address)
    wire.expect(backup.announces(address), within=soon)


@covers("CARP-ELECT-024")
@needs("state_request", "link")
@takes(6)
@pytest.mark.parametrize("state", ["MASTER", "BACKUP"])
def test_order_in_init_has_no_effect(backup: Subject, wire: Segment, state: str) -> None:
    """An order in INIT is forgotten: when the link is back the virtual host starts as BACKUP like any other."""
    backup.host.cable(plugged=False)
    wire.watch(SECOND)
    ordered_ns = wire.now_ns()
    backup.request_state(state)
    wire.watch(SECOND)
    left = [
        event
        for event in wire.trace.since(ordered_ns)
        if backup.enters("MASTER").match(event) or backup.enters("BACKUP").match(event)
    ]
    wire.check("changes of state that follow the order", len(left), 0)
    back_ns = backup.just_now_ns
    backup.host.cable(plugged=True)
    wire.expect(backup.enters("BACKUP"), within=backup.reaction_window(back_ns))
    wire.expect(backup.becomes_master(), within=backup.link_up_window(back_ns))


# --- beside a live peer


def pair(start: Start, wire: Segment, addresses: tuple[Address, ...]) -> tuple[Subject, Subject]:
    """A MASTER and a BACKUP of one virtual host."""
    one = start(on="a", addresses=addresses, advskew=0)
    wire.watch(APART_NS)
    two = start(on="b", addresses=addresses, advskew=100)
    one.reach_master()
    wire.watch(2 * one.interval_ns)
    return one, two


@covers("CARP-SCENARIO-007")
@needs("sysctl")
@hosts(2)
@takes(20)
@pytest.mark.parametrize("on", ["MASTER", "BACKUP"])
def test_pair_settles_after_allow_was_off(start: Start, wire: Segment, bench: Bench, on: str) -> None:
    """When allow has been 0 and is 1 again on one of two hosts, the pair settles on one MASTER in time."""
    both = pair(start, wire, bench.shared_addresses[:1])
    subject = both[0] if on == "MASTER" else both[1]
    subject.sysctls().set_sysctl("allow", 0)
    wire.watch(2 * subject.take_over_bounds_ns[1])
    subject.sysctls().set_sysctl("allow", 1)
    Group(wire, both).settles_on(after_ns=wire.now_ns())


@covers("CARP-SCENARIO-007")
@needs("reconfigure", "multiple_addresses")
@hosts(2)
@takes(20)
@pytest.mark.parametrize("on", ["MASTER", "BACKUP"])
def test_pair_settles_after_an_address_was_missing(
    start: Start,
    wire: Segment,
    bench: Bench,
    on: str,
) -> None:
    """When one of two hosts was without one of the addresses and has it again, the pair settles on one MASTER."""
    both = pair(start, wire, bench.shared_addresses[:2])
    subject = both[0] if on == "MASTER" else both[1]
    subject.remove_address(bench.shared_addresses[1])
    wire.watch(2 * subject.take_over_bounds_ns[1])
    subject.add_address(bench.shared_addresses[1])
    Group(wire, both).settles_on(after_ns=wire.now_ns())


@covers("CARP-SCENARIO-020")
@needs("reconfigure", "multiple_addresses")
@hosts(2)
@takes(30)
@pytest.mark.parametrize("first", ["MASTER", "BACKUP"])
@pytest.mark.parametrize("change", ["added", "removed"])
def test_address_that_changes_on_both(
    start: Start,
    wire: Segment,
    bench: Bench,
    first: str,
    change: str,
) -> None:
    """An address that is added to, or removed from, two hosts 1 s apart leaves two MASTERs no longer than that
    second and one master-down time, and one in the end.
    """
    shared = bench.shared_addresses
    both = pair(start, wire, shared[:1] if change == "added" else shared[:2])
    began_ns = wire.now_ns()
    for subject in both if first == "MASTER" else both[::-1]:
        (subject.add_address if change == "added" else subject.remove_address)(shared[1])
        wire.watch(SECOND)
    Group(wire, both).settles_on(after_ns=wire.now_ns())
    spoke = [[seen for seen in subject.own_frames() if seen.time_ns > began_ns] for subject in both]
    together_ns = 0
    if all(spoke):
        together_ns = min(frames[-1].time_ns for frames in spoke) - max(frames[0].time_ns for frames in spoke)
    limit_ns = SECOND + max(subject.take_over_bounds_ns[1] for subject in both)
    cited = [frames[0] for frames in spoke if frames]
    wire.check_span("the time with two MASTERs", max(together_ns, 0), (0, limit_ns), *cited)


@covers("CARP-SCENARIO-012")
@needs("kill", "vhid_list")
@takes(7)
def test_removed_virtual_host_no_longer_takes_frames(
    master: Subject,
    bench: Bench,
    tester: Tester,
    wire: Segment,
) -> None:
    """A host whose virtual host was removed does not answer an echo framed to the virtual MAC; before, it did."""
    (address,) = master.settings.addresses
    assert isinstance(address, IPv4Address)
    client = Client(wire, tester, bench, address)
    asked = client.pings(virtual_mac(1))
    wire.expect(client.hears_echo(), within=client.answer_window(asked))
    master.iut.kill()
    wire.check("the vhids of the host", master.vhids(), ())
    client.pings(virtual_mac(1))
    wire.expect_none(client.hears_echo(), for_ns=SECOND, barrier=master.alive)


@covers("CARP-ROBUST-009")
@needs("kill", "vhid_list")
@takes(20)
def test_removal_under_load(start: Start, bench: Bench, tester: Tester, wire: Segment) -> None:
    """Virtual hosts come and go while 1000 advertisements a second arrive; the host stays well, and so does a new
    virtual host.
    """
    template = start()
    load = template.peer(1, 200)
    with tester.advertising(load, interval_ns=1_000_000):
        template.iut.kill()
        for _ in range(5):
            subject = start()
            wire.watch(SECOND // 10)
            subject.iut.kill()
    wire.watch(SETTLE_NS)
    last = start()
    last.alive()
    wire.expect(last.becomes_master(), within=last.start_window)
