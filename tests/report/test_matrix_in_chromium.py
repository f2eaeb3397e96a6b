"""The matrix site in a real browser, opened from disk."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from conformance.interop.matrix import matrix
from conformance.interop.order import MatrixOrder
from conformance.report.site import build

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NAMES = ("model:openbsd", "model:ucarp")
HOSTILE = "</script></style><img src=http://192.0.2.1/x onerror='window.ran=1'>\u202e"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail(
                "No Chromium is installed, and on CI the site has to be seen in one; install chromium."
            )
        pytest.skip("No Chromium is installed, so the site cannot be seen in a browser; install chromium.")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small real matrix, in which somebody hostile named a machine."""
    folder = tmp_path_factory.mktemp("matrix")
    document = matrix(
        MatrixOrder(NAMES, ("join", "kill", "healed")), folder / "night", lanes=1, machine={"kernel": HOSTILE}
    )
    document["cells"][0]["reason"] = HOSTILE
    (folder / "night/results.json").write_text(json.dumps(document))
    build([folder / "night"], folder / "site")
    return folder / "site"


@pytest.fixture
def seen(browser: Browser, site: Path) -> Iterator[tuple[Page, list[str]]]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda request: complaints.append(request.url) if not request.url.startswith("file:") else None,
    )
    page.goto((site / "index.html").as_uri())
    yield page, complaints
    context.close()


def test_it_opens_without_a_complaint_or_a_request(seen: tuple[Page, list[str]]) -> None:
    page, complaints = seen
    expect(page.get_by_role("heading", level=1)).to_have_text("Interoperability matrix")
    expect(page.locator(".marks a")).to_have_count(12)
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    assert complaints == []
    assert page.evaluate("window.ran") is None


def test_the_scenario_filters_and_makes_a_deep_link(seen: tuple[Page, list[str]]) -> None:
    page, complaints = seen
    page.get_by_role("combobox", name="Scenario").select_option("healed")
    expect(page.locator(".marks a:visible")).to_have_count(4)
    expect(page.locator(".pair-counts:visible")).to_have_count(0)
    assert page.evaluate("location.hash") == "#scenario=healed"
    page.reload()
    expect(page.locator(".marks a:visible")).to_have_count(4)
    expect(page.locator("#told-of")).to_contain_text("A and B were both MASTER while parted")
    page.get_by_role("combobox", name="Scenario").select_option("")
    expect(page.locator(".marks a:visible")).to_have_count(12)
    assert complaints == []


def test_one_click_leads_to_the_evidence(seen: tuple[Page, list[str]]) -> None:
    page, complaints = seen
    page.goto(page.url + "#scenario=healed")
    page.locator('td:has(ul[aria-label="model:openbsd with model:ucarp"]) .marks a:visible').click()
    expect(page.get_by_role("heading", level=1)).to_have_text("model:openbsd × model:ucarp")
    expect(page.locator(".verdict")).to_contain_text("known hazard")
    expect(page.get_by_role("img", name="Time line of the case")).to_be_visible()
    expect(page.get_by_role("link", name="Capture of this night")).to_be_visible()
    page.get_by_role("link", name="Interoperability matrix").click()
    assert page.evaluate("location.hash") == "#scenario=healed"
    assert complaints == []


def test_it_reads_without_scripts_and_on_a_telephone(browser: Browser, site: Path) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 800})
    page = context.new_page()
    for name in ("index.html", *(f"cells/{path.name}" for path in sorted((site / "cells").iterdir())[:2])):
        page.goto((site / name).as_uri())
        expect(page.get_by_role("main")).to_be_visible()
        box = page.locator("body").bounding_box()
        assert box is not None and box["width"] <= 360
    context.close()
