"""The password of a run and a key that a device logs are in no file of the run's folder, of its pages or of its bundle, and on no stream."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from conformance.report.private import cleaner_of, without_password
from conformance.targets.protocol import PUBLIC_PASSWORD

SECRET = 'Tr0ub&dor"<3>'
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAAQ\n-----END OPENSSH PRIVATE KEY-----"
FORMS = (
    SECRET,
    json.dumps(SECRET)[1:-1],
    "Tr0ub&amp;dor",
    "Tr0ub%26dor",
    SECRET.encode().hex(),
    base64.b64encode(SECRET.encode()).decode().rstrip("="),
    "b3BlbnNzaC1r",
)

PLANTED = f"""
import sys
from dataclasses import replace

import conformance.targets.model.target as models
from conformance.cli import main
from conformance.segment.trace import HostKind
from conformance.targets.model.administrator import Administrator

SECRET, KEY = {SECRET!r}, {KEY!r}
# No known deviation: one case fails, and tells the last words of the log.
make = lambda: models.ModelTarget("model:ucarp", models.dialect("ucarp"), ())


def planted():
    target = make()
    target.profile = replace(target.profile, password=SECRET)
    target.version = lambda: f"1.5.2 built by {{SECRET}} {{SECRET.encode().hex()}}"
    target.environment = lambda: {{"a": {{"node": f"fw-{{SECRET}}.example", "files": [f"/var/{{SECRET}}.conf"], SECRET: KEY}}}}
    return target


def told(self, action, honest=Administrator.told):
    said = honest(self, action)
    return (said[0], f"{{said[1]}} --pass={{SECRET}} {{KEY}}") if said and said[0] is HostKind.LOG else said


models.ucarp, Administrator.told = planted, told
raise SystemExit(main(sys.argv[1:]))
"""


def leaks(data: bytes) -> list[str]:
    return [form for form in FORMS if form.lower().encode() in data.lower()]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    folder = tmp_path_factory.mktemp("secrets") / "run"
    command = ["run", "--target", "model:ucarp", "WIRE-004", "WIRE-016", "AUTH-001", "ELECT-002", "--out", str(folder)]  # fmt: skip
    environment = os.environ | {"CARP_PASSWORD": SECRET, "CARP_KEY": KEY}
    ended = subprocess.run(
        [sys.executable, "-c", PLANTED, *command],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    return ended, folder


def test_the_run_went_as_it_should_and_the_device_did_tell(ran):
    ended, folder = ran
    document = json.loads((folder / "results.json").read_text())
    assert ended.returncode == 1, ended.stderr
    assert {case["verdict"] for case in document["cases"]} >= {"pass", "fail"}
    assert document["target"]["version"] == "1.5.2 built by [removed] [removed]"
    logs = [
        event["summary"]
        for case in document["cases"]
        for event in (case["timeline"] or {"events": ()})["events"]
        if event["kind"] == "log"
    ]
    assert any("--pass=[removed] [removed]" in line for line in logs)


def test_names_that_machines_give_to_themselves_and_to_files_are_kept_but_for_it(ran):
    _, folder = ran
    machines = json.loads((folder / "environment.json").read_text())["machines"]
    told = {"node": "fw-[removed].example", "files": ["/var/[removed].conf"], "[removed]": "[removed]"}
    assert machines == {"a": told}


def test_no_file_of_the_folder_has_it(ran):
    _, folder = ran
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"results.json", "results.jsonl", "index.html", "junit.xml", "ctrf.json", "environment.json"} <= {
        path.name for path in files
    }
    assert any(path.suffix == ".pcapng" for path in files)
    assert {str(path): found for path in files if (found := leaks(path.read_bytes()))} == {}


def test_no_stream_has_it(ran):
    ended, _ = ran
    assert leaks((ended.stdout + ended.stderr).encode()) == []


def test_captures_hold_digests_only_and_can_be_checked_with_the_password(ran):
    """What was taken out of texts was not needed for the evidence: the monitors still check the digests with the password, and without it cannot."""
    from conformance.commands.witness import see

    _, folder = ran
    capture = next(
        path for path in sorted((folder / "evidence").iterdir()) if path.name.startswith("WIRE-004")
    )
    assert see((SECRET,))(capture.read_bytes(), "ucarp", None).verdicts["CARP-AUTH-001"] == "pass"
    assert "CARP-AUTH-001" not in see(())(capture.read_bytes(), "ucarp", None).verdicts


def test_no_file_of_the_bundle_has_it(ran, tmp_path):
    _, folder = ran
    document = json.loads((folder / "results.json").read_text())
    # The failed case bars a certificate; without it the rest of the record makes one.
    from conformance.catalogue import load
    from conformance.report import results

    document["cases"] = [case for case in document["cases"] if case["verdict"] in ("pass", "not_applicable")]
    document["summary"] = results.summarise(document["cases"])
    document["requirements"] = results.requirement_verdicts(document["cases"], load())
    document["verdict"] = "conforms"
    there = tmp_path / "run"
    there.mkdir()
    (there / "evidence").symlink_to(folder / "evidence")
    (there / "environment.json").write_bytes((folder / "environment.json").read_bytes())
    (there / "results.json").write_text(json.dumps(document))
    secrets = tmp_path / "secrets"
    secrets.write_text(f"{SECRET}\n")
    command = ["report", str(there), "--certificate", "--product", "P", "--vendor", SECRET, "--version", "1", "--secret-file", str(secrets), "--out", str(tmp_path / "b.zip")]  # fmt: skip
    ended = subprocess.run(
        [sys.executable, "-m", "conformance", *command], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert {name: found for name in archive.namelist() if (found := leaks(archive.read(name)))} == {}
    assert leaks((ended.stdout + ended.stderr).encode()) == []


class TestCleaning:
    ROW = {
        "id": "AUTH-001", "title": "the pw is kept", "verdict": "pass", "reason": "pw=pw, not pwd", "evidence": None, "actual": "",
        "timeline": {"events": [{"kind": "log", "node": "pw", "summary": "ifconfig pass pw"}]}, "frames": [1],
    }  # fmt: skip

    def test_nothing_is_taken_out_for_the_public_password_or_none(self):
        assert cleaner_of("", PUBLIC_PASSWORD) is None
        assert cleaner_of(PUBLIC_PASSWORD, PUBLIC_PASSWORD) is None

    def test_a_short_password_is_taken_out_as_a_word_and_what_the_suite_says_stays(self):
        clean = cleaner_of("pw", PUBLIC_PASSWORD)
        assert clean is not None
        row = without_password(self.ROW, clean, None)
        assert row["reason"] == "[removed]=[removed], not pwd"
        assert row["timeline"]["events"][0]["summary"] == "ifconfig pass [removed]"
        assert (row["id"], row["title"], row["frames"]) == ("AUTH-001", "the pw is kept", [1])

    def test_a_password_that_is_a_verdict_leaves_the_verdict(self):
        clean = cleaner_of("pass", PUBLIC_PASSWORD)
        assert clean is not None
        row = without_password(self.ROW, clean, None)
        assert row["verdict"] == "pass"
        assert row["timeline"]["events"][0]["summary"] == "ifconfig [removed] pw"
