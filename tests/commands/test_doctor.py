"""``doctor``: what this machine has for each rung, each lack with what mends it."""

from pathlib import Path

import pytest

from conformance.commands import doctor as module
from conformance.commands.doctor import doctor
from conformance.commands.errors import CommandError
from conformance.report import schema

BOX = Path(__file__).parents[2] / "fixtures" / "pixit" / "blackbox.toml"


@pytest.fixture
def bare(monkeypatch):
    """A machine that has nothing, and one target."""
    monkeypatch.setattr(module, "names", lambda: ["model:openbsd"])
    monkeypatch.setattr(module, "may_create", lambda: False)
    monkeypatch.setattr(module, "may_unshare", lambda: False)
    monkeypatch.setattr(module, "_may_capture", lambda: False)
    monkeypatch.setattr(module.shutil, "which", lambda *_, **__: None)
    monkeypatch.setattr(
        module.vagrant, "lacks", lambda: (("the command 'vagrant' is missing", "get vagrant"),)
    )
    monkeypatch.setattr(
        module.hypervisor, "lacks", lambda: (("no libvirt", "get it"), ("no qemu", "get that"))
    )
    monkeypatch.setattr(module.kvm, "lack", lambda: ("there is no /dev/kvm", "switch it on"))
    monkeypatch.setattr(module.vagrant, "plugins", lambda: "vagrant-libvirt (0.12.2, system)")
    monkeypatch.setattr(module, "free_bytes", lambda _: 7 * 2**20)


def test_a_bare_machine_is_told_what_it_lacks_and_how_to_mend_it(bare):
    document = doctor(None)
    schema.validate(document, "doctor")
    lacking = {check["id"]: check for check in document["checks"] if not check["ok"]}
    assert set(lacking) >= {
        "tshark",
        "namespaces",
        "packet-sockets",
        "ssh",
        "vagrant",
        "provider",
        "kvm",
        "disk",
    }
    assert all(check["remedy"] and check["optional"] for check in lacking.values())
    assert "user.max_user_namespaces" in lacking["namespaces"]["remedy"]
    assert lacking["kvm"]["what"].endswith("(there is no /dev/kvm)")
    assert lacking["kvm"]["remedy"] == "switch it on"
    assert lacking["virtualbox"]["remedy"].startswith("install VirtualBox from its makers")
    assert lacking["vagrant-qemu"]["remedy"].startswith("vagrant plugin install vagrant-qemu")
    assert lacking["disk"]["what"].startswith("7 MiB of disk in ")
    assert [check["what"] for check in document["checks"] if check["id"] == "provider"] == [
        "no libvirt",
        "no qemu",
    ]
    assert document["targets"] == [{"name": "model:openbsd", "ready": True}]


def test_a_machine_that_has_it_all(bare, monkeypatch):
    monkeypatch.setattr(module, "may_unshare", lambda: True)
    monkeypatch.setattr(module, "_may_capture", lambda: True)
    monkeypatch.setattr(module.shutil, "which", lambda name, **_: f"/bin/{name}")
    monkeypatch.setattr(module.vagrant, "lacks", tuple)
    monkeypatch.setattr(module.vagrant, "plugins", lambda: "vagrant-qemu (0.3.6, global)")
    monkeypatch.setattr(module.hypervisor, "lacks", tuple)
    monkeypatch.setattr(module.kvm, "lack", lambda: None)
    monkeypatch.setattr(module, "free_bytes", lambda _: 2**40)
    assert all(check["ok"] and check["remedy"] is None for check in doctor(None)["checks"])


def test_one_target_is_asked_alone():
    ids = [check["id"] for check in doctor("model:openbsd")["checks"]]
    assert ids[-1] == "model:openbsd"
    assert not {"vagrant", "provider", "kvm", "disk"} & set(ids)


def test_machines_of_a_pixit(monkeypatch):
    monkeypatch.setattr("conformance.targets.blackbox.target.has_terminal", lambda: True)
    assert doctor("blackbox", BOX, "eth1")["targets"] == [{"name": "blackbox", "ready": True}]
    monkeypatch.setattr("conformance.targets.blackbox.target.has_terminal", lambda: False)
    assert doctor("blackbox", BOX, "eth1")["targets"] == [{"name": "blackbox", "ready": False}]


@pytest.mark.parametrize(
    ("target", "path", "says"),
    [
        (None, BOX, "give --target, too"),
        ("blackbox", BOX / "x", "cannot be read"),
        ("ucarp", BOX, "not for 'ucarp'"),
    ],
)
def test_a_pixit_that_cannot_be_used(target, path, says):
    with pytest.raises(CommandError, match=says):
        doctor(target, path)


def test_packet_sockets_are_tried(monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(module.socket, "socket", refuse)
    assert not module._may_capture()
