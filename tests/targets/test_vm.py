"""The rung ``vm``: what an earlier run has left decides whether its machines are taken or made anew."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.lab import hypervisor as libvirt
from conformance.lab import kvm, vagrant
from conformance.targets import vm
from conformance.targets.freebsd.profile import FAMILY as FREEBSD
from conformance.targets.openbsd.profile import FAMILY
from conformance.targets.pixit import load
from conformance.targets.protocol import MachinesError
from conformance.targets.remote.identity import Identity
from conformance.targets.remote.target import RemoteTarget
from conformance.targets.ucarp.profile import PROFILE
from conformance.targets.ucarp.vm import UcarpVmTarget

SYSTEM = FAMILY.vm
NAMES = ["openbsd-a", "openbsd-b"]


class Fleet:
    """Vagrant's machines as they would be: by name, whether they exist and run."""

    def __init__(self):
        self.running, self.done = set(), []
        self.refuses = False

    def __call__(self, *_):
        return self

    def status(self, names):
        return {name: "running" if name in self.running else "not_created" for name in names}

    def up(self, names):
        self.done += [f"up {name}" for name in names]
        if self.refuses:
            raise vagrant.VagrantError("the machine did not come up", "no address", "see its log")
        self.running |= set(names)

    def halt(self, names):
        self.done.append("halt")
        self.running.clear()

    def destroy(self, names):
        self.done.append("destroy")
        self.running.clear()

    def login(self, name):
        return vagrant.Login("192.168.121.2", 22, "root", Path("key"))


@pytest.fixture
def fleet(monkeypatch, tmp_path):
    """``pid`` of the hypervisor that is found or started: None is the machine's own."""
    made = Fleet()
    made.kept, made.own, made.ended, made.plugged = None, 4711, [], []

    @contextmanager
    def hypervisor(folder, accelerator, *, keep):
        yield made.kept or libvirt.Hypervisor(made.own, accelerator)

    @contextmanager
    def plugged(_, cable=None):
        if cable is not None:
            made.plugged.append(cable.network)
        yield

    def end(_, there):
        made.ended.append(there.pid)
        made.running.clear()
        made.kept = None

    monkeypatch.setenv("CARP_CONFORMANCE_STATE", str(tmp_path))
    monkeypatch.setenv("CARP_CONFORMANCE_BOX_OPENBSD", "my/openbsd")
    monkeypatch.setattr(vagrant, "Machines", made)
    monkeypatch.setattr(libvirt, "hypervisor", hypervisor)
    monkeypatch.setattr(libvirt, "kept", lambda _: made.kept)
    monkeypatch.setattr(libvirt, "answers", lambda: made.own is None)
    monkeypatch.setattr(libvirt, "end", end)
    monkeypatch.setattr(libvirt.Hypervisor, "network", lambda _: plugged(None))
    monkeypatch.setattr(kvm, "accelerator", lambda: "kvm")
    monkeypatch.setattr(vm, "plugged", plugged)
    return made


def run(*, keep=False, destroy=False):
    with vm.machines(SYSTEM, keep=keep, destroy=destroy) as path:
        return path.read_text()


def cut_off(fleet, *, before_ready):
    """A run with --keep that was killed, its hypervisor left behind."""
    fleet.kept = libvirt.Hypervisor(4711, "kvm") if fleet.own is not None else None
    state = vm.state_folder() / "vm" / SYSTEM.name
    state.mkdir(parents=True, exist_ok=True)
    (state / "unclean").touch()
    if not before_ready:
        (state / "ready").touch()
    fleet.running |= set(NAMES)


def test_machines_come_up_and_are_halted(fleet):
    assert 'system = "openbsd"' in run()
    assert fleet.done == ["up openbsd-a", "up openbsd-b", "halt"]
    run()
    assert fleet.done[3:] == ["up openbsd-a", "up openbsd-b", "halt"]


@pytest.mark.parametrize(
    ("family", "release", "two_sided"),
    [(FAMILY, "7.8", True), (FREEBSD, "14.3-RELEASE", False)],
    ids=["openbsd", "freebsd"],
)
def test_pair_of_firewalls_has_a_second_segment(fleet, monkeypatch, family, release, two_sided):
    """Where cases run side by side, each on a VLAN of the first one, it is not used."""
    monkeypatch.setenv(f"CARP_CONFORMANCE_BOX_{family.vm.name.upper()}", "my/box")
    with vm.machines(family.vm, keep=False, destroy=False) as path:
        target = RemoteTarget(family, load(path))
    target.__dict__["_asked"] = (2 * (Identity(family.system, release, "GENERIC", "amd64"),), None)
    assert fleet.plugged == ["conformance-carp", "conformance-carp-inner"]
    assert target.profile.pics["second_interface"] == two_sided
    assert target.profile.pics["group_failover"] == two_sided


@pytest.mark.parametrize(("accelerator", "ms"), [("kvm", None), ("qemu", 60)])
def test_timers_of_emulated_machines_are_coarse_and_say_so(fleet, monkeypatch, accelerator, ms):
    monkeypatch.setattr(kvm, "accelerator", lambda: accelerator)
    with vm.machines(SYSTEM, keep=False, destroy=False) as path:
        own = load(path)
    assert own.granularity_ms == ms
    target = UcarpVmTarget(replace(own, vlans=range(101, 103)))
    late_ns = target.profile.dialect.timer_slack.late_ns - PROFILE.dialect.timer_slack.late_ns
    assert late_ns == (ms or 0) * 1_000_000


@pytest.mark.parametrize("own", [4711, None])
def test_machines_that_were_kept_are_taken(fleet, own):
    fleet.own = own
    run(keep=True)
    fleet.kept = libvirt.Hypervisor(own, "kvm") if own else None
    run(keep=True)
    assert fleet.done == ["up openbsd-a", "up openbsd-b"]


def test_machines_of_a_run_that_was_killed_when_they_were_ready_are_taken(fleet):
    cut_off(fleet, before_ready=False)
    run(keep=True)
    assert fleet.done == []


def test_machines_that_were_not_ready_when_their_run_was_killed_are_made_anew(fleet, capsys):
    """One may be running and not have its key, or its provisioning, yet."""
    cut_off(fleet, before_ready=True)
    run(keep=True)
    assert fleet.ended == [4711]
    assert fleet.done == ["up openbsd-a", "up openbsd-b"]
    assert "the last run was cut off: its machines are made anew" in capsys.readouterr().err


def test_machines_that_were_not_ready_in_a_hypervisor_of_the_machine_are_removed_first(fleet):
    fleet.own = None
    cut_off(fleet, before_ready=True)
    run()
    assert fleet.done == ["destroy", "up openbsd-a", "up openbsd-b", "halt"]


def test_machines_that_went_with_their_hypervisor_are_made_anew(fleet):
    cut_off(fleet, before_ready=False)
    fleet.kept = None
    fleet.running.clear()
    state = vm.state_folder() / "vm" / SYSTEM.name
    (state / "vagrant" / "machines").mkdir(parents=True)
    run(keep=True)
    assert not (state / "vagrant" / "machines").exists()


def test_machine_that_does_not_come_up_is_one_sentence_and_none_of_it_is_taken_later(fleet):
    fleet.refuses = True
    with pytest.raises(MachinesError, match="the machine did not come up: no address; see its log"):
        run(keep=True)
    fleet.refuses = False
    cut = vm.state_folder() / "vm" / SYSTEM.name
    assert (cut / "unclean").exists()
    assert not (cut / "ready").exists()


def test_machines_are_removed_on_demand(fleet):
    run(destroy=True)
    assert fleet.done[-1] == "destroy"
    assert not (vm.state_folder() / "vm" / SYSTEM.name).exists()
