"""KVM is believed when a guest has run on it."""

import shutil
import subprocess

import pytest

from conformance.lab import kvm

needs_qemu = pytest.mark.skipif(
    shutil.which("qemu-system-x86_64") is None, reason="qemu-system-x86_64 is not installed"
)


class TestProbe:
    def test_the_boot_sector_has_the_size_and_the_mark_of_one(self):
        assert len(kvm.boot_sector()) == 512
        assert kvm.boot_sector().endswith(b"\x55\xaa")

    @needs_qemu
    def test_plain_emulation_runs_it(self, monkeypatch):
        ran, run = [], subprocess.run
        monkeypatch.setattr(kvm.subprocess, "run", lambda *a, **k: ran.append(run(*a, **k)) or ran[-1])
        assert kvm.boots("tcg"), f"QEMU said {ran or 'nothing in time'}"

    @needs_qemu
    def test_a_guest_that_does_something_else_is_no_proof(self, monkeypatch):
        monkeypatch.setattr(kvm, "boot_sector", lambda: b"\xf4" + bytes(509) + b"\x55\xaa")
        monkeypatch.setattr(kvm, "_LIMIT_S", 2)
        assert not kvm.boots("tcg")

    def test_without_qemu_there_is_none(self, monkeypatch):
        monkeypatch.setenv("PATH", "/nowhere")
        assert not kvm.boots("tcg")

    def test_the_user_has_the_last_word(self, monkeypatch):
        monkeypatch.setenv("CARP_CONFORMANCE_ACCELERATOR", "qemu")
        assert kvm.accelerator() == "qemu"


class TestLack:
    @pytest.fixture
    def device(self, tmp_path, monkeypatch):
        path = tmp_path / "kvm"
        monkeypatch.setattr(kvm, "DEVICE", path)
        monkeypatch.setattr(kvm.getpass, "getuser", lambda: "ada")
        monkeypatch.setattr(kvm.shutil, "which", lambda tool: f"/usr/bin/{tool}")
        monkeypatch.setattr(kvm, "works", lambda: False)
        return path

    def test_no_device(self, device):
        what, remedy = kvm.lack()
        assert what == f"there is no {device}"
        assert "modprobe kvm_intel" in remedy

    def test_no_permission(self, device, monkeypatch):
        device.touch()
        monkeypatch.setattr(kvm.os, "access", lambda *_: False)
        assert kvm.lack() == (f"ada may not open {device}", "sudo usermod -aG kvm ada, and log in anew")

    def test_no_qemu_to_try_it_with(self, device, monkeypatch):
        device.touch()
        monkeypatch.setattr(kvm.shutil, "which", lambda _: None)
        assert kvm.lack()[1] == "apt-get install --no-install-recommends qemu-system-x86"

    def test_device_that_runs_no_guest(self, device):
        device.touch()
        what, remedy = kvm.lack()
        assert what == f"{device} opens, but no guest runs on it"
        assert "nested" in remedy

    def test_nothing_lacks_where_a_guest_runs(self, device, monkeypatch):
        device.touch()
        monkeypatch.setattr(kvm, "works", lambda: True)
        assert kvm.lack() is None
