"""From a run to a claim: a product that keeps every rule may say that it conforms, and the same product with one thing amiss may not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from conformance.commands.certificate import scenarios

PRODUCT = '''
from dataclasses import replace

from conformance.model.dialects import dialect
from conformance.targets.model.target import ModelTarget, deviations_of


def product(name, origin):
    """Stands for a real one: it behaves as OpenBSD's rules say, in virtual time, and says that it was tested on a wire."""

    def make():
        target = ModelTarget(name, dialect("openbsd"), deviations_of("openbsd"))
        target.profile = replace(target.profile, rung="lab", origin=origin)
        return target

    return make


balancer, alpha, beta = product("balancer", "Muster"), product("alpha", "Alpha"), product("beta", "Beta")
'''
PARTNERS = ("alpha", "beta")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a machine on which a distribution with three targets is installed."""
    folder = tmp_path_factory.mktemp("distribution")
    facts = folder / "fabricated-1.dist-info"
    facts.mkdir()
    (folder / "fabricated.py").write_text(PRODUCT)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: fabricated\nVersion: 1\n")
    points = "".join(f"{name} = fabricated:{name}\n" for name in ("balancer", *PARTNERS))
    (facts / "entry_points.txt").write_text(f"[carp_conformance.targets]\n{points}")
    return os.environ | {"PYTHONPATH": str(folder)}


def command(environment: dict[str, str], *arguments: object) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "conformance", *(str(one) for one in arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture(scope="module")
def recorded(installed: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of every case; each capture, verdict and time in it is real."""
    folder = tmp_path_factory.mktemp("runs") / "balancer"
    ran = command(installed, "run", "--target", "balancer", "--lanes", 2, "--out", folder)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    return folder


@pytest.fixture
def run(recorded: Path, tmp_path: Path) -> Path:
    """A copy of the run, to be changed at will."""
    return Path(shutil.copytree(recorded, tmp_path / "run"))


@pytest.fixture
def met(tmp_path: Path) -> Path:
    """The folder of a matrix in which it met both partners in every scenario."""
    folder = tmp_path / "matrix"
    folder.mkdir()
    pairs = [pair for partner in PARTNERS for pair in (("balancer", partner), (partner, "balancer"))]
    cells = [
        {"a": a, "b": b, "scenario": one, "verdict": "hazard" if one == "healed" else "pass", "hazards": [{"name": "split"}]}
        for a, b in pairs
        for one in scenarios()
    ]  # fmt: skip
    (folder / "results.json").write_text(json.dumps({"rung": "lab", "cells": cells}))
    return folder


def certified(environment: dict[str, str], run: Path, *more: object) -> subprocess.CompletedProcess[str]:
    named = ("--product", "Balancer", "--vendor", "Muster", "--version", "7.1")
    return command(environment, "report", run, "--certificate", *named, "--out", run.parent / "b.zip", *more)


def certificate(run: Path) -> tuple[dict[str, object], str]:
    with zipfile.ZipFile(run.parent / "b.zip") as archive:
        return json.loads(archive.read("certificate.json")), archive.read("certificate.html").decode()


def change(run: Path, requirement: str, verdict: str) -> str:
    """Gives one case that decides a MUST another verdict, as the run would have recorded it; returns the case."""
    document = json.loads((run / "results.json").read_text())
    case = next(
        case
        for case in document["cases"]
        if case["requirements"] == [requirement] and case["verdict"] == "pass"
    )
    document["summary"]["pass"] -= 1
    document["summary"][verdict] += 1
    case |= {"verdict": verdict, "reason": "told"}
    next(row for row in document["requirements"] if row["id"] == requirement)["verdict"] = verdict
    document["verdict"] = {"fail": "fails"}.get(verdict, verdict)
    (run / "results.json").write_text(json.dumps(document))
    return str(case["id"])


@pytest.mark.slow
def test_a_product_that_keeps_every_rule_claims_conformance_and_anybody_can_check_it(installed, run, met):
    made = certified(installed, run, "--interop", met)
    assert made.returncode == 0, made.stderr
    stated, page = certificate(run)
    assert [rule["breaches"] for rule in stated["rules"]["applied"] if rule["breaches"]] == []
    assert stated["claims_conformance"] is True
    assert "<h1>Certificate of conformance</h1>" in page
    assert [row["name"] for row in stated["interop"] if row["counts"]] == ["alpha", "beta"]
    assert stated["interop"][0]["hazards"] == ["split"]
    # The checker has neither the product nor its partners installed.
    checked = command(dict(os.environ), "verify", run.parent / "b.zip", "--json")
    document = json.loads(checked.stdout)
    assert document["problems"] == []
    assert (checked.returncode, document["claims_conformance"]) == (0, True)
    assert document["basis"]["monitor"] > 40


@pytest.mark.slow
def test_without_partners_nothing_is_claimed_and_the_page_says_why(installed, run):
    assert certified(installed, run).returncode == 0
    stated, page = certificate(run)
    assert stated["claims_conformance"] is False
    assert {rule["id"]: rule["breaches"] for rule in stated["rules"]["applied"] if rule["breaches"]} == {
        "R13": ["no interop run was given"]
    }
    assert "<h1>Statement of results</h1>" in page
    assert "<b>R13</b> no interop run was given." in page


@pytest.mark.slow
@pytest.mark.parametrize(
    ("verdict", "status", "told"),
    [("fail", 1, "R3: failed: CARP-WIRE-004"), ("inconclusive", 3, "R4: inconclusive: CARP-WIRE-004")],
)
def test_one_must_that_did_not_pass_refuses_the_certificate(installed, run, met, verdict, status, told):
    change(run, "CARP-WIRE-004", verdict)
    refused = certified(installed, run, "--interop", met)
    assert (refused.returncode, refused.stdout) == (status, "")
    assert refused.stderr == (
        f"carp-conformance: no certificate is made of this run (rules of certification, version 2): {told}.\n"
    )
    assert not (run.parent / "b.zip").exists()


@pytest.mark.slow
def test_one_missing_capture_refuses_the_certificate(installed, run, met):
    (run / "evidence/WIRE-004.ttl_is_255.pcapng").unlink()
    refused = certified(installed, run, "--interop", met)
    assert (refused.returncode, refused.stdout) == (3, "")
    assert refused.stderr == (
        "carp-conformance: no certificate is made of this run (rules of certification, version 2): "
        "R6: WIRE-004.ttl_is_255: its capture evidence/WIRE-004.ttl_is_255.pcapng is missing.\n"
    )
