"""The page in a real browser, opened from disk: filters, links, keyboard, themes, print, and hostile text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from conformance.catalogue import Catalogue
from conformance.report.html import html

HOSTILE = (
    "</script></style></svg></title><script>window.ran = 1</script><img src='http://192.0.2.1/x' onerror='window.ran = 1'>"
    "\"'><svg onload='window.ran = 1'>\x00\x1b[31m\u202etxt.exe"
)
FAILED_CASE = "case:AUTH-003.stream_0_is_dropped%5Bbetter-0%5D"


@dataclass(slots=True)
class Watched:
    """A page with everything that the browser complained about or asked for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def visible_ids(self) -> list[str]:
        shown: list[str] = self.page.eval_on_selector_all(
            "details.case > summary .id",
            "all => all.filter(one => one.checkVisibility()).map(one => one.textContent)",
        )
        return shown

    def fragment(self) -> str:
        found: str = self.page.evaluate("location.hash")
        return found


Opener = Callable[..., Watched]


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path, catalogue: Catalogue) -> Iterator[Opener]:
    contexts: list[BrowserContext] = []

    def opened(document: dict[str, Any], fragment: str = "", **options: Any) -> Watched:
        file = tmp_path / "index.html"
        file.write_text(html(document, catalogue), encoding="utf-8")
        contexts.append(browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options)))
        watched = Watched(contexts[-1].new_page())
        watched.page.on("console", lambda message: watched.complaints.append(message.text))
        watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
        watched.page.on("request", lambda request: watched.requests.append(request.url))
        watched.page.goto(file.as_uri() + fragment)
        return watched

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def seen(open_page: Opener, document: dict[str, Any]) -> Watched:
    return open_page(document)


class TestOpening:
    def test_it_opens_from_disk_without_a_complaint_or_a_request(self, seen: Watched) -> None:
        seen.page.get_by_role("button", name="Expand all").click()
        assert seen.complaints == []
        assert [url for url in seen.requests if not url.startswith("file:")] == []
        assert len(seen.requests) == 1

    def test_it_reads_without_scripts(self, open_page: Opener, document: dict[str, Any]) -> None:
        seen = open_page(document, java_script_enabled=False)
        expect(seen.page.locator("#filters")).to_be_hidden()
        expect(seen.page.locator("details.case > summary")).to_have_count(66)

    def test_landmarks_and_headings_are_there(self, seen: Watched) -> None:
        for role in ("banner", "main", "contentinfo", "search"):
            expect(seen.page.get_by_role(role)).to_have_count(1)  # type: ignore[arg-type]
        expect(seen.page.get_by_role("heading", level=1)).to_have_text("ucarp 1.5.2")
        expect(seen.page.get_by_role("status").first).to_have_text("66 of 66 cases")

    def test_nothing_is_wider_than_a_telephone(self, open_page: Opener, document: dict[str, Any]) -> None:
        seen = open_page(document, viewport={"width": 360, "height": 800})
        seen.page.get_by_role("button", name="Expand all").click()
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= 360


class TestFilters:
    def test_a_verdict_changes_the_rows_the_counts_and_the_fragment(self, seen: Watched) -> None:
        seen.page.get_by_role("checkbox", name="fail").check()
        assert seen.visible_ids() == [
            "AUTH-003.stream_0_is_dropped[better-0]",
            "RX-005.stream_0_is_dropped[better-0]",
        ]
        expect(seen.page.locator("#count")).to_have_text("2 of 66 cases")
        assert seen.fragment() == "#verdict=fail"
        expect(seen.page.locator("section.group[data-group=AUTH] .shown")).to_have_text("1 of 11 cases")
        expect(seen.page.locator("section.group[data-group=WIRE]")).to_be_hidden()

    def test_filters_narrow_each_other_and_the_counts_follow(self, seen: Watched) -> None:
        seen.page.get_by_role("combobox", name="Group").select_option("AUTH")
        expect(seen.page.locator("#count")).to_have_text("11 of 66 cases")
        expect(seen.page.locator("[data-count=pass]")).to_have_text("9")
        seen.page.get_by_role("combobox", name="Level").select_option("SHOULD")
        assert seen.visible_ids() == [
            f"AUTH-{number:03}.stream_0_is_dropped[better-0]" for number in (2, 6, 10)
        ]
        seen.page.get_by_role("checkbox", name="pass").check()
        seen.page.get_by_role("searchbox").fill("auth-006")
        assert seen.visible_ids() == ["AUTH-006.stream_0_is_dropped[better-0]"]
        assert seen.fragment() == "#verdict=pass&group=AUTH&level=SHOULD&q=auth-006"

    def test_text_finds_reasons_and_requirements_all_words_of_it(self, seen: Watched) -> None:
        seen.page.get_by_role("searchbox").fill("RIG late CARP-TIMER-002")
        assert seen.visible_ids() == ["TIMER-002.stream_0_is_dropped[better-0]"]

    def test_nothing_found_is_said_and_can_be_cleared(self, seen: Watched) -> None:
        seen.page.get_by_role("searchbox").fill("no such thing")
        expect(seen.page.get_by_text("No case matches these filters.")).to_be_visible()
        expect(seen.page.locator("#count")).to_have_text("0 of 66 cases")
        seen.page.get_by_role("button", name="Clear filters").click()
        expect(seen.page.locator("#count")).to_have_text("66 of 66 cases")
        assert seen.fragment() == ""

    def test_the_fragment_restores_the_filters(self, open_page: Opener, document: dict[str, Any]) -> None:
        seen = open_page(document, "#verdict=fail,known_deviation&group=AUTH&level=MAY&q=stream+dropped")
        assert seen.visible_ids() == [f"AUTH-{number:03}.stream_0_is_dropped[better-0]" for number in (3, 7)]
        expect(seen.page.get_by_role("checkbox", name="known deviation")).to_be_checked()
        expect(seen.page.get_by_role("combobox", name="Group")).to_have_value("AUTH")
        expect(seen.page.get_by_role("searchbox")).to_have_value("stream dropped")

    def test_a_fragment_that_names_nothing_hides_nothing(
        self, open_page: Opener, document: dict[str, Any]
    ) -> None:
        seen = open_page(document, "#verdict=nonsense&group=%22%3E&level=%00")
        expect(seen.page.locator("#count")).to_have_text("66 of 66 cases")
        expect(seen.page.get_by_role("combobox", name="Group")).to_have_value("")
        assert seen.complaints == []

    def test_the_counts_of_the_header_and_of_the_groups_are_filters(self, seen: Watched) -> None:
        seen.page.locator(".counts").get_by_role("link", name="known deviation").click()
        expect(seen.page.locator("#count")).to_have_text("5 of 66 cases")
        seen.page.get_by_role("link", name="1 fail in RX").click()
        expect(seen.page.locator("#count")).to_have_text("1 of 66 cases")

    def test_a_link_to_a_case_opens_it(self, open_page: Opener, document: dict[str, Any]) -> None:
        seen = open_page(document, f"#{FAILED_CASE}")
        row = seen.page.locator(f'[id="{FAILED_CASE}"]')
        expect(row.locator(".reason")).to_be_in_viewport()
        expect(row.locator("summary").first).to_be_focused()
        assert seen.page.locator("details.case[open]").count() == 1

    def test_a_link_to_a_hidden_case_clears_the_filters(
        self, open_page: Opener, document: dict[str, Any]
    ) -> None:
        seen = open_page(document, "#group=WIRE")
        seen.page.locator(".problems a").first.click()
        expect(seen.page.locator(f'[id="{FAILED_CASE}"] .reason')).to_be_in_viewport()
        expect(seen.page.locator("#count")).to_have_text("66 of 66 cases")

    def test_all_shown_cases_expand_and_collapse(self, seen: Watched) -> None:
        seen.page.get_by_role("combobox", name="Group").select_option("RX")
        seen.page.get_by_role("button", name="Expand all").click()
        assert seen.page.locator("details.case[open]").count() == 11
        seen.page.get_by_role("button", name="Collapse all").click()
        assert seen.page.locator("details.case[open]").count() == 0


class TestUse:
    def test_a_case_opens_by_keyboard(self, seen: Watched) -> None:
        summary = seen.page.locator("details.case > summary").nth(1)
        summary.focus()
        seen.page.keyboard.press("Enter")
        expect(seen.page.locator("details.case").nth(1).locator("svg.tl")).to_be_visible()
        seen.page.keyboard.press("Space")
        expect(seen.page.locator("details.case").nth(1).locator("svg.tl")).to_be_hidden()

    def test_the_first_tab_offers_the_way_to_the_cases(self, seen: Watched) -> None:
        seen.page.keyboard.press("Tab")
        expect(seen.page.get_by_role("link", name="Skip to the cases")).to_be_focused()
        expect(seen.page.get_by_role("link", name="Skip to the cases")).to_be_in_viewport()
        seen.page.keyboard.press("Enter")
        expect(seen.page.get_by_role("heading", name="Cases", exact=True)).to_be_in_viewport()

    def test_a_verdict_is_toggled_by_keyboard(self, seen: Watched) -> None:
        seen.page.get_by_role("checkbox", name="error").focus()
        seen.page.keyboard.press("Space")
        expect(seen.page.locator("#count")).to_have_text("1 of 66 cases")

    def test_the_drawing_has_a_name_and_a_description(
        self, open_page: Opener, document: dict[str, Any]
    ) -> None:
        row = open_page(document, f"#{FAILED_CASE}").page.locator(f'[id="{FAILED_CASE}"]')
        expect(row.get_by_role("img", name="Time line of the case Lanes: tester, a.")).to_be_visible()

    def test_the_command_is_copied(self, open_page: Opener, document: dict[str, Any]) -> None:
        seen = open_page(document, f"#{FAILED_CASE}", permissions=["clipboard-read", "clipboard-write"])
        seen.page.get_by_role("button", name="Copy the command for AUTH-003").click()
        expect(seen.page.locator("#said")).to_have_text("Copied.")
        copied = seen.page.evaluate("navigator.clipboard.readText()")
        assert copied == "carp-conformance run --target ucarp 'AUTH-003.stream_0_is_dropped[better-0]'"

    def test_where_the_clipboard_is_closed_the_command_is_copied_by_selection(
        self, open_page: Opener, document: dict[str, Any]
    ) -> None:
        seen = open_page(document, f"#{FAILED_CASE}")
        seen.page.evaluate(
            "() => { navigator.clipboard.writeText = () => Promise.reject(new Error('closed')); }"
        )
        seen.page.get_by_role("button", name="Copy the command for AUTH-003").click()
        expect(seen.page.locator("#said")).to_have_text("Copied.")
        selected = seen.page.evaluate("getSelection().toString()")
        assert selected.startswith("carp-conformance run --target ucarp 'AUTH-003")


CONTRAST = """(names) => {
  const style = getComputedStyle(document.documentElement);
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const light = (name) => {
    canvas.fillStyle = style.getPropertyValue(name).trim();
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)
      .map((part) => part / 255).map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return names.map(([ink, paper]) => {
    const pair = [light(ink), light(paper)].sort((a, b) => b - a);
    return [ink, paper, (pair[0] + 0.05) / (pair[1] + 0.05)];
  });
}"""


class TestLook:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_every_ink_is_readable_on_every_paper(
        self, open_page: Opener, document: dict[str, Any], scheme: str
    ) -> None:
        seen = open_page(document, color_scheme=scheme)
        inks = (
            "ink",
            "muted",
            "link",
            "pass",
            "fail",
            "inconclusive",
            "not_applicable",
            "known_deviation",
            "error",
            "not_covered",
        )
        pairs = [[f"--{ink}", f"--{paper}"] for ink in inks for paper in ("paper", "soft")]
        pairs += [["--band-ink", f"--{band}"] for band in ("master", "backup", "init")] + [
            ["--ink", "--shade"]
        ]
        measured = seen.page.evaluate(CONTRAST, pairs)
        assert [one for one in measured if one[2] < 4.5] == []

    def test_it_is_dark_where_the_reader_wants_it(self, open_page: Opener, document: dict[str, Any]) -> None:
        grounds = {
            scheme: open_page(document, color_scheme=scheme).page.evaluate(
                "getComputedStyle(document.body).backgroundColor"
            )
            for scheme in ("light", "dark")
        }
        assert grounds == {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 21, 26)"}

    def test_print_has_no_controls_a_legend_and_light_paper(
        self, open_page: Opener, document: dict[str, Any]
    ) -> None:
        seen = open_page(document, "#verdict=fail", color_scheme="dark")
        seen.page.emulate_media(media="print")
        for control in ("#expand", ".chips", ".fields", ".copy >> nth=0"):
            expect(seen.page.locator(control)).to_be_hidden()
        expect(seen.page.locator("#count")).to_be_visible()
        seen.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        expect(seen.page.locator("#legend dl")).to_be_visible()
        assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        seen.page.evaluate("dispatchEvent(new Event('afterprint'))")
        expect(seen.page.locator("#legend dl")).to_be_hidden()

    def test_the_printed_page_is_a_document(self, seen: Watched) -> None:
        assert seen.page.pdf().startswith(b"%PDF")


class TestHostileText:
    def test_it_runs_nothing_asks_for_nothing_and_breaks_nothing(
        self, open_page: Opener, case: Any, timeline: Any, document_of: Any
    ) -> None:
        line = timeline()
        for event in line["events"]:
            event |= {key: HOSTILE for key in ("node", "summary", "state") if key in event}
            event["fields"] = [[HOSTILE, HOSTILE]]
        line["nodes"], line["windows"][0]["summary"] = [HOSTILE], HOSTILE
        texts = (
            "id",
            "group",
            "title",
            "reason",
            "actual",
            "detail",
            "reproduce",
            "source",
            "nodeid",
            "evidence",
        )
        bad = case(verdict="fail", expected=[HOSTILE], timeline=line) | dict.fromkeys(texts, HOSTILE)
        document = document_of([bad, case("RX-001.good")], notes=[HOSTILE])
        document["target"] |= {"name": HOSTILE, "version": HOSTILE, "pics": {HOSTILE: HOSTILE}}
        seen = open_page(document)
        seen.page.get_by_role("button", name="Expand all").click()
        seen.page.get_by_role("combobox", name="Group").select_option(index=1)
        assert seen.page.evaluate("window.ran") is None
        assert seen.complaints == []
        assert len(seen.requests) == 1
        expect(seen.page.locator("details.case")).to_have_count(2)
        expect(seen.page.locator("footer")).to_be_visible()
        assert "\\x1b[31m\\u202etxt.exe" in seen.page.locator("h1").inner_text()
