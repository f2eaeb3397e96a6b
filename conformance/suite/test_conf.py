"""CONF: which settings are taken, which are refused, and what holds without any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from conformance.segment.decision import Window
from conformance.segment.segment import Segment
from conformance.segment.trace import FrameSeen
from conformance.suite.configuring import Start, accepts, refuses
from conformance.suite.marks import covers, needs, takes
from conformance.targets.platform import Netlinked
from conformance.targets.protocol import ConfigurationRefused
from conformance.targets.subject import Subject

EINVAL = 22
ENDS_NS = 3_000_000_000
"""Within this a process that was told to end has ended."""


@covers("CARP-CONF-001")
@takes(4)
@pytest.mark.parametrize("vhid", [1, 255])
def test_lowest_and_highest_vhid_are_taken(start: Start, wire: Segment, vhid: int) -> None:
    """A vhid of 1 or 255 is accepted and advertised."""
    seen = accepts(wire, start, f"vhid {vhid}", vhid=vhid, advskew=0).reach_master()
    wire.check("advertised vhid", Subject.header(seen).vhid, vhid, seen)


@covers("CARP-CONF-001")
@takes(0.2)
@pytest.mark.parametrize("vhid", [0, 256])
def test_vhid_beyond_the_limits_is_refused(start: Start, wire: Segment, vhid: int) -> None:
    """A vhid of 0 or 256 is refused."""
    refuses(wire, start, f"vhid {vhid}", vhid=vhid)


@covers("CARP-CONF-002")
@takes(5)
@pytest.mark.parametrize("advskew", [0, 254])
def test_lowest_and_highest_advskew_are_taken(start: Start, wire: Segment, advskew: int) -> None:
    """An advskew of 0 or 254 is accepted, and the IUT becomes MASTER with it."""
    subject = accepts(wire, start, f"advskew {advskew}", advskew=advskew)
    wire.expect(subject.becomes_master(), within=subject.master_down_window())


@covers("CARP-CONF-002")
@takes(0.2)
@pytest.mark.parametrize("advskew", [255, 256])
def test_advskew_beyond_the_limit_is_refused(start: Start, wire: Segment, advskew: int) -> None:
    """An advskew of 255 or more is refused."""
    refuses(wire, start, f"advskew {advskew}", advskew=advskew)


@covers("CARP-CONF-003")
@takes(1)
@pytest.mark.parametrize("advbase", [1, 255])
def test_lowest_and_highest_advbase_are_taken(start: Start, wire: Segment, advbase: int) -> None:
    """An advbase of 1 or 255 is accepted, and the IUT runs with it."""
    subject = accepts(wire, start, f"advbase {advbase}", advbase=advbase, advskew=0)
    subject.alive()
    wire.check("the IUT", "running" if subject.iut.running() else "ended", "running")


@covers("CARP-CONF-003")
@takes(0.2)
def test_advbase_beyond_the_limit_is_refused(start: Start, wire: Segment) -> None:
    """An advbase of 256 is refused."""
    refuses(wire, start, "advbase 256", advbase=256)


@covers("CARP-CONF-004")
@takes(5)
def test_defaults_are_advbase_1_and_advskew_0(start: Start, wire: Segment) -> None:
    """Told neither advbase nor advskew, an IUT is MASTER in the time of 1 and 0, and advertises these."""
    subject = start(advbase=1, advskew=0, options={"omit": ("advbase", "advskew")})
    seen = wire.expect(subject.becomes_master(), within=subject.master_down_window())
    assert isinstance(seen, FrameSeen)
    wire.check("advbase", Subject.header(seen).advbase, 1, seen)
    wire.check("advskew", Subject.header(seen).advskew, 0, seen)


@covers("CARP-CONF-005")
@needs("multiple_vhids")
@takes(10)
def test_vhid_exists_once(start: Start, wire: Segment) -> None:
    """A vhid that is configured a second time on the same interface, whether that is refused or not, still
    sends one advertisement per interval.
    """
    master = start()
    try:
        start()
    except ConfigurationRefused:
        wire.note("the second configuration was refused")
    first = master.reach_master()
    wire.watch(master.interval_ns // 2)
    events = wire.watch(first.time_ns + master.interval_ns * 9 // 2 - wire.now_ns())
    seen = [event for event in events if isinstance(event, FrameSeen) and master.is_own(event)]
    wire.check("number of advertisements in four intervals", len(seen), 4, *seen)


# --- ucarp: a process with options and an exit status


@dataclass(frozen=True, slots=True)
class Invocation:
    """A command line that ucarp does not run with: settings, exit status, and what it says."""

    name: str
    status: int
    says: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


INVOCATIONS = (
    Invocation("vhid-0", 1, "vhid must be between 1 and 255", {"vhid": 0}),
    Invocation("vhid-256", 1, "vhid must be between 1 and 255", {"vhid": 256}),
    Invocation("vhid-no-number", 1, "vhid must be between 1 and 255", options={"extra": ("--vhid=abc",)}),
    Invocation("vhid-missing", 1, "You must supply a valid virtual host id", options={"omit": ("vhid",)}),
    Invocation("password-empty", 1, "You must supply a password", {"password": ""}),
    Invocation("password-missing", 1, "You must supply a password", options={"omit": ("passfile",)}),
    Invocation(
        "passfile-unreadable", 1, "unable to open passfile", options={"extra": ("--passfile=/nonexistent",)}
    ),
    Invocation("no-interval", 1, "You must supply an advertisement time base", {"advbase": 0, "advskew": 0}),
    Invocation("source-no-address", 1, "Invalid address: [nowhere]", options={"source": "nowhere"}),
    Invocation(
        "source-missing", 1, "You must supply a persistent source address", options={"omit": ("srcip",)}
    ),
    Invocation("address-no-address", 1, "Invalid address: [nowhere]", options={"extra": ("--addr=nowhere",)}),
    Invocation("address-missing", 1, "You must supply a virtual host address", options={"omit": ("addr",)}),
    Invocation("dead-ratio-0", 1, "Dead ratio can't be zero", options={"dead_ratio": 0}),
    Invocation("password-too-long", 2, "Password too long", {"password": "abcdefghijklmnopqrst"}),
    Invocation(
        "interface-missing",
        2,
        "Unable to find MAC address of [nowhere0]",
        options={"extra": ("--interface=nowhere0",)},
    ),
    Invocation("option-unknown", 0, "Sample usage:", options={"extra": ("--frobnicate",)}),
    Invocation("help", 0, "Sample usage:", options={"extra": ("--help",)}),
)


@covers("CARP-CONF-020")
@needs("exit_status")
@takes(0.2)
@pytest.mark.parametrize("invocation", INVOCATIONS, ids=str)
def test_exit_status_of_bad_invocations(start: Start, wire: Segment, invocation: Invocation) -> None:
    """It ends with 1 for wrong or missing options, 2 for errors while setting up and 0 after its usage,
    and says why.
    """
    refusal = refuses(
        wire, start, f"an invocation with {invocation}", **invocation.settings, options=invocation.options
    )
    wire.check("exit status", refusal.status, invocation.status)
    said = invocation.says if invocation.says in refusal.said else refusal.said.strip()
    wire.check("what it says", said, invocation.says)


@covers("CARP-CONF-020")
@needs("exit_status", "signals")
@takes(1)
@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "QUIT"])
def test_exit_status_after_a_signal(start: Start, wire: Segment, name: str) -> None:
    """With -z ucarp ends with status 0 at a signal that asks it to."""
    subject = start(options={"shutdown": True})
    told_ns = wire.now_ns()
    subject.iut.signal(name)
    wire.expect(subject.ends(0), within=Window.after(told_ns, (0, ENDS_NS), f"SIG{name}"))


@covers("CARP-CONF-021")
@needs("process")
@takes(4)
@pytest.mark.parametrize(
    ("option", "advbase", "advskew"),
    [("--advskew=256", 1, 0), ("--advskew=300", 1, 44), ("--advbase=257", 1, 100), ("--advskew=-1", 1, 255)],
    ids=["advskew-256", "advskew-300", "advbase-257", "advskew-minus-1"],
)
def test_numbers_wrap_at_eight_bits(
    start: Start, wire: Segment, option: str, advbase: int, advskew: int
) -> None:
    """A numeric option of ucarp is cut to its lowest eight bits: it advertises with those, and takes over in
    their time.
    """
    subject = start(advbase=advbase, advskew=advskew, options={"extra": (option,)})
    seen = wire.expect(subject.becomes_master(), within=subject.master_down_window())
    assert isinstance(seen, FrameSeen)
    wire.check("advbase", Subject.header(seen).advbase, advbase, seen)
    wire.check("advskew", Subject.header(seen).advskew, advskew, seen)


# --- FreeBSD 15: netlink


@covers("CARP-CONF-022")
@needs("netlink")
@takes(5)
def test_netlink_sets_and_gets(start: Start, wire: Segment) -> None:
    """SET changes a virtual host as ifconfig does, and GET tells it."""
    subject = start()
    asked = cast("Netlinked", subject.host)
    wire.check("errno of SET", asked.netlink_set(vhid=1, advbase=2, advskew=7), 0)
    told = asked.netlink_get(1)
    wire.check("what GET tells", dict(told), {"vhid": 1, "state": "BACKUP", "advbase": 2, "advskew": 7})
    wire.check("errno of SET", asked.netlink_set(vhid=1, state="MASTER"), 0)
    wire.check("advskew", Subject.header(subject.next_own()[0]).advskew, 7)


@covers("CARP-CONF-022")
@needs("netlink")
@takes(1)
@pytest.mark.parametrize(
    "wrong", [{"vhid": 0}, {"advskew": 255}, {"advbase": 256}, {"state": "NONSENSE"}], ids=str
)
def test_netlink_checks_what_it_is_told(start: Start, wire: Segment, wrong: dict[str, object]) -> None:
    """A SET with a value beyond the limits is refused with EINVAL and changes nothing."""
    asked = cast("Netlinked", start().host)
    before = dict(asked.netlink_get(1))
    wire.check("errno of SET", asked.netlink_set(**({"vhid": 1} | wrong)), EINVAL)
    wire.check("what GET tells", dict(asked.netlink_get(1)), before)
