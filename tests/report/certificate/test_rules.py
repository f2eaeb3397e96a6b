"""The written rules: each bars what it says, with the reason, and the page of the docs is this table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from conformance.catalogue import load
from conformance.report import results
from conformance.report.certificate import rules
from conformance.report.certificate.rules import RULES, Bars, Refused, claims, rulings

PAGE = Path(__file__).parents[3] / "docs/reference/certification-rules.md"


def counted(document: dict[str, Any]) -> dict[str, Any]:
    summary = results.summarise(document["cases"])
    return document | {
        "summary": summary,
        "verdict": results.overall(summary),
        "requirements": results.requirement_verdicts(document["cases"], load()),
    }


def a_must(document: dict[str, Any]) -> dict[str, Any]:
    catalogue = load()
    return next(
        case
        for case in document["cases"]
        if case["verdict"] == "pass"
        and case["evidence"]
        and all(catalogue[id].level == "MUST" for id in case["requirements"])
    )


def broken(material: Any) -> dict[str, tuple[str, ...]]:
    return {one.rule.id: one.breaches for one in rulings(material) if one.breaches}


def test_run_of_a_model_may_have_a_certificate_that_claims_nothing(material):
    applied = rulings(material())
    assert claims(applied) is False
    assert {one.rule.id for one in applied if one.breaches} == {"R9", "R12", "R13"}


@pytest.mark.parametrize(("verdict", "rule"), [("fail", "R3"), ("inconclusive", "R4"), ("error", "R5")])
def test_one_must_that_did_not_pass_bars_the_certificate_with_the_reason(
    material, run_document, verdict, rule
):
    case = a_must(run_document)
    case |= {"verdict": verdict, "reason": "told"}
    with pytest.raises(Refused, match=rule) as refused:
        claims(rulings(material(counted(run_document))))
    named = case["id"] if verdict == "error" else case["requirements"][0]
    assert named in str(refused.value)


def test_one_missing_capture_bars_the_certificate_with_its_name(material, run_document):
    case = a_must(run_document)
    case["evidence"] = "evidence/gone.pcapng"
    with pytest.raises(Refused, match=r"R6: .*evidence/gone\.pcapng is missing"):
        claims(rulings(material(run_document)))


def test_frames_without_a_capture_bar_it(material, run_document):
    a_must(run_document)["evidence"] = None
    assert "names no capture" in broken(material(run_document))["R6"][0]


def test_cited_frame_must_be_in_the_capture(material, run_document):
    a_must(run_document)["frames"] = [999_999]
    assert "has no frame 999999" in broken(material(run_document))["R6"][0]


def test_capture_that_cannot_be_read_bars_it(material, run_document, tmp_path):
    for case in run_document["cases"]:
        if case["evidence"]:
            (tmp_path / case["evidence"]).parent.mkdir(exist_ok=True)
            (tmp_path / case["evidence"]).write_bytes(b"junk")
    assert "cannot be used" in broken(material(run_document, folder=tmp_path))["R6"][0]
    assert broken(material(run_document, folder=tmp_path))["R6"][-1].endswith("more lack evidence")


def test_missing_environment_and_interruption_bar_it(material, run_document, tmp_path):
    run_document |= {"ended": None, "notes": ["one case left no record"]}
    found = broken(material(run_document, folder=tmp_path))["R1"]
    assert len(found) == 3


def test_other_catalogue_bars_it(material, run_document):
    run_document["suite"]["catalogue"] = "sha256:00"
    assert "R2" in broken(material(run_document))


def test_pics_that_says_otherwise_bars_it(material, run_document):
    made = material(run_document)
    made.pics["capabilities"][0]["claimed"] ^= True
    assert made.pics["capabilities"][0]["name"] in broken(made)["R7"][0]


def test_sanity_that_did_not_pass_bars_the_claim(material, run_document):
    run_document["cases"] = [c for c in run_document["cases"] if "CARP-ELECT-002" not in c["requirements"]]
    assert "CARP-ELECT-002" in broken(material(counted(run_document)))["R8"][0]


def test_failed_should_bars_nothing(material, run_document):
    catalogue = load()
    case = a_must(run_document)
    case |= {
        "verdict": "fail",
        "reason": "told",
        "requirements": [next(r.id for r in catalogue if r.level == "SHOULD")],
    }
    assert "R3" not in broken(material(counted(run_document)))


def deviating(case: dict[str, Any], *requirements: str, reference: str = "carp.c") -> None:
    case |= {"verdict": "known_deviation", "reason": "so", "deviation": {"reason": "so", "reference": reference}, "requirements": list(requirements)}  # fmt: skip


def test_deviation_that_the_catalogue_does_not_know_bars_the_claim(material, run_document):
    """CARP-WIRE-004 holds for ucarp by the catalogue; CARP-WIRE-016 does not."""
    case = a_must(run_document)
    deviating(case, "CARP-WIRE-004")
    assert "does not know of this dialect: CARP-WIRE-004" in broken(material(counted(run_document)))["R10"][0]
    deviating(case, "CARP-WIRE-016", "CARP-WIRE-004")
    assert "R10" not in broken(material(counted(run_document)))
    deviating(case, "CARP-WIRE-016", reference="")
    assert broken(material(counted(run_document)))["R10"] == (f"deviates without a reference: {case['id']}",)


def test_deviation_that_a_monitor_saw_counts_too(material, run_document):
    breach = {"case": "x", "monitor": "m", "verdict": "known_deviation", "host": "a", "text": "t", "frames": [1], "deviation": {"reason": "so", "reference": "r"}}  # fmt: skip
    run_document["invariants"] = [{"id": "CARP-WIRE-004", "verdict": "known_deviation", "cases": 1, "broken": [breach]}]  # fmt: skip
    assert "CARP-WIRE-004" in broken(material(run_document))["R10"][0]


@pytest.mark.parametrize("dropped", [None, 3])
def test_lost_frames_bar_the_claim(material, run_document, dropped):
    run_document["rig"]["frames_dropped"] = dropped
    assert "R11" in broken(material(run_document))


def matrix(*cells: tuple[str, str, str]) -> dict[str, Any]:
    known = {
        "freebsd": ("FreeBSD", "vm"),
        "openbsd": ("OpenBSD", "vm"),
        "sim": ("a simulation", "sim"),
        "twin": ("a model", "vm"),
        "model:freebsd": ("this suite's model of freebsd", "netns"),
        "somebody": ("", "vm"),
    }
    return {
        "schema": 1,
        "partners": [{"name": n, "origin": o, "rung": r} for n, (o, r) in known.items()],
        "scenarios": ["s"],
        "cells": [{"a": a, "b": b, "scenario": "s", "verdict": v, "hazards": ["h"]} for a, b, v in cells],
    }


OWN = "model:ucarp"


def both(partner: str, verdict: str = "pass") -> list[tuple[str, str, str]]:
    return [(OWN, partner, "pass"), (partner, OWN, verdict)]


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ([*both("freebsd"), *both("openbsd")], None),
        ([*both("freebsd"), *both("openbsd", "hazard")], None),
        ([*both("freebsd"), *both("openbsd"), *both("twin", "fail")], None),
        ([*both("freebsd"), *both("openbsd", "fail")], r"with openbsd did not pass: s \(fail\)"),
        ([*both("freebsd"), *both("openbsd", "fail"), *both("openbsd")], r"with openbsd did not pass: s \(fail\)"),
        ([*both("freebsd"), *both("openbsd", "surprise")], r"s \(surprise\)"),
        ([*both("freebsd"), *both("openbsd", "inconclusive")], r"s \(inconclusive\)"),
        ([*both("freebsd"), (OWN, "openbsd", "pass")], "with openbsd, in one order or both, was not run: s"),
        ([*both("freebsd"), (OWN, "openbsd", "not_applicable"), ("openbsd", OWN, "not_applicable")], "of 1 other origins, not 2"),
        ([*both("freebsd"), *both("sim")], "of 1 other origins"),
        ([*both("freebsd"), *both("twin")], "of 1 other origins"),
        ([*both("freebsd"), *both("model:freebsd")], "of 1 other origins"),
        ([*both("freebsd"), *both("somebody")], "of 1 other origins"),
        ([*both("freebsd"), ("freebsd", "openbsd", "pass")], "of 1 other origins"),
        ([], "of 0 other origins"),
    ],
)  # fmt: skip
def test_two_real_partners_of_other_origin_are_needed_in_every_scenario(material, cells, told):
    found = broken(material(interop=matrix(*cells))).get("R13")
    if told is None:
        assert found is None
    else:
        assert found is not None
        assert re.search(told, "; ".join(found))


def test_scenario_that_was_left_out_bars_the_claim(material):
    met = matrix(*both("freebsd"), *both("openbsd"))
    met["scenarios"].append("kill")
    assert len(broken(material(interop=met))["R13"]) == 3


def test_model_of_the_suite_is_no_product_on_any_rung(material, run_document):
    run_document["target"]["rung"] = "netns"
    assert broken(material(run_document))["R12"] == ("model:ucarp is a model of this suite",)
    run_document["target"]["name"] = "balancer"
    assert "R12" not in broken(material(run_document))


def test_claim_is_made_when_every_rule_is_kept():
    kept = [rules.Ruling(rule, ()) for rule in RULES]
    assert claims(kept) is True


def test_ids_are_unique_and_both_kinds_are_there():
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert {rule.bars for rule in RULES} == set(Bars)


def test_page_of_the_docs_is_the_table_of_the_code():
    assert PAGE.read_text(encoding="utf-8") == rules.markdown()
