"""The targets of real systems: what they need, what they can, which rules hold."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import pytest

from conformance.lab.shell import HostError
from conformance.targets.freebsd.jails import place
from conformance.targets.freebsd.profile import FAMILY as FREEBSD
from conformance.targets.freebsd_legacy.profile import FAMILY as LEGACY
from conformance.targets.openbsd.profile import FAMILY as OPENBSD
from conformance.targets.pixit import Action, Pixit, PixitError, PixitHost
from conformance.targets.protocol import CAPABILITIES, Configurable, Machined
from conformance.targets.registry import find
from conformance.targets.remote.bench import Lane, this_lane
from conformance.targets.remote.identity import Identity, dialect_of
from conformance.targets.remote.target import RemoteTarget

FAMILIES = pytest.mark.parametrize("family", [FREEBSD, LEGACY, OPENBSD], ids=lambda one: one.name)


def host(name="a", **changes):
    chosen = {"connection": "ssh://root@192.0.2.1", "interface": "em1"} | changes
    return PixitHost(name=name, **chosen)


def pixit(*hosts, **changes):
    chosen = {
        "system": "freebsd",
        "hosts": hosts or (host("a"), host("b")),
        "tester_interface": "eth1",
        "tester_addresses": (ip_address("192.0.2.254"),),
        "shared_addresses": (ip_address("192.0.2.100"),),
        "may_change": frozenset({"carp", "sysctl", "interface", "addresses", "service"}),
    }
    return Pixit(**chosen | changes)


def answering(family, *identities, **changes):
    """A target whose machines say that they are these."""
    target = RemoteTarget(family, pixit(**changes))
    target.__dict__["_asked"] = (identities, None)
    return target


def machine(system, release, kernel="GENERIC"):
    return Identity(system, release, kernel, "amd64")


@pytest.mark.parametrize(
    ("system", "release", "key"),
    [
        ("FreeBSD", "6.4-RELEASE", "freebsd-legacy-6"),
        ("FreeBSD", "7.1-RELEASE-p5", "freebsd-legacy"),
        ("FreeBSD", "9.3-RELEASE", "freebsd-legacy"),
        ("FreeBSD", "10.4-RELEASE", "freebsd-10"),
        ("FreeBSD", "12.4-STABLE", "freebsd-10"),
        ("FreeBSD", "13.2-RELEASE", "freebsd-13"),
        ("FreeBSD", "14.3-RELEASE", "freebsd-13"),
        ("FreeBSD", "15.1-STABLE", "freebsd-15"),
        ("OpenBSD", "7.8", "openbsd"),
    ],
)
def test_rules_follow_from_what_the_machine_says(system, release, key):
    assert dialect_of(machine(system, release)).key == key


@pytest.mark.parametrize(
    ("system", "release"), [("Linux", "6.1.0"), ("FreeBSD", "4.11-RELEASE"), ("FreeBSD", "CURRENT")]
)
def test_other_systems_have_none(system, release):
    assert dialect_of(machine(system, release)) is None


@pytest.mark.parametrize("name", ["freebsd", "freebsd-legacy", "openbsd"])
def test_entry_point_without_a_machine_says_what_to_get(name, monkeypatch, tmp_path):
    monkeypatch.setenv("CARP_CONFORMANCE_STATE", str(tmp_path))
    target = find(name)
    assert isinstance(target, Configurable)
    assert isinstance(target, Machined)
    assert target.profile.name == name
    (what, remedy) = target.lacks()[0]
    assert what.startswith("no box of")
    assert f"fixtures/pixit/{name}.toml" in remedy


@FAMILIES
def test_machine_without_a_connection_is_a_fault_of_the_pixit(family):
    with pytest.raises(
        PixitError, match="host a: it has no connection; give one .* or take the target blackbox"
    ):
        RemoteTarget(family).configured(pixit(host(connection="")))


@FAMILIES
def test_machine_without_an_interface_is_a_fault_of_the_pixit(family):
    with pytest.raises(PixitError, match="host a: it has no interface; name the one on the CARP segment"):
        RemoteTarget(family).configured(pixit(host(interface="")))


def test_timers_are_as_coarse_as_the_pixit_says():
    sharp, coarse = (
        answering(FREEBSD, machine("FreeBSD", "14.3-RELEASE"), granularity_ms=ms).profile.dialect
        for ms in (None, 10.0)
    )
    from_ns, to_ns = sharp.take_over_window_ns(1, 0)
    assert coarse.take_over_window_ns(1, 0) == (from_ns - 10_000_000, to_ns + 10_000_000)


def test_machine_of_another_system_is_said():
    target = answering(FREEBSD, machine("OpenBSD", "7.8"), machine("OpenBSD", "7.8"))
    assert target.lacks()[0][0] == "machine a runs OpenBSD 7.8 amd64, not FreeBSD 10 or later"
    with pytest.raises(HostError, match="not FreeBSD 10 or later"):
        target.makers(1)


def test_machine_of_the_other_line_is_said():
    found = answering(LEGACY, machine("FreeBSD", "13.2-RELEASE"), machine("FreeBSD", "13.2-RELEASE"))
    assert "not FreeBSD 5.4 to 9" in found.lacks()[0][0]


def test_machines_of_different_rules_are_said():
    target = answering(FREEBSD, machine("FreeBSD", "13.2-RELEASE"), machine("FreeBSD", "15.1-RELEASE"))
    assert "the machines follow different rules (FreeBSD 13.2-RELEASE amd64, FreeBSD 15.1-RELEASE amd64)" in [
        what for what, _ in target.lacks()
    ]


def test_machine_that_is_not_reached_is_the_only_thing_that_is_said():
    target = RemoteTarget(FREEBSD, pixit())
    target.__dict__["_asked"] = ((), HostError("a", "it did not answer in 20 s", "look"))
    assert target.lacks() == (("machine a: it did not answer in 20 s", "look"),)
    assert (target.version(), target.profile.dialect.key) == ("unknown", "freebsd-13")


@FAMILIES
def test_pics_use_the_vocabulary(family):
    for key in family.deviations:
        target = RemoteTarget(family, pixit())
        from conformance.model.dialects import dialect

        assert set(target.capabilities(dialect(key))) <= set(CAPABILITIES)


@pytest.mark.parametrize(
    ("right", "capabilities"),
    [
        ("sysctl", {"sysctl", "preempt", "demotion_order"}),
        ("interface", {"link", "interface_switch"}),
        ("addresses", {"own_addresses"}),
        ("service", {"service"}),
    ],
)
def test_what_may_not_be_changed_the_pics_deny(right, capabilities):
    able = partial(answering, FREEBSD, machine("FreeBSD", "13.2-RELEASE"), machine("FreeBSD", "13.2-RELEASE"))
    may = pixit().may_change
    lost = {
        name
        for name, has in able().profile.pics.items()
        if has and not able(may_change=may - {right}).profile.pics[name]
    }
    assert lost == capabilities


def test_actions_of_the_operator_give_a_link():
    actions = {name: Action(command=("true",), limit_ns=1) for name in ("link_down", "link_up")}
    target = answering(FREEBSD, machine("FreeBSD", "13.2-RELEASE"), may_change=frozenset(), actions=actions)
    assert target.profile.pics["link"]
    assert not target.profile.pics["interface_switch"]


def test_two_sides_need_both_interfaces_everywhere():
    inner = (host("a", inner_interface="em2"), host("b", inner_interface="em2"))
    both = answering(LEGACY, machine("FreeBSD", "9.3-RELEASE"), hosts=inner, tester_inner_interface="eth2")
    assert both.profile.pics["second_interface"]
    assert both.profile.pics["group_failover"]
    one = answering(
        LEGACY, machine("FreeBSD", "9.3-RELEASE"), hosts=(inner[0], host("b")), tester_inner_interface="eth2"
    )
    assert not one.profile.pics["second_interface"]


def test_what_its_ifconfig_does_not_give_is_denied():
    found = answering(LEGACY, machine("FreeBSD", "9.3-RELEASE")).profile.pics
    assert not found["state_request"]
    assert not found["demotion_order"]


def test_balancing_needs_a_wire_without_a_bridge():
    identity = machine("OpenBSD", "7.8")
    assert answering(OPENBSD, identity).profile.pics["balancing"]
    assert not answering(FREEBSD, machine("FreeBSD", "13.2-RELEASE")).profile.pics["balancing"]
    vm = answering(OPENBSD, identity, hosts=(host(connection="vagrant://openbsd-a"),))
    assert not vm.profile.pics["balancing"]


def test_module_of_the_legacy_line_has_another_file():
    (load,) = LEGACY.place(machine("FreeBSD", "9.3-RELEASE"), host(), Lane()).changes
    assert load.do == "kldstat -q -m carp || kldload if_carp"
    (load,) = FREEBSD.place(machine("FreeBSD", "13.2-RELEASE"), host(), Lane()).changes
    assert load.do == "kldstat -q -m carp || kldload carp"
    assert OPENBSD.place(machine("OpenBSD", "7.8"), host(), Lane()).changes == ()


class TestLanes:
    def test_vlans_are_lanes_where_there_are_jails(self):
        new = answering(FREEBSD, machine("FreeBSD", "13.2-RELEASE"), vlans=range(3001, 3009))
        old = answering(FREEBSD, machine("FreeBSD", "10.4-RELEASE"), vlans=range(3001, 3009))
        assert (new.profile.max_lanes, old.profile.max_lanes) == (8, 1)
        assert answering(OPENBSD, machine("OpenBSD", "7.8"), vlans=range(3001, 3009)).profile.max_lanes == 1
        assert answering(FREEBSD, machine("FreeBSD", "13.2-RELEASE")).profile.max_lanes == 1

    def test_worker_takes_the_lane_of_its_number(self, monkeypatch):
        monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw2")
        assert this_lane(range(3001, 3009)) == Lane(2, 3003)

    def test_worker_beyond_the_lanes_is_told(self, monkeypatch):
        monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw2")
        with pytest.raises(PixitError, match="run with --lanes 2"):
            this_lane(range(3001, 3003))
        with pytest.raises(PixitError, match="run with --lanes 1"):
            this_lane(None)

    def test_place_without_a_vlan_is_the_interface(self):
        setup = place(machine("FreeBSD", "13.2-RELEASE"), host(), Lane())
        assert (setup.interface, setup.program) == ("em1", "/bin/sh")
        assert setup.inside("x") == "x"

    def test_place_on_a_vlan_is_a_jail_that_is_undone_from_its_end(self):
        setup = place(machine("FreeBSD", "13.2-RELEASE"), host("b"), Lane(1, 3002))
        assert (setup.interface, setup.program) == ("epair3002b", "jexec carp3002 /bin/sh")
        undone = [one.undo.split(" 2>")[0] for one in reversed(setup.changes) if one.undo]
        assert undone == [
            "jail -r carp3002",
            "ifconfig bridge3002 destroy",
            "ifconfig epair3002a destroy",
            "ifconfig vlan3002 destroy",
        ]
        made = "\n".join(one.do for one in setup.changes)
        assert "ifconfig vlan3002 create vlan 3002 vlandev em1 up" in made
        assert "vnet vnet.interface=epair3002b" in made

    def test_two_machines_of_one_lane_have_different_mac_addresses(self):
        macs = [
            [
                one.do
                for one in place(machine("FreeBSD", "13.2-RELEASE"), host(name), Lane(0, 3001)).changes
                if "ether" in one.do
            ]
            for name in "ab"
        ]
        assert macs[0] != macs[1]

    def test_undoing_of_a_place_reaches_into_it(self):
        setup = place(machine("FreeBSD", "13.2-RELEASE"), host(), Lane(0, 3001))
        assert setup.inside("sysctl x=1") == "jexec carp3001 /bin/sh <<'conformance'\nsysctl x=1\nconformance"


def test_only_virtual_machines_of_vagrant_are_the_rung_vm():
    identity = machine("FreeBSD", "13.2-RELEASE")
    made = replace(pixit(), hosts=(host(connection="vagrant://freebsd-a"),))
    assert answering(FREEBSD, identity).profile.rung == "lab"
    vm = RemoteTarget(FREEBSD, made)
    vm.__dict__["_asked"] = ((identity,), None)
    assert vm.profile.rung == "vm"


def test_password_of_the_pixit_is_not_shown():
    target = answering(FREEBSD, machine("FreeBSD", "13.2-RELEASE"), password="s3cret")
    assert target.profile.password == "s3cret"
    assert "s3cret" not in repr(target.profile) + repr(target.pixit)


@pytest.mark.parametrize(
    "path",
    sorted((Path(__file__).parents[3] / "fixtures" / "pixit").glob("*bsd*.toml")),
    ids=lambda path: path.stem,
)
def test_example_is_taken_by_its_target(path, monkeypatch):
    from conformance.targets.pixit import load

    monkeypatch.setenv("CARP_PASSWORD", "x")
    read = load(path)
    assert find(read.system, read).pixit is read
