"""A real ucarp, running already, tested by the command line as a black box."""

import json
import subprocess
import sys

import pytest

PIXIT = """
schema = 1
system = "blackbox"
dialect = "ucarp"
password_file = "key"
vhids = { first = 1, last = 4 }
shared_addresses = ["192.0.2.100", "192.0.2.101"]
[tester]
addresses = ["192.0.2.254"]
[[host]]
name = "a"
addresses = ["192.0.2.2"]
[[declared]]
host = "a"
vhid = 1
addresses = ["192.0.2.100"]
advskew = 100
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def box(pair, ucarp, tmp_path):
    """The namespace of the tester, in which the command line runs."""
    _, left, right = pair
    (tmp_path / "key").write_text("conformance\n")
    (tmp_path / "box.toml").write_text(PIXIT)
    process = right.namespace.spawn(
        [
            *(ucarp.program, "--interface=eth0", "--srcip=192.0.2.2", "--vhid=1", "--addr=192.0.2.100"),
            *("--advskew=100", f"--passfile={tmp_path / 'key'}", "--upscript=/bin/true"),
            "--downscript=/bin/true",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield left
    process.kill()
    process.wait()


def run(station, folder, *select, seconds="6"):
    command = [
        *(sys.executable, "-m", "conformance", "run", "--target", "blackbox", "--pixit", "box.toml"),
        *("--interface", "eth0", "--this-segment-is-mine", "--listen", seconds, "--out", "report", *select),
    ]
    process = station.namespace.spawn(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    out, err = process.communicate(timeout=200)
    return process.returncode, out, err


def test_is_tested_by_its_wire_alone(box, tmp_path):
    status, out, err = run(
        box, tmp_path, "WIRE-004", "WIRE-016.ethernet_source", "RX-001.master_stays[ttl-254]", "LOG-001"
    )
    assert status == 0, err + out
    document = json.loads((tmp_path / "report" / "results.json").read_text())
    verdicts = {case["id"]: case["verdict"] for case in document["cases"]}
    assert verdicts["WIRE-004.ttl_is_255"] == "pass"
    assert verdicts["RX-001.master_stays[ttl-254]"] == "pass"
    assert verdicts["WIRE-016.ethernet_source_is_the_virtual_mac[1]"] == "known_deviation"
    assert verdicts["WIRE-016.ethernet_source_is_the_virtual_mac[7]"] == "not_applicable"
    assert document["target"]["rung"] == "lab"
    assert document["lanes"] == 1


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "vhid = 1\n",
            "vhid = 2\n",
            "eth0 is not free: 192.0.2.2 speaks CARP with vhid 1. Nothing was sent.",
        ),
        ("advskew = 100", "advskew = 50", "advertises vhid 1 with advskew 100, and the PIXIT declares 50"),
        ('"192.0.2.100"]\nadv', '"192.0.2.101"]\nadv', "the digest of what 192.0.2.2 advertises"),
    ],
    ids=["stranger", "advskew", "addresses"],
)
def test_what_is_not_as_declared_ends_it_before_anything_is_sent(box, tmp_path, old, new, says):
    path = tmp_path / "box.toml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    status, _, err = run(box, tmp_path, "WIRE-004")
    assert status == 2
    assert says in err
    assert not (tmp_path / "report").exists()
