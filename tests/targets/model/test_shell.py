"""The command line of a model host: it prints what recorded machines printed, and its parsers read it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import cast

import pytest

from conformance.model.dialects import dialect
from conformance.segment.trace import Trace
from conformance.targets.model.bench import ModelBench
from conformance.targets.model.host import ModelHost
from conformance.targets.model.target import SEED
from conformance.targets.protocol import Settings
from conformance.targets.remote import counters, ifconfig

TRANSCRIPTS = Path(__file__).parents[3] / "fixtures" / "transcripts"
SECOND = 1_000_000_000


def host_of(key: str, **changes: object) -> ModelHost:
    """A host with one virtual host that is MASTER."""
    bench = ModelBench((dialect(key),), SEED)
    bench.port(Trace())
    host = cast("ModelHost", bench.hosts["a"])
    chosen = {"vhid": 1, "password": "x", "addresses": bench.shared_addresses[:1]} | changes
    host.start(Settings(**chosen))  # type: ignore[arg-type]  # fields by name
    bench.loop.run_for(5 * SECOND)
    return host


def shape(text: str) -> list[str]:
    """Lines with each number replaced."""
    return [re.sub(r"\d+", "N", line) for line in text.splitlines()]


def carp_lines(text: str) -> set[str]:
    """The shapes of the lines of virtual hosts."""
    return {line for line in shape(text) if re.match(r"\t(carp:|      peer)", line)}


class TestNetstat:
    def test_its_lines_are_those_of_freebsd_13(self) -> None:
        recorded = (TRANSCRIPTS / "freebsd-13.2" / "bad_packets_v4_netstat_end.txt").read_text("utf-8")
        assert shape(host_of("freebsd-13").command("netstat -s -p carp").out) == shape(recorded.rstrip())

    def test_its_names_are_those_of_libxo_on_freebsd_15(self) -> None:
        text = (TRANSCRIPTS / "freebsd-15.1" / "a_single_v4_skew0_master.txt").read_text("utf-8")
        recorded = text[text.index('"carp": {') :]
        names = re.findall(r'"([\w-]+)": \d+', recorded[: recorded.index("}")])
        told = json.loads(host_of("freebsd-15").command("netstat --libxo json -s -p carp").out)
        assert list(told["statistics"]["carp"]) == names

    @pytest.mark.parametrize("key", ["freebsd-10", "freebsd-legacy", "openbsd"])
    def test_it_is_read_by_the_drivers_parser(self, key: str) -> None:
        host = host_of(key)
        told = counters.read_text(host.command("netstat -s -p carp").out)
        assert told["opackets"] == host.counters()["opackets"] > 0

    def test_ucarp_has_no_counters(self) -> None:
        said = host_of("ucarp").command("netstat -s -p carp")
        assert not said.ok

    def test_legacy_knows_no_libxo(self) -> None:
        assert not host_of("freebsd-legacy").command("netstat --libxo json -s -p carp").ok


class TestIfconfig:
    @pytest.mark.parametrize("version", ["freebsd-13.2", "freebsd-15.1"])
    def test_its_carp_lines_are_those_of_freebsd(self, version: str) -> None:
        text = (TRANSCRIPTS / version / "f_mixed_v4_v6_master.txt").read_text("utf-8")
        host = host_of(version.partition(".")[0], password="pass4carp1")
        shown = host.command("ifconfig eth0").out + host.command("ifconfig -k eth0").out
        assert carp_lines(shown) == carp_lines(text)

    @pytest.mark.parametrize("key", ["freebsd-13", "freebsd-15", "freebsd-legacy", "openbsd"])
    def test_it_is_read_by_the_drivers_parser(self, key: str) -> None:
        host = host_of(key, advskew=7)
        device = "carp1" if host.machine.dialect.own_interface else "eth0"
        shown = ifconfig.read(host.command(f"ifconfig {device}").out)[device]
        virtual = shown.virtual_host(1)
        assert virtual is not None
        assert (virtual.state, virtual.advbase, virtual.advskew) == ("MASTER", 1, 7)

    def test_the_key_is_for_root_and_for_k_only(self) -> None:
        host = host_of("freebsd-13", password="pass4carp")
        shows = [
            "pass4carp" in host.command(line, user=user).out
            for line, user in (
                ("ifconfig -k eth0", "root"),
                ("ifconfig -k eth0", "nobody"),
                ("ifconfig eth0", "root"),
            )
        ]
        assert shows == [True, False, False]

    def test_a_virtual_host_is_made_changed_and_removed(self) -> None:
        host = host_of("freebsd-13")
        for line in (
            "ifconfig eth0 vhid 9 advskew 3 pass y alias 192.0.2.109/24",
            "ifconfig eth0 vhid 9 advbase 2",
            "ifconfig eth0 vhid 9 alias 192.0.2.108/24",
        ):
            assert host.command(line).ok, line
        assert "carp: BACKUP vhid 9 advbase 2 advskew 3" in host.command("ifconfig eth0").out
        for address in ("192.0.2.108", "192.0.2.109"):
            host.command(f"ifconfig eth0 inet {address} -alias")
        assert host.vhids() == (1,)

    @pytest.mark.parametrize(
        ("line", "complaint"),
        [
            ("ifconfig eth0 advskew 5", "advskew requires vhid"),
            ("ifconfig eth0 pass x", "passwd requires vhid"),
            ("ifconfig eth0 vhid 1 advskew 255", "SIOCSVH: Invalid argument"),
            ("ifconfig lo0 vhid 1 alias 127.0.0.9/8", "SIOCGVH: Operation not supported"),
            ("ifconfig eth7", "interface eth7 does not exist"),
        ],
    )
    def test_it_complains_as_recorded(self, line: str, complaint: str) -> None:
        said = host_of("freebsd-13").command(line)
        assert said.status == 1
        assert complaint in said.err


class TestOtherCommands:
    def test_an_ordinary_user_writes_no_sysctl(self) -> None:
        host = host_of("openbsd")
        assert not host.command("sysctl net.inet.carp.preempt=1", user="nobody").ok
        assert host.sysctl("preempt") == 0
        assert host.command("sysctl net.inet.carp.preempt=1").ok
        assert host.command("sysctl -n net.inet.carp.preempt", user="nobody").out == "1"

    def test_a_sysctl_that_is_not_there(self) -> None:
        assert "unknown oid" in host_of("openbsd").command("sysctl net.inet.carp.dscp").err

    def test_a_command_that_is_not_there(self) -> None:
        assert host_of("openbsd").command("frobnicate now").status == 127

    def test_devd_is_told_as_recorded(self) -> None:
        recorded = (TRANSCRIPTS / "freebsd-13.2" / "i_failover_preempt0_devctl_b.txt").read_text("utf-8")
        of_carp = {re.sub(r"@\w+", "@IF", line) for line in recorded.splitlines() if "system=CARP" in line}
        told = {re.sub(r"@\w+", "@IF", line) for line in host_of("freebsd-13").device_notices()}
        assert told <= of_carp
        assert len(told) == 2
