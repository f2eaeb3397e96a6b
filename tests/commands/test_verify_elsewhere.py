"""A customer's machine: a new virtual environment with the package and nothing else, another folder, no network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.commands.certificate import Request, certify
from conformance.commands.sign import sign_bundle
from conformance.lab.netns import may_create
from conformance.report.certificate.material import Product
from tests.conftest import lacking

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(one) for one in command], capture_output=True, text=True, check=False, **options
    )  # type: ignore[call-overload, no-any-return]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a virtual environment in which the wheel of this tree is installed with the extra that checks signatures."""
    folder = tmp_path_factory.mktemp("elsewhere")
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    built = run(*pip, "wheel", "--no-deps", "--wheel-dir", folder, ROOT)
    if built.returncode:
        lacking(f"the wheel cannot be built here: {built.stderr.strip()[-200:]}")
    (wheel,) = folder.glob("*.whl")
    run(sys.executable, "-m", "venv", folder / "venv")
    got = run(
        folder / "venv/bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check", "install", f"{wheel}[verify]"
    )  # fmt: skip
    if got.returncode:
        lacking(f"the wheel cannot be installed here: {got.stderr.strip()[-200:]}")
    return folder / "venv"


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a vendor publishes: bundle, envelope, public key."""
    from cryptography.hazmat.primitives import serialization as written
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    home, folder = tmp_path_factory.mktemp("vendor"), tmp_path_factory.mktemp("sent")
    ran = run(sys.executable, "-m", "conformance", "run", "--target", "model:ucarp", "WIRE-00", "AUTH-001", "--out", home / "run")  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    made, _ = certify(Request(home / "run", Product("Balancer", "Muster", "7.1"), out=home / "b.zip"))
    key = Ed25519PrivateKey.generate()
    (home / "key").write_bytes(
        key.private_bytes(written.Encoding.PEM, written.PrivateFormat.PKCS8, written.NoEncryption())
    )
    envelope = sign_bundle(made, home / "key")
    shutil.copy(made, folder / "sent.zip")
    shutil.copy(envelope, folder / "sent.zip.dsse.json")
    (folder / "vendor.pub").write_bytes(
        key.public_key().public_bytes(written.Encoding.PEM, written.PublicFormat.SubjectPublicKeyInfo)
    )
    shutil.rmtree(home)
    return folder


def verified(installed: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    alone = (
        ("unshare", "--user", "--map-root-user", "--net") if may_create() and shutil.which("unshare") else ()
    )
    command = (installed / "bin/carp-conformance", "verify", "sent.zip", "--key", "vendor.pub", "--json")
    bare = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    return run(*alone, *command, cwd=folder, env=bare)


@pytest.mark.slow
def test_it_verifies_with_the_signature_and_writes_every_page_again(installed, sent):
    assert not any((installed / "lib").glob("**/weasyprint"))
    ended = verified(installed, sent)
    document = json.loads(ended.stdout)
    assert (ended.returncode, document["verified"], document["signature"]) == (0, True, "good"), ended.stderr
    assert document["basis"]["monitor"] > 0
    # The wheel holds the same code as this tree, so that pages could be compared to the byte.
    assert [note for note in document["notes"] if "other code" in note] == []


@pytest.mark.slow
def test_one_changed_byte_is_found_there_too(installed, sent, tmp_path):
    folder = Path(shutil.copytree(sent, tmp_path / "there"))
    data = bytearray((folder / "sent.zip").read_bytes())
    data[data.index(b"Balancer")] ^= 1
    (folder / "sent.zip").write_bytes(data)
    ended = verified(installed, folder)
    document = json.loads(ended.stdout)
    assert ended.returncode == 1
    assert document["signature"] == "bad"
    assert {problem["file"] for problem in document["problems"]} > {"signature"}
