"""PICS: a declaration in TOML is read and written, and held against what probing found."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.report.certificate import documents, pics
from conformance.report.certificate.pics import BadDeclaration, Probe

WORDS = {"ipv6": "advertises over IPv6", "log": 'log lines can be "read"', "kill": "can be ended"}
DECLARED = """
schema = 1
target = "ucarp"
[product]
name = "Balancer"
vendor = "Muster & Söhne"
version = "7"
[capabilities]
ipv6 = true
log = true
[notes]
ipv6 = "since 7"
"""


def made(**probes: Probe) -> dict[str, Any]:
    document = pics.pics(pics.load(DECLARED, "p.toml", WORDS), WORDS, "ucarp", probes)
    documents.validate(document, "pics")
    return document


def test_declaration_is_read_and_what_it_leaves_out_is_denied():
    assert [(row["name"], row["claimed"]) for row in made()["capabilities"]] == [
        ("ipv6", True),
        ("log", True),
        ("kill", False),
    ]


def test_claim_that_probing_contradicts_is_a_finding():
    document = made(ipv6=Probe(False, "it was refused"), log=Probe(True, "seen"), kill=Probe(True, "gone"))
    assert pics.findings(document) == [
        "ipv6: the declaration claims it, probing found no (it was refused)",
        "kill: the declaration denies it, probing found yes (gone)",
    ]


def test_what_was_not_probed_is_no_finding():
    assert pics.findings(made()) == []


def test_draft_can_be_read_again():
    document = made(ipv6=Probe(False, "said: \x1b[2J\nend"))
    again = pics.load(pics.toml(document), "draft", WORDS)
    assert again["capabilities"] == {"ipv6": True, "log": True, "kill": False}
    assert again["product"]["vendor"] == "Muster & Söhne"
    assert again["notes"] == {"ipv6": "since 7"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("schema = 1", "schema = 2", "schema"),
        ("log = true", 'log = "yes"', "log"),
        ("log = true", "logg = true", "no capability 'logg'"),
        ("schema = 1", "schema", "Expected"),
        ("[notes]", "[nodes]", "nodes"),
    ],
)
def test_bad_declaration_is_refused_with_the_place(old, new, said):
    with pytest.raises(BadDeclaration, match=said):
        pics.load(DECLARED.replace(old, new, 1), "p.toml", WORDS)


def test_form_can_be_printed_and_has_boxes_a_place_to_sign_and_contradictions():
    page = pics.form(made(ipv6=Probe(False, "<b>refused</b>")))
    assert page.count('class="box"') == 6
    assert "Signature" in page
    assert "&lt;b&gt;refused" in page
