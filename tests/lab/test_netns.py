"""Namespaces and the switch: what they connect, part and refuse; the way in for ordinary users."""

import os
import socket
import subprocess
import sys

import pytest
from pyroute2.netlink.exceptions import NetlinkError

from conformance.lab import netns
from conformance.lab.netns import Namespace, NamespaceError, enter_user_namespace, may_create, switch


def own():
    return os.readlink("/proc/thread-self/ns/net")


def opened():
    return set(os.listdir("/proc/self/fd"))


def hears(left, right, *, limit_s=0.5):
    """Whether a broadcast frame of ``left`` reaches ``right``."""
    with left.namespace.entered():
        out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    with right.namespace.entered():
        into = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    with out, into:
        into.bind(("eth0", 0x88B5))
        out.bind(("eth0", 0))
        into.settimeout(limit_s)
        try:
            out.send(b"\xff" * 6 + left.mac + b"\x88\xb5" + b"hello")
            return into.recv(100)[14:] == b"hello"
        except OSError:
            return False


class TestNamespace:
    def test_it_is_new_and_the_thread_stays_where_it_was(self, namespaces):
        home, before = own(), opened()
        namespace = Namespace.create()
        try:
            assert own() == home
            with namespace.entered():
                assert own() != home
                assert [name for _, name in socket.if_nameindex()] == ["lo"]
            assert own() == home
        finally:
            namespace.close()
        assert opened() == before

    def test_an_error_inside_brings_the_thread_home(self, namespaces):
        namespace, home = Namespace.create(), own()
        with pytest.raises(ZeroDivisionError), namespace.entered():
            raise ZeroDivisionError
        namespace.close()
        assert own() == home

    def test_an_error_while_it_is_made_brings_the_thread_home(self, namespaces, monkeypatch):
        home, real, calls = own(), os.open, []

        def full(*arguments):
            calls.append(arguments)
            if len(calls) == 2:
                raise OSError(24, "Too many open files")
            return real(*arguments)

        before = opened()
        monkeypatch.setattr(os, "open", full)
        with pytest.raises(NamespaceError, match="Too many"):
            Namespace.create()
        monkeypatch.undo()
        assert own() == home
        assert opened() == before

    def test_without_the_privilege(self, monkeypatch):
        before = opened()

        def refused(_):
            netns.ctypes.set_errno(1)
            return -1

        monkeypatch.setattr(netns._libc, "unshare", refused)
        with pytest.raises(
            NamespaceError, match=r"cannot make a network namespace \(Operation not permitted\): run as root"
        ) as raised:
            Namespace.create()
        assert raised.value.remedy.startswith("run as root")
        assert not may_create()
        assert opened() == before

    def test_processes_are_in_it_and_lead_their_group(self, namespaces):
        namespace = Namespace.create()
        child = namespace.spawn(
            [
                sys.executable,
                "-c",
                "import os; print(os.readlink('/proc/self/ns/net'), os.getpgrp() == os.getpid())",
            ],
            stdout=subprocess.PIPE,
        )
        said = child.communicate()[0].decode().split()
        with namespace.entered():
            assert said == [own(), "True"]
        namespace.close()

    def test_sysctls_are_its_own(self, namespaces):
        namespace = Namespace.create()
        namespace.sysctl("net/ipv4/ip_nonlocal_bind", 1)
        with namespace.entered():
            assert open_text("/proc/sys/net/ipv4/ip_nonlocal_bind") == "1"
        assert open_text("/proc/sys/net/ipv4/ip_nonlocal_bind") == "0"
        namespace.close()


def open_text(path):
    with open(path) as file:
        return file.read().strip()


class TestSwitch:
    def test_stations_hear_each_other(self, pair):
        _, left, right = pair
        assert hears(left, right)
        assert hears(right, left)

    def test_station_has_what_it_was_given(self, pair):
        _, left, _ = pair
        link = left.ip.get_links(left.index)[0]
        assert link.get_attr("IFLA_ADDRESS") == "02:00:00:00:00:01"
        assert link.get_attr("IFLA_IFNAME") == "eth0"
        addresses = [(a.get_attr("IFA_ADDRESS"), a["prefixlen"]) for a in left.ip.get_addr(index=left.index)]
        assert addresses == [("192.0.2.1", 24)], "and no IPv6 address"

    def test_a_pulled_cable(self, pair):
        plugged, left, right = pair
        plugged.cable("left", plugged=False)
        assert not hears(left, right)
        assert left.ip.get_links(left.index)[0].get_attr("IFLA_CARRIER") == 0
        plugged.cable("left", plugged=True)
        assert any(hears(left, right) for _ in range(10)), (
            "the kernel reports the carrier within a second or two"
        )

    def test_parted_stations_hear_the_rest_alone(self, namespaces):
        with switch() as (plugged, stack):
            names = ("left", "right", "tester")
            left, right, tester = (
                plugged.plug(name, f"192.0.2.{n}/24", bytes([2, 0, 0, 0, 0, n]), stack)
                for n, name in enumerate(names, 1)
            )
            plugged.part(("left", "right"), parted=True)
            assert not hears(left, right)
            assert not hears(right, left)
            assert hears(left, tester)
            assert hears(tester, right)
            plugged.part(("left", "right"), parted=False)
            assert hears(left, right)

    def test_a_deaf_station_is_heard(self, pair):
        plugged, left, right = pair
        plugged.deafen("left", deaf=True)
        assert not hears(right, left)
        assert hears(left, right)
        plugged.deafen("left", deaf=False)
        assert hears(right, left)

    def test_flushing_leaves_the_own_address(self, pair):
        _, left, _ = pair
        left.add_address("192.0.2.100", 32)
        left.add_address("198.51.100.1", 24)
        left.add_address("198.51.100.2", 24)  # a secondary one: the kernel removes it with the one before
        left.flush_addresses()
        assert [a.get_attr("IFA_ADDRESS") for a in left.ip.get_addr(index=left.index, family=2)] == [
            "192.0.2.1"
        ]

    def test_what_goes_wrong_otherwise_is_not_hidden(self, pair, monkeypatch):
        _, left, _ = pair
        left.add_address("192.0.2.100", 32)
        left.index += 1000
        found = left.ip.get_addr(index=left.index - 1000, family=2)
        monkeypatch.setattr(left.ip, "get_addr", lambda **_: found)
        with pytest.raises(NetlinkError, match="No such device"):
            left.flush_addresses()

    def test_everything_is_closed(self, namespaces):
        with switch() as (plugged, stack):
            plugged.plug("warm-up", "192.0.2.9/24", b"\x02" * 6, stack)
        before, interfaces = opened(), socket.if_nameindex()
        for _ in range(3):
            with switch() as (plugged, stack):
                plugged.plug("left", "192.0.2.1/24", bytes.fromhex("020000000001"), stack)
        assert opened() == before
        assert socket.if_nameindex() == interfaces

    def test_an_error_while_plugging_closes_all(self, namespaces):
        before = opened()
        with pytest.raises(ValueError, match="nonsense"), switch() as (plugged, stack):
            plugged.plug("left", "nonsense", b"\x02" * 6, stack)
        assert opened() == before


REPORT = "import os, sys; print(os.getpid(), os.getuid(), os.environ['CARP_CONFORMANCE_USER_NAMESPACE'], os.readlink('/proc/self/ns/net'), *sys.argv[1:]); sys.exit(7)"
ENTER = "from conformance.lab.netns import enter_user_namespace; import sys; enter_user_namespace([sys.executable, '-c', {report!r}, 'a b', 'c'])"


class TestUserNamespace:
    def test_pid_exit_status_and_arguments_stay_the_same(self, namespaces):
        child = subprocess.Popen(
            [sys.executable, "-c", ENTER.format(report=REPORT)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        out, err = child.communicate(timeout=30)
        assert child.returncode == 7, err
        pid, uid, mark, namespace, *arguments = out.split()
        assert int(pid) == child.pid
        assert (uid, mark, arguments) == ("0", "1", ["a", "b", "c"])
        assert namespace != own()

    def test_and_there_namespaces_can_be_made(self, namespaces):
        report = (
            "from conformance.lab.netns import may_create; import sys; sys.exit(0 if may_create() else 1)"
        )
        assert (
            subprocess.run(
                [sys.executable, "-c", ENTER.format(report=report)], check=False, timeout=30
            ).returncode
            == 0
        )

    def test_a_user_namespace_with_its_parents_network_is_not_enough(self, namespaces):
        says = "from conformance.lab.netns import may_create; print(may_create())"
        child = subprocess.run(
            ["unshare", "--user", "--map-root-user", sys.executable, "-c", says],
            check=True, timeout=30, capture_output=True, text=True,
        )  # fmt: skip
        assert (child.stdout, child.stderr) == ("False\n", "")

    def test_a_signal_ends_it_as_a_signal(self, namespaces):
        report = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"
        assert (
            subprocess.run(
                [sys.executable, "-c", ENTER.format(report=report)], check=False, timeout=30
            ).returncode
            == -15
        )

    def test_without_the_tool(self, monkeypatch):
        monkeypatch.setattr(netns.shutil, "which", lambda _: None)
        with pytest.raises(NamespaceError, match="'unshare' is missing: apt-get install util-linux"):
            enter_user_namespace(["true"])

    def test_where_the_kernel_forbids_it(self, monkeypatch):
        monkeypatch.setattr(netns.shutil, "which", lambda _: "/bin/false")
        with pytest.raises(NamespaceError, match="does not let an ordinary user"):
            enter_user_namespace(["true"])
