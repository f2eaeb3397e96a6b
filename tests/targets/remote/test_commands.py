"""What the drivers type: the same as was typed on the recorded machines."""

from __future__ import annotations

import subprocess
from ipaddress import ip_address, ip_interface

import pytest

from conformance.targets.freebsd.commands import FreeBsd
from conformance.targets.freebsd_legacy.commands import FreeBsdLegacy
from conformance.targets.openbsd.commands import OpenBsd
from conformance.targets.protocol import Settings
from conformance.targets.remote.commands import UnknownOption, with_prefix
from conformance.targets.remote.ifconfig import Shown
from tests.targets.remote.transcripts import commands

FREEBSD, LEGACY, OPENBSD = FreeBsd(libxo=True), FreeBsdLegacy(), OpenBsd()
ALL = (FREEBSD, LEGACY, OPENBSD)
SYSTEMS = pytest.mark.parametrize("system", ALL, ids=lambda one: type(one).__name__)


def shown(*addresses, name="vtnet0", disabled=False):
    own = tuple(map(ip_interface, addresses or ("192.0.2.11/24", "2001:db8::11/64")))
    return Shown(name, frozenset({"UP"}), bytes(6), own, {}, (), (), "active", disabled)


def settings(*addresses, **changes):
    chosen = {"vhid": 1, "password": "pass4carp1", "addresses": tuple(map(ip_address, addresses))}
    return Settings(**chosen | changes)


RECORDED = {text for system in ("freebsd-13.2", "freebsd-15.1") for _, text in commands(system)}


@pytest.mark.parametrize(
    "changes",
    [
        {"addresses": ("192.0.2.1",)},
        {"addresses": ("192.0.2.1",), "advskew": 100},
        {"addresses": ("192.0.2.1",), "password": "12345678901234567890"[:19]},
        {"addresses": ("192.0.2.1",), "password": ""},
        {"addresses": ("2001:db8::1",)},
        {"addresses": ("192.0.2.1",), "advskew": 100, "options": {"peer": "192.0.2.11"}},
        {"addresses": (), "vhid": 3, "advskew": 10, "password": "", "options": {"omit": ("advbase",)}},
    ],
    ids=str,
)
def test_freebsd_is_configured_as_in_the_recordings(changes):
    addresses = changes.pop("addresses")
    (change,) = FREEBSD.create(shown(), settings(*addresses, **changes))
    assert change.do in RECORDED


@pytest.mark.parametrize(
    "line",
    [
        FREEBSD.add_address(shown(), 1, ip_address("192.0.2.1")).do,
        FREEBSD.order("vtnet0", 1, "BACKUP"),
        FREEBSD.order("vtnet0", 1, "MASTER"),
        FREEBSD.change("vtnet0", 1, {"advskew": 50}),
        FREEBSD.demote(50, "carp").do,
        FREEBSD.demote(-250, "carp").do,
    ],
)
def test_freebsd_is_changed_as_in_the_recordings(line):
    assert line in RECORDED


def test_second_address_goes_into_the_same_virtual_host():
    first, second = FREEBSD.create(shown(), settings("192.0.2.5", "192.0.2.1"))
    assert first.do in RECORDED
    assert second.do in RECORDED


def test_vrrp_is_configured_as_in_the_recording():
    options = {"carpver": 3, "vrrpprio": 100, "vrrpinterval": 100}
    (change,) = FREEBSD.create(shown(), settings("192.0.2.1", options=options))
    assert change.do == "ifconfig vtnet0 vhid 1 carpver 3 vrrpprio 100 vrrpinterval 100 alias 192.0.2.1/24"


def test_ipv6_is_switched_on_first_where_the_interface_has_it_off():
    first, _ = FREEBSD.create(shown(disabled=True), settings("2001:db8::1"))
    assert (first.do, first.undo) == ("ifconfig vtnet0 inet6 -ifdisabled", "ifconfig vtnet0 inet6 ifdisabled")


def test_legacy_line_is_configured_as_its_administrators_do():
    interface = shown("10.0.1.2/8", name="em0")
    create, run = LEGACY.create(interface, settings("10.0.1.1", vhid=10, advskew=50, password="x"))
    assert (create.do, create.undo) == ("ifconfig carp10 create", "ifconfig carp10 destroy 2>/dev/null || :")
    assert run.do == "ifconfig carp10 vhid 10 advskew 50 advbase 1 pass x inet 10.0.1.1/8"


def test_openbsd_is_configured_on_its_carpdev_and_taken_up_last():
    changes = [one.do for one in OPENBSD.create(shown(name="vio0"), settings("192.0.2.1", "2001:db8::1"))]
    assert changes == [
        "ifconfig carp1 create",
        "ifconfig carp1 vhid 1 advskew 0 advbase 1 pass pass4carp1 carpdev vio0",
        "ifconfig carp1 inet 192.0.2.1/24",
        "ifconfig carp1 inet6 alias 2001:db8::1/64",
        "ifconfig carp1 up",
    ]


def test_openbsd_interface_with_several_virtual_hosts():
    options = {"carpnodes": ((1, 0), (2, 100)), "balancing": "ip-stealth"}
    changes = OPENBSD.create(shown(name="vio0"), settings("192.0.2.1", options=options))
    assert [one.do for one in changes] == [
        "ifconfig carp1 create",
        "ifconfig carp1 carpnodes 1:0,2:100 balancing ip-stealth advbase 1 pass pass4carp1 carpdev vio0",
        "ifconfig carp1 inet 192.0.2.1/24",
        "ifconfig carp1 up",
    ]
    assert changes[0].undo == "ifconfig carp1 destroy 2>/dev/null || :"


def test_openbsd_leaves_the_mode_of_balancing_to_the_system():
    wanted = settings("192.0.2.1", password="", options={"carpnodes": ((3, 7),)})
    assert (
        OPENBSD.create(shown(name="vio0"), wanted)[1].do
        == "ifconfig carp1 carpnodes 3:7 advbase 1 carpdev vio0"
    )


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("inet 192.0.2.1 netmask 0xffffff00 broadcast 192.0.2.255 vhid 7", True),
        ("carp: INIT vhid 7 advbase 1 advskew 0", True),
        ("vrrp: INITIALIZE vrid 7 prio 100 interval 100", True),
        ("carp: INIT vhid 70 advbase 1 advskew 0", False),
        ("vrrp: INITIALIZE vrid 17 prio 100 interval 100", False),
    ],
)
def test_freebsd_sweeps_what_is_left_of_its_own_virtual_host(line, found):
    script = FREEBSD.remove("em0", settings(vhid=7))
    telling = f'ifconfig() {{ case $# in 1) echo "\t{line}";; *) echo "$@" >&2;; esac; }}\n{script}'
    said = subprocess.run(["/bin/sh", "-c", telling], capture_output=True, text=True, check=False)
    assert ("127.112.7.1/32" in said.stderr) == found


def test_openbsd_demotes_in_steps_that_its_ifconfig_takes():
    assert OPENBSD.demote(20, "carp").do == "ifconfig -g carp carpdemote 20"
    steps = OPENBSD.demote(255, "carp").do
    assert (steps.count("carpdemote 128"), steps.count("carpdemote 127")) == (2, 1)


@pytest.mark.parametrize(("taken", "left"), [(3, 255), (1, 0), (0, 0)])
def test_demotion_that_is_refused_halfway_is_taken_back(taken, left):
    counting = f"""
n=0; calls=0
ifconfig() {{ calls=$((calls+1)); case $3 in carpdemote) [ $calls -le {taken} ] && n=$((n+$4));; -carpdemote) n=$((n-$4));; esac; }}
{OPENBSD.demote(255, "carp").do}
echo $n $?
"""
    said = subprocess.run(["/bin/sh", "-c", counting], capture_output=True, text=True, check=True)
    assert said.stdout.split()[0] == str(left)


def test_openbsd_tells_and_takes_back_its_demotion():
    assert OPENBSD.demote(1, "labgrp").undo == "ifconfig -g labgrp -carpdemote 1"
    assert OPENBSD.demotion_in("carp: carp demote count 21\n") == 21


@SYSTEMS
def test_no_undoing_holds_the_password(system):
    wanted = settings("192.0.2.1", "192.0.2.5", password="s3cret")
    changes = system.create(shown(), wanted)
    assert any("s3cret" in one.do for one in changes)
    assert all("s3cret" not in one.undo for one in changes)
    assert "s3cret" not in system.remove("vtnet0", wanted) + system.stop("vtnet0", wanted)


@SYSTEMS
def test_password_with_characters_of_the_shell_stays_one_word(system):
    changes = system.create(shown(), settings("192.0.2.1", password="a b'$(reboot);x"))
    line = next(one.do for one in changes if "pass" in one.do)
    said = subprocess.run(
        ["/bin/sh", "-c", f"ifconfig() {{ printf '%s\\n' \"$@\"; }}; {line}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "a b'$(reboot);x" in said.stdout.splitlines()


@SYSTEMS
def test_option_of_another_system_is_refused_in_one_sentence(system):
    with pytest.raises(UnknownOption, match=r"has no option 'dead_ratio'; it has"):
        system.create(shown(), settings("192.0.2.1", options={"dead_ratio": 5}))


@SYSTEMS
def test_what_cannot_be_changed_is_refused(system):
    with pytest.raises(UnknownOption, match="vhid"):
        system.change("vtnet0", 1, {"vhid": 2})


@SYSTEMS
def test_every_script_is_one_that_a_posix_shell_can_read(system):
    wanted = settings("192.0.2.1", "2001:db8::1")
    scripts = [
        one for change in system.create(shown(disabled=True), wanted) for one in (change.do, change.undo)
    ]
    scripts += [system.remove("vtnet0", wanted), system.stop("vtnet0", wanted), system.follow("vtnet0")]
    scripts += [system.read_counters(), system.read_demotion("carp"), system.join_group("vtnet0", 1, "x").do]
    for script in scripts:
        subprocess.run(["/bin/sh", "-n", "-c", script], check=True)


@pytest.mark.parametrize(
    ("address", "whole"),
    [
        ("192.0.2.1", "192.0.2.1/24"),
        ("10.9.9.9", "10.9.9.9/24"),
        ("2001:db8::1", "2001:db8::1/64"),
        ("fe80::1:1", "fe80::1:1/64"),
    ],
)
def test_shared_address_has_the_length_of_its_subnet(address, whole):
    assert str(with_prefix(shown(), ip_address(address))) == whole
