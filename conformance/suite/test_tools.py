"""What the tools of a machine print of CARP, and what they take: netstat and ifconfig (STATS, CONF)."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.suite.conftest import Start
from conformance.suite.marks import covers, needs, takes
from conformance.suite.test_stats import ERRORS
from conformance.targets.remote.counters import NoCounters, read_json, read_text
from conformance.targets.subject import Subject
from conformance.wire.malformations import named

WITH_PEERS = ("freebsd-15",)


def _changed(before: dict[str, int], after: dict[str, int]) -> str:
    return ", ".join(
        f"{name} {after[name] - before[name]}" for name in sorted(after) if after[name] != before[name]
    )


def printed(subject: Subject, wire: Segment) -> dict[str, int]:
    """The counters that netstat prints."""
    return read(subject.command("netstat -s -p carp").out, read_text, wire)


def read(said: str, reader: Callable[[str], dict[str, int]], wire: Segment) -> dict[str, int]:
    """What ``reader`` finds in an output of netstat; a mismatch where a line is missing."""
    try:
        return reader(said)
    except NoCounters:
        lines = "; ".join(line.strip() for line in said.splitlines())
        wire.check("what netstat prints", lines or "nothing", "a line for each counter")
        raise


# --- netstat


@covers("CARP-STATS-001")
@needs("commands", "counters")
@takes(2)
@pytest.mark.parametrize("fault", [None, "ttl-254", "version-3", "checksum-bit-0", "digest-zero"])
def test_netstat_shows_the_counters(
    backup: Subject, tester: Tester, wire: Segment, fault: str | None
) -> None:
    """``netstat -s -p carp`` shows what an advertisement has counted, under the name of its counter."""
    backup.alive()
    before = printed(backup, wire)
    tester.send(backup.better(), named(fault) if fault else None)
    backup.alive()
    after = printed(backup, wire)
    expected = f"{ERRORS[fault][0]} 1, ipackets 1" if fault else "ipackets 1"
    wire.check("what netstat shows to have moved", _changed(before, after), expected)


@covers("CARP-STATS-014")
@needs("commands", "counters")
@takes(1)
def test_netstat_leaves_badif_out(backup: Subject, wire: Segment) -> None:
    """The badif of its host is not printed by netstat: only the sysctl tells it."""
    backup.alive()
    wire.check("whether netstat prints badif", "badif" in printed(backup, wire), False)
    wire.check("whether the host has counted it", "badif" in backup.counters(), True)


@covers("CARP-STATS-017")
@needs("commands", "counters")
@takes(1)
def test_libxo_names_of_the_counters(backup: Subject, tester: Tester, wire: Segment) -> None:
    """With libxo a digest that is wrong counts as dropped-bad-authentication, and the others have the names of FreeBSD's netstat."""
    line = "netstat --libxo json -s -p carp"
    backup.alive()
    before = read(backup.command(line).out, read_json, wire)
    tester.send(backup.better(), named("digest-zero"))
    backup.alive()
    after = read(backup.command(line).out, read_json, wire)
    wire.check("what netstat shows to have moved", _changed(before, after), "badauth 1, ipackets 1")


# --- ifconfig


CARP_LINE = {
    "freebsd-legacy": r"^\tcarp: BACKUP vhid 1 advbase 1 advskew 100$",
    "freebsd": r"^\tcarp: BACKUP vhid 1 advbase 1 advskew 100$",
    "openbsd": r"^\tcarp: BACKUP carpdev \S+ vhid 1 advbase 1 advskew 100$",
}
FORMS = [
    pytest.param("freebsd", marks=covers("CARP-CONF-006")),
    pytest.param("freebsd-legacy", marks=covers("CARP-CONF-007")),
    pytest.param("openbsd", marks=covers("CARP-CONF-008")),
]


@needs("commands")
@takes(1)
@pytest.mark.parametrize("system", FORMS)
def test_line_of_ifconfig(start: Start, wire: Segment, system: str) -> None:
    """A virtual host has a line of ifconfig's: one of a tab and ``carp: STATE vhid N advbase N advskew N``, in the form of its system."""
    shown = start().shown()
    (line,) = [one for one in shown.splitlines() if "carp:" in one]
    wire.check(
        f"the line {line.strip()!r} matches {CARP_LINE[system]}",
        bool(re.match(CARP_LINE[system], line)),
        True,
    )


@covers("CARP-CONF-006")
@needs("commands")
@takes(1)
def test_addresses_and_peers_of_ifconfig(start: Start, wire: Segment) -> None:
    """The line of a shared address ends with its vhid; FreeBSD 15 adds a line with the peers."""
    subject = start()
    lines = subject.shown().splitlines()
    (mine,) = [one for one in lines if f"inet {subject.settings.addresses[0]} " in one]
    wire.check("the line of the shared address ends with", mine.split()[-2:], ["vhid", "1"])
    peers = sum("peer 224.0.0.18 peer6 ff02::12" in one for one in lines)
    wire.check("lines with peers", peers, 1 if subject.dialect.key in WITH_PEERS else 0)


@covers("CARP-CONF-008")
@needs("commands", "unicast")
@takes(1)
def test_peer_of_ifconfig(start: Start, wire: Segment) -> None:
    """A virtual host with a peer shows it behind its parameters."""
    shown = start(options={"peer": "192.0.2.250"}).shown()
    wire.check("the peer is shown", "advskew 100 carppeer 192.0.2.250\n" in shown, True)


@covers("CARP-CONF-006")
@needs("commands")
@takes(1)
def test_key_is_shown_to_root_only(start: Start, wire: Segment) -> None:
    """``ifconfig -k`` shows the key to root; another user sees the virtual host without it."""
    subject = start()
    line = f"ifconfig -k {subject.shown_by}"
    for user, expected in (("root", True), ("nobody", False)):
        said = subject.command(line, user=user)
        wire.check(f"{user} sees the virtual host", "carp: BACKUP vhid 1" in said.out, True)
        wire.check(f"{user} sees its key", f'key "{subject.settings.password}"' in said.out, expected)


@covers("CARP-CONF-011")
@needs("commands")
@takes(5)
def test_parameters_need_privilege(start: Start, tester: Tester, wire: Segment) -> None:
    """An ordinary user may read the parameters, but not the key; one who sets an advskew is refused, and nothing is
    changed. Root is not.
    """
    subject = start()
    before = subject.shown()
    read = subject.command(f"ifconfig -k {subject.shown_by}", user="nobody").out
    wire.check("an ordinary user sees the parameters", " vhid 1 advbase 1 advskew 100" in read, True)
    wire.check("an ordinary user sees the key", str(subject.settings.password) in read, False)
    words = f"ifconfig {subject.shown_by} vhid 1 advskew 5"
    undo = f"ifconfig {subject.shown_by} vhid 1 advskew 100"
    said = subject.command(words, undo=undo, user="nobody")
    wire.check("an ordinary user is told that it is not permitted", "not permitted" in said.err, True)
    wire.check("what ifconfig shows afterwards", subject.shown(), before)
    wire.check("exit status for root", subject.command(words, undo=undo).status, 0)
    wire.check("advskew 5 is in force", "advskew 5" in subject.shown(), True)
    tester.send(subject.peer(1, 100))
    header = Subject.header(subject.reach_master())
    wire.check("advskew", header.advskew, 5)


@covers("CARP-CONF-009")
@needs("commands")
@takes(1)
@pytest.mark.parametrize("word", ["advskew 5", "advbase 2", "pass x", "state master"])
def test_vhid_comes_first(start: Start, wire: Segment, word: str) -> None:
    """A parameter without the word vhid before it is refused, with a complaint that says so."""
    subject = start()
    said = subject.command(f"ifconfig {subject.interface_name} {word}")
    wire.check("exit status", said.status, 1)
    wire.check("it says that vhid is missing", said.err.strip().endswith("requires vhid"), True)


@covers("CARP-CONF-012")
@needs("commands")
@takes(1)
@pytest.mark.parametrize("interface", ["lo0", "tun0"])
def test_carrying_interface_must_be_like_ethernet(start: Start, wire: Segment, interface: str) -> None:
    """A loopback or tunnel interface cannot carry a virtual host; the usual one can."""
    subject = start()
    if interface != "lo0":
        subject.command(f"ifconfig {interface} create", undo=f"ifconfig {interface} destroy")
    said = subject.command(f"ifconfig {interface} vhid 7 alias 192.0.2.107/32")
    wire.check("exit status", said.status, 1)
    wire.check("it says that the operation is not supported", "Operation not supported" in said.err, True)
    usual = subject.command(
        f"ifconfig {subject.interface_name} vhid 7 alias 192.0.2.107/32",
        undo=f"ifconfig {subject.interface_name} inet 192.0.2.107 -alias",
    )
    wire.check("exit status on the usual interface", usual.status, 0)


@covers("CARP-CONF-019")
@needs("commands", "unicast")
@takes(1)
def test_peer_that_is_no_address(start: Start, wire: Segment) -> None:
    """A peer that is no address is taken, and becomes 255.255.255.255."""
    subject = start()
    said = subject.command(f"ifconfig {subject.interface_name} vhid 1 peer nowhere")
    wire.check("exit status", said.status, 0)
    wire.check("the peer is", "peer 255.255.255.255 " in subject.shown(), True)


@covers("CARP-CONF-024")
@needs("commands", "vhid_list")
@takes(1)
def test_vhid_goes_with_its_last_address(start: Start, wire: Segment) -> None:
    """``-vhid`` is refused and changes nothing; without its last address the virtual host is gone."""
    subject = start()
    said = subject.command(f"ifconfig {subject.interface_name} -vhid 1")
    wire.check("exit status of -vhid", 0 if said.status == 0 else "an error", "an error")
    wire.check("the vhids of the host", subject.vhids(), (1,))
    subject.command(f"ifconfig {subject.interface_name} inet {subject.settings.addresses[0]} -alias")
    wire.check("the vhids of the host", subject.vhids(), ())
