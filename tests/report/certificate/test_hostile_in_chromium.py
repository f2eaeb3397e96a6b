"""The pages of a bundle and of a comparison in a real browser, with hostile text in every place that takes text: nothing runs, nothing is fetched, nothing is hidden."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from conformance.report.certificate import diff, pics
from conformance.report.certificate.certificate import certificate
from conformance.report.certificate.page import certificate_page, pdf
from conformance.targets.protocol import CAPABILITIES

HOSTILE = (
    "</script></style></svg></title></table><script>window.ran = 1</script><img src='http://192.0.2.1/x' onerror='window.ran = 1'>"
    "\"'><svg onload='window.ran = 1'><a href='javascript:window.ran=1'>x</a>{{ 7 * 7 }}\x00\x1b[31m\u202etxt.exe"
)
STRUCTURE = {"verdict", "level", "id", "change", "before", "after", "started", "ended", "issued", "bars"}


def spoiled(value: Any, key: str = "") -> Any:
    """Every text in ``value`` that a device or a vendor could have chosen, hostile."""
    if isinstance(value, str):
        return value if key in STRUCTURE else HOSTILE
    if isinstance(value, dict):
        return {name: spoiled(one, name) for name, one in value.items()}
    return [spoiled(one, key) for one in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def declared() -> dict[str, Any]:
    product = {"name": HOSTILE, "vendor": HOSTILE, "version": HOSTILE}
    claims = {"target": HOSTILE, "product": product, "capabilities": {}, "notes": {"ipv6": HOSTILE}}
    return pics.pics(claims, CAPABILITIES, HOSTILE, {"ipv6": pics.Probe(has=True, evidence=HOSTILE)})


@pytest.fixture
def pages(material: Any, run_document: dict[str, Any], declared: dict[str, Any]) -> dict[str, str]:
    met = {
        "partners": [{"name": "p", "origin": "o", "rung": "lab"}],
        "scenarios": ["s"],
        "cells": [{"a": "p", "b": run_document["target"]["name"], "scenario": "s", "verdict": "hazard", "hazards": ["h"]}],
    }  # fmt: skip
    stated = certificate(material(interop=met), "sha256:0")
    other = copy.deepcopy(run_document)
    other["cases"][0] |= {"verdict": "fail", "reason": HOSTILE, "id": HOSTILE}
    other["target"] |= {"name": HOSTILE, "version": HOSTILE}
    side = diff.Side(HOSTILE, run_document, {"machine": {"kernel": "1", HOSTILE: HOSTILE}})
    return {
        "certificate": certificate_page(spoiled(stated)),
        "diff": diff.html(diff.diff(side, diff.Side("b", other, {"machine": {"kernel": HOSTILE}}))),
        "pics": pics.form(declared),
    }


@pytest.mark.parametrize("name", ["certificate", "diff", "pics"])
def test_it_runs_nothing_fetches_nothing_and_hides_nothing(
    browser: Browser, pages: dict[str, str], name: str, tmp_path: Path
) -> None:
    file = tmp_path / f"{name}.html"
    file.write_text(pages[name], encoding="utf-8")
    context = browser.new_context()
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request", lambda request: complaints.append(request.url) if request.url != file.as_uri() else None
    )
    page.goto(file.as_uri())
    assert page.evaluate("window.ran") is None
    assert page.evaluate("document.querySelectorAll('img, script, svg, a, iframe').length") == 0
    assert complaints == []
    shown = page.locator("body").inner_text()
    assert "{{ 7 * 7 }}\\x00\\x1b[31m\\u202etxt.exe" in shown
    assert "\u202e" not in page.content()
    context.close()


def test_the_pdf_fetches_nothing_and_holds_no_script(pages: dict[str, str]) -> None:
    made = pdf(pages["certificate"])
    assert made.startswith(b"%PDF")
    for dangerous in (b"/JavaScript", b"/JS", b"/Launch", b"/URI", b"/EmbeddedFile"):
        assert dangerous not in made
