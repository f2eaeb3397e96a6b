"""What a bundle says of the machines that were tested: how they were wired, and nothing that lets one in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance.commands.published import REMOVED, published
from conformance.report.certificate import documents
from conformance.report.certificate.bundle import pixit
from conformance.report.schema import InvalidDocument

SECRET = "Tr0ub4dor"
FILE = """
schema = 1
system = "freebsd"
vhids = { first = 10, last = 29 }
password_env = "LAB_SECRET"
may_change = ["carp"]
shared_addresses = ["192.0.2.100"]

[tester]
interface = "eth1"
addresses = ["192.0.2.254"]

[[host]]
name = "a"
connection = "ssh://root:hunter2-login@203.0.113.11"
identity = "keys/of-the-lab"
interface = "em-l4b"
addresses = ["192.0.2.1"]
mac = "02:00:00:00:02:01"

[actions.reboot]
command = ["./pdu", "--token", "pdu-t0ken-of-the-lab", "{host}"]
"""


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("LAB_SECRET", SECRET)
    (tmp_path / "lab.toml").write_text(FILE)
    return ["--pixit", str(tmp_path / "lab.toml")]


def test_wiring_is_there_and_what_lets_one_in_is_not(options):
    shown = published(options, lambda text: text.replace("l4b", "[removed]"))["pixit"]
    assert shown["tester"]["interface"] == "eth1"
    assert shown["hosts"] == [
        {"name": "a", "interface": "em-[removed]", "addresses": ["192.0.2.1"], "inner_interface": "", "inner_addresses": [], "mac": "02:00:00:00:02:01"}
    ]  # fmt: skip
    assert (shown["vhids"], shown["actions"]) == ({"first": 10, "last": 29}, ["reboot"])
    assert shown["removed"] == list(REMOVED)
    written = json.dumps(shown)
    for secret in (SECRET, "hunter2", "of-the-lab", "203.0.113.11", "LAB_SECRET"):
        assert secret not in written


def test_interface_that_was_given_with_the_command_is_the_testers(options):
    assert published([*options, "--interface", "eth9"], str)["pixit"]["tester"]["interface"] == "eth9"


def test_run_without_a_file_has_none():
    assert published(["--target", "ucarp"], str) == {}


@pytest.mark.parametrize("file", ["blackbox", "freebsd-legacy"])
def test_both_documents_of_a_bundle_take_it(file, tmp_path):
    source = Path(__file__).parents[2] / "fixtures/pixit" / f"{file}.toml"
    (tmp_path / "password").write_text(SECRET)
    (tmp_path / "x.toml").write_text(source.read_text())
    environment = {
        "suite": {}, "target": {"profile": None}, "machine": {"kernel": "", "architecture": "", "cores": 1},
    } | published(["--pixit", str(tmp_path / "x.toml")], str)  # fmt: skip
    documents.validate(environment, "environment")
    run = {"target": {"name": "blackbox", "rung": "lab"}, "lanes": 1, "seed": None, "arguments": []}

    class Made:
        document = run

    Made.environment = environment  # type: ignore[attr-defined]
    stated = pixit(Made())  # type: ignore[arg-type]
    documents.validate(stated, "pixit")
    assert stated["machines"] == environment["pixit"]
    assert "connection" in stated["removed"]
    assert SECRET not in json.dumps([environment, stated])


@pytest.mark.parametrize("key", ["password", "password_env", "password_file"])
def test_document_with_a_password_is_none(options, key):
    environment = {
        "suite": {}, "target": {"profile": None}, "machine": {"kernel": "", "architecture": "", "cores": 1},
    } | published(options, str)  # fmt: skip
    environment["pixit"][key] = "x"
    with pytest.raises(InvalidDocument):
        documents.validate(environment, "environment")
