"""Vagrant's machines: time-outs, one sentence for a failure, an ssh-config that is read once; and the Vagrantfile itself."""

import os
import shutil
import subprocess
import tomllib

import pytest

from conformance.lab import vagrant
from conformance.lab.vagrant import Machines, VagrantError

CONFIG = "Host a\\n  HostName 192.0.2.7\\n  User root\\n  Port 2222\\n  IdentityFile /keys/a\\n"


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """A ``vagrant`` that does what a line of shell says."""

    def make(script):
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        program = folder / "vagrant"
        program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n{script}\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        return Machines(tmp_path / "state", tmp_path / "log")

    return make


def calls(tmp_path):
    return (tmp_path / "calls").read_text().splitlines()


class TestMachines:
    def test_a_failure_is_vagrants_own_first_sentence(self, stand_in):
        machines = stand_in(
            "echo '==> a: Starting' >&2; printf '\\nThe box could not be found\\nanywhere.\\n\\nURL: x\\n' >&2; exit 1"
        )
        with pytest.raises(
            VagrantError, match="^the machine a did not come up: The box could not be found anywhere; see "
        ):
            machines.up(["a", "b"])

    def test_the_first_that_does_not_come_is_the_only_one_tried(self, stand_in, tmp_path):
        with pytest.raises(VagrantError):
            stand_in("exit 1").up(["a", "b"])
        assert calls(tmp_path) == ["up a"]

    def test_what_takes_too_long_is_ended(self, stand_in):
        with pytest.raises(VagrantError, match=r"`vagrant up` did not end in 0.2 s"):
            stand_in("exec sleep 60").run(["up"], 0.2, "it did not come up")

    def test_all_it_says_is_kept(self, stand_in, tmp_path):
        stand_in("echo out; echo err >&2").run(["halt"], 10, "x")
        assert (tmp_path / "log").read_text().split() == ["$", "vagrant", "halt", "err", "out"]

    def test_the_state_is_read_from_its_output_for_machines(self, stand_in):
        rows = (
            "1,a,provider-name,libvirt\\n1,a,state,shutoff\\n1,b,provider-name,libvirt\\n1,b,state,running\\n"
        )
        assert stand_in(f"printf '{rows}'").status(["a"]) == {"a": "poweroff"}

    def test_the_way_to_log_in_is_asked_for_once(self, stand_in, tmp_path):
        machines = stand_in(f"printf '{CONFIG}'")
        assert machines.login("a") is machines.login("a")
        assert machines.login("a").port == 2222
        assert len(calls(tmp_path)) == 1

    def test_without_vagrant_it_is_one_sentence(self, tmp_path):
        machines = Machines(tmp_path, tmp_path / "log", lambda command: ["/no/such/vagrant", *command])
        with pytest.raises(
            VagrantError, match="the command '/no/such/vagrant' is missing; see: carp-conformance doctor"
        ):
            machines.halt(["a"])


class TestVagrantfile:
    folder = vagrant.vagrant_folder()

    @pytest.mark.skipif(shutil.which("ruby") is None, reason="ruby is not installed")
    def test_is_ruby(self):
        said = subprocess.run(
            ["ruby", "-c", str(self.folder / "Vagrantfile")], capture_output=True, text=True, check=False
        )
        assert said.returncode == 0, said.stderr

    @pytest.mark.skipif(
        bool(vagrant.lacks()), reason="vagrant, vagrant-libvirt or python-vagrant is not installed"
    )
    def test_is_valid_and_has_two_machines_of_each_system(self, tmp_path):
        machines = Machines(tmp_path, tmp_path / "log")
        machines.run(["validate", "--ignore-provider"], 60, "the Vagrantfile is not valid")
        wanted = [
            f"{system}-{host}"
            for system in ("freebsd", "freebsd-legacy", "openbsd", "ucarp")
            for host in "ab"
        ]
        assert sorted(machines.status(wanted)) == wanted

    def test_every_box_says_what_is_known_of_it(self):
        boxes = tomllib.loads((self.folder / "boxes.toml").read_text())
        for system in ("freebsd", "freebsd-legacy", "openbsd", "ucarp"):
            for box in boxes[system].values():
                assert box["state"] in ("built here", "published", "stale", "none")
                assert ("box" in box) == (box["state"] != "none")

    @pytest.mark.parametrize(
        "script", sorted(path.name for path in (vagrant.vagrant_folder() / "provision").iterdir())
    )
    def test_provisioning_is_shell(self, script):
        said = subprocess.run(
            ["sh", "-n", str(self.folder / "provision" / script)], capture_output=True, text=True, check=False
        )
        assert said.returncode == 0, said.stderr
