"""Every page that the suite writes, in a real browser, by the rules of WCAG 2.2 A and AA as axe-core checks them: contrast included, light and dark, screen and paper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from conformance.catalogue import load
from conformance.cli import main
from conformance.judge.judge import html as judge_page
from conformance.judge.judge import judge
from conformance.report.certificate import diff, pics
from conformance.report.certificate.certificate import certificate
from conformance.report.certificate.material import Material, Product
from conformance.report.certificate.page import certificate_page
from conformance.report.html import html
from conformance.report.results import summarise
from conformance.report.site import build
from conformance.targets.protocol import CAPABILITIES
from tests.judge.making import FIXTURES, PASSWORDS

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def few(document: dict[str, Any]) -> dict[str, Any]:
    """The run with two cases of each verdict: what differs on a page differs by verdict."""
    kept: list[dict[str, Any]] = []
    for case in document["cases"]:
        if sum(one["verdict"] == case["verdict"] for one in kept) < 2:
            kept.append(case)
    return document | {"cases": kept, "summary": summarise(kept)}


def certified(document: dict[str, Any], *, claims: bool) -> dict[str, Any]:
    """The certificate of a run over the shipped catalogue, as the rules allow it or as if they allowed a claim."""
    known = load()
    bare = [case | {"evidence": None, "frames": [], "requirements": []} for case in document["cases"]]
    run = document | {
        "cases": bare,
        "suite": document["suite"] | {"catalogue": known.digest()},
        "target": document["target"] | {"pics": {"ipv6": True}},
        "requirements": [
            {"id": one.id, "level": one.level.value, "verdict": verdict, "cases": []}
            for one, verdict in zip(known, ("pass", "not_covered", "known_deviation", "not_applicable") * 200, strict=False)
        ],
    }  # fmt: skip
    declared = {
        "product": {"name": "Balancer", "vendor": "Muster", "version": "7.1"},
        "target": "ucarp",
        "capabilities": {"ipv6": True},
    }
    made = certificate(
        Material(
            product=Product("Balancer", "Muster", "7.1"), document=run, captures={}, catalogue=known, interop=None, issued="2026-11-22T18:00:00Z",
            environment={"machine": {"kernel": "6.1", "architecture": "amd64", "cores": 2}}, pics=pics.pics(declared, CAPABILITIES, "ucarp", {}),
        ),
        "sha256:" + "c0de" * 16,
    )  # fmt: skip
    if claims:
        made["claims_conformance"] = True
        for rule in made["rules"]["applied"]:
            rule["breaches"] = []
    return made


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, run_of: Any) -> dict[str, Path]:
    """Each kind of page, written to disk."""
    folder = tmp_path_factory.mktemp("pages")
    failing, passing = few(run_of()), few(run_of(failing=False))
    declared = {
        "target": "ucarp",
        "product": {"name": "Balancer", "vendor": "Muster", "version": "7.1"},
        "capabilities": {"ipv6": True},
    }
    probes = {"ipv6": pics.Probe(has=False, evidence="no advertisement to ff02::12")}
    texts = {
        "run": html(failing),
        "certificate-claiming": certificate_page(certified(passing, claims=True)),
        "certificate-stating": certificate_page(certified(passing, claims=False)),
        "diff": diff.html(diff.diff(diff.Side("a", passing, None), diff.Side("b", failing, None))),
        "same": diff.html(diff.diff(diff.Side("a", failing, None), diff.Side("b", failing, None))),
        "pics": pics.form(pics.pics(declared, CAPABILITIES, "ucarp", probes)),
        "judge": judge_page(judge([FIXTURES / "freebsd-9.3" / "n1-allow0-pair.pcap"], passwords=PASSWORDS)),
    }
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    names = ["--targets", "model:openbsd,model:ucarp", "--scenarios", "join,healed"]
    main(["matrix", *names, "--lanes", "1", "--out", str(folder / "night"), "--json"])
    build([folder / "night"], folder / "site")
    cell = min((folder / "site/cells").glob("*.html"))
    return {name: folder / f"{name}.html" for name in texts} | {
        "matrix": folder / "site/index.html",
        "matrix-cell": cell,
    }


NAMES = ("run", "certificate-claiming", "certificate-stating", "diff", "same", "pics", "judge", "matrix", "matrix-cell")  # fmt: skip


@pytest.mark.parametrize(
    ("scheme", "media"), [("light", "screen"), ("dark", "screen"), ("dark", "print")], ids=str
)
@pytest.mark.parametrize("name", NAMES)
def test_no_rule_is_broken(
    browser: Browser, pages: dict[str, Path], name: str, scheme: Any, media: Any
) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(pages[name].as_uri())
    page.emulate_media(media=media)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    # Nobody taps paper.
    found = Axe().run(
        page,
        options=RULES
        | {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": media == "screen"}}},
    )
    told = [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary']}"
        for one in found.response["violations"]
        for node in one["nodes"][:3]
    ]
    context.close()
    assert told == []
    assert found.response["passes"]


Reached = Callable[[str], list[str]]


@pytest.mark.parametrize("name", NAMES)
def test_everything_that_can_be_used_is_reached_by_keyboard_and_shows_it(
    browser: Browser, pages: dict[str, Path], name: str
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(pages[name].as_uri())
    page.evaluate("for (const one of document.querySelectorAll('details.case')) one.remove()")
    wanted: int = page.evaluate(
        """() => [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")]
             .filter((one) => one.checkVisibility() && !one.disabled).length"""
    )
    outlines = set()
    for _ in range(wanted + 2):
        page.keyboard.press("Tab")
        shown = page.evaluate(
            """() => {
              const one = document.activeElement;
              if (one === document.body) return "nothing";
              const marks = [one, one.nextElementSibling].filter(Boolean).map((element) => getComputedStyle(element));
              return marks.some((style) => style.outlineStyle !== "none" && style.outlineWidth !== "0px") ? "outlined" : one.outerHTML;
            }"""
        )
        outlines.add(shown)
    context.close()
    assert outlines <= {"outlined", "nothing"}
    assert wanted == 0 or "outlined" in outlines
