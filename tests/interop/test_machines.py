"""Machines of several targets on one segment, proved on stand-ins: the drivers of the real systems, models behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from conformance.interop import machines as module
from conformance.interop.cell import Task, cell
from conformance.interop.lock import held
from conformance.interop.machines import MachinesDoNotMeet, OnMachines, joined, machines_of
from conformance.interop.participant import Participant, rung_of
from conformance.interop.predict import Predicted, predict
from conformance.interop.scenarios import chosen
from conformance.lab.netns import may_create
from conformance.lab.shell import HostError
from conformance.model.dialects import dialect
from conformance.targets.freebsd.profile import FAMILY as FREEBSD
from conformance.targets.model.target import ModelTarget
from conformance.targets.openbsd.profile import FAMILY as OPENBSD
from conformance.targets.pixit import Pixit, PixitHost
from conformance.targets.remote.bench import Lane, Maker, RemoteBench
from conformance.targets.remote.standin import target as standin
from conformance.targets.remote.target import RemoteTarget
from conformance.targets.ucarp.vm import UcarpVmTarget

SHARED = tuple(IPv4Address(f"192.0.2.{last}") for last in range(100, 110))


def pixit(system: str, *connections: str, **changes: Any) -> Pixit:
    hosts = tuple(
        PixitHost(name=name, connection=one, interface="eth0")
        for name, one in zip("abc", connections, strict=False)
    )
    made = Pixit(system=system, hosts=hosts, tester_interface="eth0", shared_addresses=SHARED)
    return replace(made, **changes)


def numbered(own: Pixit) -> Pixit:
    """With addresses as the suite gives them to machines that it brings up."""
    hosts = (
        replace(host, addresses=(IPv4Address(f"192.0.2.{number}"),))
        for number, host in enumerate(own.hosts, 1)
    )
    return replace(own, hosts=tuple(hosts))


def machined(own: Pixit) -> Any:
    """A target with the rules of a model, on machines."""
    made: Any = ModelTarget(own.system, dialect(own.system), ())
    made.pixit, made.makers = own, lambda hosts: list(range(hosts))
    made.profile = replace(made.profile, rung="vm", max_hosts=len(own.hosts))
    return made


class Known:
    """A target of which only its machines matter."""

    def __init__(self, own: Pixit | None) -> None:
        self.pixit = own

    def makers(self, hosts: int) -> list[Maker]:
        return [(self, number) for number in range(hosts)]  # type: ignore[misc]


class TestJoining:
    def test_each_role_gets_the_next_machine_of_its_target(self) -> None:
        one, two = Known(pixit("freebsd", "ssh://f1", "ssh://f2")), Known(pixit("openbsd", "ssh://o1"))
        made, makers = joined([one, two, one])
        assert [(host.name, host.connection) for host in made.hosts] == [
            ("a", "ssh://f1"),
            ("b", "ssh://o1"),
            ("c", "ssh://f2"),
        ]
        assert makers == [(one, 0), (two, 0), (one, 1)]

    def test_shared_addresses_are_those_that_all_name(self) -> None:
        other = Known(pixit("openbsd", "ssh://o1", shared_addresses=SHARED[3:]))
        assert joined([Known(pixit("freebsd", "ssh://f1")), other])[0].shared_addresses == SHARED[3:]

    @pytest.mark.parametrize(
        ("other", "said"),
        [
            ({"tester_interface": "eth1"}, "freebsd is on the tester's interface 'eth0' and openbsd on the tester's interface 'eth1'"),
            ({"shared_addresses": ()}, "no shared address in common"),
        ],
    )  # fmt: skip
    def test_machines_on_two_wires_do_not_meet(self, other: dict[str, Any], said: str) -> None:
        with pytest.raises(MachinesDoNotMeet, match=said):
            joined([Known(pixit("freebsd", "ssh://f1")), Known(pixit("openbsd", "ssh://o1", **other))])

    def test_a_vlan_that_all_may_use_is_enough(self) -> None:
        """Each system that is brought up has as many as it has lanes; a cell needs one."""
        one, two = (
            Known(numbered(pixit(system, "ssh://1", "ssh://2", vlans=range(101, stop))))
            for system, stop in (("freebsd", 109), ("ucarp-vm", 125))
        )
        assert joined([one, two])[0].vlans == range(101, 109)
        apart = Known(numbered(pixit("openbsd", "ssh://1", "ssh://2", vlans=range(201, 203))))
        with pytest.raises(MachinesDoNotMeet, match="with the VLANs 201 to 202"):
            joined([one, apart])

    def test_one_without_vlans_takes_the_others_to_the_wire_itself(self) -> None:
        """OpenBSD's machines have one lane, the segment; ucarp's processes have their places on VLANs alone."""
        openbsd = Known(numbered(pixit("openbsd", "ssh://1", "ssh://2")))
        freebsd = Known(numbered(pixit("freebsd", "ssh://1", "ssh://2", vlans=range(101, 113))))
        assert joined([freebsd, openbsd])[0].vlans is None
        ucarp = UcarpVmTarget(numbered(pixit("ucarp-vm", "ssh://1", "ssh://2", vlans=range(101, 125))))
        with pytest.raises(MachinesDoNotMeet, match="ucarp-vm needs a VLAN"):
            joined([openbsd, ucarp])

    def test_ucarp_on_machines_meets_other_systems(self) -> None:
        own = numbered(pixit("ucarp-vm", "vagrant://ucarp-a", "vagrant://ucarp-b", vlans=range(101, 125)))
        made = UcarpVmTarget(own)
        assert isinstance(made, OnMachines) and len(made.makers(2)) == 2
        other = Known(
            numbered(pixit("freebsd", "vagrant://freebsd-a", "vagrant://freebsd-b", vlans=range(101, 125)))
        )
        hosts = joined([other, made])[0].hosts
        assert [(host.name, host.connection) for host in hosts] == [
            ("a", "vagrant://freebsd-a"),
            ("b", "vagrant://ucarp-b"),
        ]

    def test_too_few_machines(self) -> None:
        one = Known(pixit("freebsd", "ssh://f1"))
        with pytest.raises(MachinesDoNotMeet, match="1 machines are named for freebsd"):
            joined([one, one])

    def test_no_two_machines_of_a_bench_have_one_address(self) -> None:
        """Machines that the suite brings up are 192.0.2.1 and .2 of each system."""
        one, two = (Known(numbered(pixit(system, "ssh://1", "ssh://2"))) for system in ("freebsd", "openbsd"))
        assert [str(host.addresses[0]) for host in joined([one, two])[0].hosts] == ["192.0.2.1", "192.0.2.2"]
        assert [str(host.addresses[0]) for host in joined([two, two])[0].hosts] == ["192.0.2.1", "192.0.2.2"]
        third = Known(numbered(pixit("ucarp-vm", "ssh://1", "ssh://2")))
        with pytest.raises(
            MachinesDoNotMeet, match=r"of ucarp-vm that is left has an address of another one \(192.0.2.1\)"
        ):
            joined([one, two, third])

    def test_a_trio_without_addresses_of_its_own_is_not_applicable(self) -> None:
        cast = {
            role: Participant(f"model:{name}", machined(numbered(pixit(name, "ssh://1", "ssh://2"))), "1")
            for role, name in (("A", "freebsd"), ("B", "openbsd"), ("C", "freebsd-legacy"))
        }
        prediction = predict(chosen(("trio",))[0], cast)
        assert prediction.outcome is Predicted.NOT_APPLICABLE
        assert "freebsd-legacy that is left has an address of another one" in prediction.reason

    def test_machines_say_what_they_are(self) -> None:
        made = machined(numbered(pixit("freebsd", "ssh://1")))
        one = Participant("freebsd", made, "1", machines_of(made))
        assert one.examined() is None
        made.environment = lambda: {"a": {"kernel": "13.2"}}
        assert one.examined() == {"a": {"kernel": "13.2"}}

        def silent() -> None:
            raise HostError("a", "it does not answer", "look at it")

        made.environment = silent
        assert one.examined() is None

    def test_machines_are_known_by_their_connections(self) -> None:
        assert machines_of(Known(pixit("freebsd", "ssh://f1", "ssh://f2"))) == ("ssh://f1", "ssh://f2")  # type: ignore[arg-type]
        assert machines_of(Known(None)) == ()  # type: ignore[arg-type]


@pytest.mark.skipif(not may_create(), reason="no network namespaces here: see carp-conformance doctor")
def test_freebsd_and_openbsd_machines_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two targets with a PIXIT each, their drivers, a real segment; the machines are locked while the cell runs."""
    start = standin._start

    def mixed(station: Any, folder: Path, rules: Any, number: int) -> Any:
        return start(station, folder, dialect("openbsd") if station.name == "b" else rules, number)

    monkeypatch.setattr(standin, "_start", mixed)
    locked: list[tuple[str, ...]] = []

    @contextmanager
    def locking(names: Sequence[str], folder: Path) -> Iterator[None]:
        locked.append(tuple(names))
        with held(names, folder):
            yield

    monkeypatch.setattr("conformance.interop.cell.held", locking)
    with standin.machines(2, dialect("freebsd")) as made:

        @contextmanager
        def on_their_switch(own: Pixit, makers: Sequence[Maker], lane: Lane) -> Iterator[RemoteBench]:
            bench = RemoteBench(own, made.wire, lane, makers, made.folder / "journals")
            try:
                yield bench
            finally:
                bench.reset()
                bench.close()

        monkeypatch.setattr(module, "remote_bench", on_their_switch)
        cast = []
        for family, name, number in ((FREEBSD, "a", 1), (OPENBSD, "b", 2)):
            own = pixit(
                family.name, f"exec://{made.shells[name]}", may_change=standin._MAY,
                tester_addresses=(IPv4Address("192.0.2.254"),),
            )  # fmt: skip
            host = replace(own.hosts[0], addresses=(IPv4Address(f"192.0.2.{number}"),))
            target = RemoteTarget(family, replace(own, hosts=(host,)), standins=True)
            assert target.lacks() == ()
            cast.append(Participant(f"{family.name}-standin", target, target.version(), machines_of(target)))
        assert rung_of(cast) == "lab"
        row = cell(
            Task(chosen(("kill",))[0], *cast, rung="lab", runs=1, out=tmp_path, locks=tmp_path / "locks")
        )
    assert row["verdict"] in ("pass", "inconclusive"), row["reason"]
    assert row["no_master_ms"] == pytest.approx(4184, abs=300)
    assert (tmp_path / row["evidence"]).is_file()
    assert locked == [tuple(sorted(f"exec://{made.shells[name]}" for name in "ab"))]
