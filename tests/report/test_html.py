"""The page says what the document says, keeps everything inside itself, and survives hostile text."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
import time
from typing import Any

import pytest
from lxml import html as parser

from conformance.catalogue import Catalogue
from conformance.report import html as page_module
from conformance.report import invariants, schema
from conformance.report.html import html

HOSTILE = "</script></style></svg><script>alert(1)</script><img src=x onerror=alert(1)>\"'&{{ 7*7 }}\x00\x1b[31m\u202etxt.exe\udc80"


@pytest.fixture
def page(document: dict[str, Any], catalogue: Catalogue) -> Any:
    return parser.fromstring(html(document, catalogue))


def text(element: Any) -> str:
    return " ".join(element.text_content().split())


def one(element: Any, css: str) -> Any:
    (found,) = element.cssselect(css)
    return found


class TestHeader:
    def test_the_target_the_verdict_and_the_counts_are_said(self, page: Any) -> None:
        assert text(one(page, "h1")) == "ucarp 1.5.2"
        assert text(one(page, ".verdict")) == "Does not conform. 2 of 66 cases failed."
        assert [text(item) for item in page.cssselect(".counts li")] == [
            "46 pass", "2 fail", "1 inconclusive", "11 not applicable", "5 known deviation", "1 error",
        ]  # fmt: skip
        assert page.findtext(".//title") == "ucarp 1.5.2: does not conform · CARP conformance report"

    def test_the_bar_is_as_wide_as_the_counts(self, page: Any) -> None:
        widths = [float(rect.get("width")) for rect in page.cssselect(".bar rect")]
        assert sum(widths) == pytest.approx(100, abs=0.01)
        assert widths[0] == pytest.approx(100 * 46 / 66, abs=0.01)

    def test_the_facts_of_the_run_are_said(self, page: Any) -> None:
        facts = {text(fact.find("dt")): text(fact.find("dd")) for fact in page.cssselect(".facts > div")}
        assert facts["Dialect"] == "ucarp"
        assert facts["Rung"] == "netns"
        assert facts["Suite"] == "carp-conformance 0.1.0 3f2c1ab90d"
        assert facts["Requirements"] == "66 of 72 covered by the cases of this run"
        assert facts["Started"] == "2026-11-22 16:00:00 UTC"
        assert facts["Ended"] == "2026-11-22 16:00:52 UTC"
        assert facts["Duration"].startswith("52.1 s, 4 min 57 s of cases on 24 lanes")
        assert facts["Rig"] == "at most 3.1 ms late (p99 0.4 ms), 0 frames dropped"

    def test_the_declaration_and_the_command_are_said(self, page: Any) -> None:
        declared = text(one(page, "header .more"))
        assert "carp-conformance run --target ucarp with seed 7" in declared
        assert "ipv6no" in declared
        assert "advbase_range1, 255" in declared

    def test_what_is_not_known_is_said_to_be_so(
        self, case: Any, document_of: Any, catalogue: Catalogue
    ) -> None:
        document = document_of(
            [case()], ended=None, duration_s=None, seed=None, lanes=1, notes=["It was interrupted."]
        )
        document["target"] |= {"version": None, "pics": {}}
        document["suite"]["commit"] = None
        document["rig"] = dict.fromkeys(document["rig"])
        page = parser.fromstring(html(document, catalogue))
        assert text(one(page, ".note")) == "Note. It was interrupted."
        assert "Ended interrupted" in text(one(page, ".facts")).replace(
            "Endedinterrupted", "Ended interrupted"
        )
        assert "on 1 lane" in text(one(page, ".facts"))
        assert "not measured" in text(one(page, ".facts"))
        assert "It declares nothing." in text(one(page, "header .more"))
        assert text(one(page, "h1")) == "ucarp"

    def test_what_did_not_pass_comes_first_and_is_linked(self, page: Any) -> None:
        problems = page.cssselect(".problems li")
        assert [text(problem).split()[0] for problem in problems] == ["fail", "fail", "error", "inconclusive"]
        ids = {element.get("id") for element in page.cssselect("details.case")}
        assert {problem.find("a").get("href").removeprefix("#") for problem in problems} <= ids

    def test_only_some_of_many_problems_are_repeated(
        self, case: Any, document_of: Any, catalogue: Catalogue
    ) -> None:
        document = document_of([case(f"AUTH-001.v{number}", "fail") for number in range(25)])
        page = parser.fromstring(html(document, catalogue))
        assert len(page.cssselect(".problems li")) == 20
        assert "5 more are below." in text(one(page, ".problems"))

    def test_a_clean_run_has_no_such_list(self, run_of: Any, catalogue: Catalogue) -> None:
        page = parser.fromstring(html(run_of(failing=False), catalogue))
        assert not page.cssselect(".problems")
        assert text(one(page, ".verdict")).startswith(
            "Conforms. 50 of 66 cases passed, none failed; 5 deviate"
        )

    def test_the_legend_defines_each_verdict_and_the_exit_rule(self, page: Any) -> None:
        legend = one(page, "#legend")
        assert len(legend.cssselect("dt")) == 7
        assert "exit status 0" in text(legend)


class TestGroups:
    def test_each_group_is_a_row_with_its_counts(self, page: Any) -> None:
        rows = [[text(cell) for cell in row] for row in page.cssselect("table.groups tbody tr")]
        assert [row[0] for row in rows][:2] == ["WIRE Frames on the wire", "AUTH Authentication"]
        assert rows[1][1:] == [
            "11", "9 pass in AUTH", "1 fail in AUTH", "0", "0", "1 known deviation in AUTH", "0",
        ]  # fmt: skip
        assert [text(cell) for cell in one(page, "table.groups tfoot tr")] == [
            "All",
            "66",
            "46",
            "2",
            "1",
            "11",
            "5",
            "1",
        ]

    def test_a_group_that_the_catalogue_does_not_know_comes_last(
        self, case: Any, document_of: Any, catalogue: Catalogue
    ) -> None:
        document = document_of([case(group="ZOO"), case("RX-001.a")])
        page = parser.fromstring(html(document, catalogue))
        assert [section.get("data-group") for section in page.cssselect("section.group")] == ["RX", "ZOO"]


class TestCase:
    def first(self, document: dict[str, Any], catalogue: Catalogue) -> Any:
        schema.validate(document, "results")
        return parser.fromstring(html(document, catalogue)).cssselect("details.case")[0]

    def test_a_row_has_mark_word_id_title_and_duration(self, page: Any) -> None:
        row = one(page, "details.case[data-verdict=error]")
        summary = row.find("summary")
        assert text(one(summary, ".vw")) == "error"
        assert text(one(summary, ".id")) == "ELECT-004.stream_0_is_dropped[better-0]"
        assert text(one(summary, ".title")).endswith(".")
        assert text(one(summary, ".dur")).endswith(" s")
        assert summary.cssselect("use")[0].get("href") == "#m-error"
        assert page.cssselect("symbol#m-error")

    def test_the_requirement_has_text_level_notes_and_sources(
        self, case: Any, document_of: Any, requirement: Any, catalogue_of: Any
    ) -> None:
        known = catalogue_of(
            [requirement("CARP-AUTH-001", text="The clause.", notes="But.", sources=("a.c f", "b.c g"))]
        )
        row = self.first(document_of([case()], known), known)
        assert (
            text(one(row, ".clauses"))
            == "Requirement CARP-AUTH-001 MUST The clause. But.Sources: a.c f; b.c g"
        )
        assert row.get("data-levels") == "MUST"

    def test_all_levels_of_a_case_can_be_filtered(
        self, case: Any, document_of: Any, catalogue: Catalogue
    ) -> None:
        row = self.first(
            document_of([case(requirements=["CARP-AUTH-001", "CARP-RX-002", "CARP-RX-001"])]), catalogue
        )
        assert row.get("data-levels") == "MUST SHOULD"
        assert text(one(row, ".clauses h4")) == "Requirements"

    def test_a_requirement_of_another_catalogue_keeps_its_level(
        self, case: Any, document_of: Any, catalogue: Catalogue, catalogue_of: Any
    ) -> None:
        row = self.first(document_of([case()], catalogue), catalogue_of([]))
        assert "CARP-AUTH-001 MUST This requirement is not in the catalogue" in text(one(row, ".clauses"))

    def test_expected_actual_and_reason_are_said(
        self, case: Any, document_of: Any, catalogue: Catalogue
    ) -> None:
        row = self.first(document_of([case(verdict="fail")]), catalogue)
        assert [text(item) for item in row.cssselect(".pair li")] == case()["expected"]
        assert "Seena stayed BACKUP" in text(one(row, ".pair")).replace("Seen a", "Seena")
        assert text(one(row, ".reason")).startswith("The BACKUP stayed BACKUP")

    @pytest.mark.parametrize("missing", [{"expected": []}, {"expected": [""]}, {"actual": ""}])
    def test_what_was_not_recorded_is_said(
        self, case: Any, document_of: Any, catalogue: Catalogue, missing: dict[str, Any]
    ) -> None:
        row = self.first(document_of([case(**missing)]), catalogue)
        assert "Nothing was recorded." in text(one(row, ".pair"))

    def test_a_case_without_anything_is_a_row_all_the_same(
        self, case: Any, document_of: Any, catalogue: Catalogue
    ) -> None:
        bare = case(requirements=[], expected=[], actual="", evidence=None, frames=[], timeline=None)
        row = self.first(document_of([bare]), catalogue)
        assert not row.cssselect(".pair, figure, table, pre")
        assert "No capture was kept" in text(row)
        assert "None is cited." in text(row)

    def test_how_good_the_rig_was_is_said_where_it_was_measured(
        self, case: Any, document_of: Any, catalogue: Catalogue
    ) -> None:
        rig = {"lateness_max_ms": 2.34, "lateness_p99_ms": 0.5, "timers": 41, "frames_dropped": 0}
        row = self.first(document_of([case(rig=rig)]), catalogue)
        assert "Rig: at most 2.3 ms late (p99 0.5 ms of 41 timers), 0 frames dropped" in text(
            one(row, ".where")
        )
        assert "Rig" not in text(self.first(document_of([case(rig=None)]), catalogue))

    def test_a_known_deviation_has_its_reference(
        self, case: Any, document_of: Any, catalogue: Catalogue
    ) -> None:
        row = self.first(document_of([case(verdict="known_deviation")]), catalogue)
        assert "ucarp keeps no replay counter. Reference: ucarp carp.c packethandler" in text(
            one(row, ".deviation")
        )

    def test_deciding_frames_are_decoded_side_by_side(
        self, case: Any, frame: Any, document_of: Any, catalogue: Catalogue
    ) -> None:
        events = [frame(9, 3, "b", advskew=0), frame(5, 1, "a", deciding=True), frame(6, 2, "a")]
        events[0]["fields"].append(["vhid", "second"])
        line = {"nodes": ["a", "b"], "events": events, "windows": [], "truncated": False}
        table = one(self.first(document_of([case(frames=[3], timeline=line)]), catalogue), "table.frames")
        assert [text(cell) for cell in table.cssselect("thead th")] == [
            "Field",
            "#1 a, 0.005 s",
            "#3 b, 0.009 s",
        ]
        rows = {text(row): row.get("class") for row in table.cssselect("tbody tr")}
        assert rows["TTL255255"] is None
        assert rows["advskew ≠ differs1000"] == "differs"
        assert rows["vhid– not in this framesecond"] is None

    def test_the_evidence_is_linked_and_the_command_is_there(
        self, case: Any, document_of: Any, catalogue: Catalogue
    ) -> None:
        row = self.first(document_of([case("AUTH-001.a[b c]")]), catalogue)
        links = [link.get("href") for link in row.cssselect(".where a")]
        assert links == ["evidence/AUTH-001.a%5Bb%20c%5D.pcapng", "#case:AUTH-001.a%5Bb%20c%5D"]
        assert text(one(row, ".again code")) == "carp-conformance run --target ucarp 'AUTH-001.a[b c]'"

    def test_the_events_are_there_as_text(self, case: Any, document_of: Any, catalogue: Catalogue) -> None:
        log = one(self.first(document_of([case()]), catalogue), "pre.log").text_content().split("\n")
        assert log[0] == "    0.000  a       is BACKUP"
        assert log[1] == "    0.002  tester  action: starts advertising 1/0 every 1.000 s, wrong key"
        assert "    3.644  a       #10 CARP vhid 1 advbase 1 advskew 100  <- decided" in log

    def test_a_line_break_in_an_event_does_not_forge_a_line(
        self, case: Any, document_of: Any, catalogue: Catalogue
    ) -> None:
        event = {"t_ms": 1, "kind": "log", "node": "a", "summary": "x\n    0.001  a  is MASTER"}
        line = {"nodes": ["a"], "events": [event], "windows": [], "truncated": False}
        log = one(self.first(document_of([case(timeline=line)]), catalogue), "pre.log")
        assert log.text_content() == "    0.001  a  log: x\\n    0.001  a  is MASTER"

    @pytest.mark.parametrize("nodes", [[], ["a"]])
    def test_an_empty_time_line_is_no_reason_to_fail(
        self, case: Any, document_of: Any, catalogue: Catalogue, nodes: list[str]
    ) -> None:
        line = {"nodes": nodes, "events": [], "windows": [], "truncated": True}
        figure = one(self.first(document_of([case(timeline=line)]), catalogue), "figure")
        assert "The recorder kept only a part" in text(figure)
        assert bool(figure.cssselect("svg")) == bool(nodes)
        assert ("Nothing was recorded." in text(figure)) != bool(nodes)

    def test_what_is_left_out_is_said(
        self, case: Any, timeline: Any, frame: Any, document_of: Any, catalogue: Catalogue
    ) -> None:
        line = timeline(400)
        line["events"] += [frame(9000 + number, 1000 + number, "a", deciding=True) for number in range(9)]
        line["events"][-1]["fields"] = [[f"field {number}", "x"] for number in range(70)]
        line["events"][-1]["t_ms"] = 0
        row = self.first(document_of([case("AUTH-001.a", "fail", timeline=line)]), catalogue)
        assert f"{len(line['events']) - 240} of {len(line['events'])} events are left out here." in text(
            one(row, "figcaption")
        )
        assert "(6 more in the capture)" in text(one(row, ".frames caption"))
        assert "more fields in results.json" in text(one(row, ".frames caption"))

    def test_an_error_shows_its_detail(self, case: Any, document_of: Any, catalogue: Catalogue) -> None:
        row = self.first(document_of([case(verdict="error", detail="x" * 7000)]), catalogue)
        assert one(row, ".sub").get("open") is not None
        assert one(row, "pre").text_content().endswith("x… (1000 more characters in results.json)")


class TestRequirements:
    def test_every_requirement_is_listed_with_its_cases(self, page: Any) -> None:
        rows = page.cssselect("table.requirements tbody tr")
        assert len(rows) == 72
        assert [text(cell) for cell in rows[0]][:2] == ["pass", "CARP-WIRE-001 MUST"]
        assert text(rows[0]).endswith("WIRE-001.stream_0_is_dropped[better-0]")
        assert [text(cell) for cell in rows[11]][:2] == ["not covered", "CARP-WIRE-012 MUST"]

    def test_one_that_cannot_be_tested_says_why(self, page: Any) -> None:
        (row,) = [row for row in page.cssselect("table.requirements tbody tr") if "TIMER-012" in text(row)]
        assert "Not testable: No rung can cut power to one host." in text(row)

    def test_a_broken_invariant_is_shown_in_its_case_and_for_the_run(
        self, case: Any, document_of: Any, catalogue: Catalogue
    ) -> None:
        breach = {
            "id": "CARP-WIRE-004", "monitor": "wire-format", "verdict": "fail", "host": "b", "text": "the TTL is 64", "frames": [3, 4], "deviation": None,
        }  # fmt: skip
        watched = case("AUTH-001.a", invariants={"held": ["CARP-WIRE-005"], "broken": [breach]})
        cases = [watched, case("AUTH-002.a", invariants={"held": ["CARP-WIRE-004"], "broken": []})]
        document = document_of(cases, invariants=invariants.collected(cases))
        page = parser.fromstring(html(document, catalogue))
        first, second = page.cssselect("table.invariants tbody tr")
        broken = "AUTH-001.a b: the TTL is 64 (frames 3, 4)"
        assert [text(cell) for cell in first] == ["fail", "CARP-WIRE-004", "2 cases", broken]
        assert [text(cell) for cell in second] == ["pass", "CARP-WIRE-005", "1 case", "never"]
        told = text(page.cssselect("details.case .deviation")[0])
        assert told.endswith("CARP-WIRE-004 b: the TTL is 64 (frames 3, 4)")
        assert (
            one(page, "table.invariants a").get("href") == f"#{page.cssselect('details.case')[0].get('id')}"
        )


class TestEmpty:
    def test_no_case_is_said(self, document_of: Any, catalogue: Catalogue) -> None:
        page = parser.fromstring(html(document_of([]), catalogue))
        assert "No case was run." in text(one(page, ".empty"))
        assert one(page, "#legend").get("open") is not None
        assert not page.cssselect("form, .bar, table.groups")

    def test_no_requirement_is_no_table(self, document_of: Any, catalogue_of: Any) -> None:
        page = parser.fromstring(html(document_of([], requirements=[]), catalogue_of([])))
        assert not page.cssselect("table.requirements")

    def test_the_shipped_catalogue_is_the_default(
        self, document: dict[str, Any], catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(page_module.shipped, "load", lambda: catalogue)
        assert html(document) == html(document, catalogue)


class TestSafety:
    def test_nothing_is_fetched_from_anywhere(self, document: dict[str, Any], catalogue: Catalogue) -> None:
        written = html(document, catalogue)
        page = parser.fromstring(written)
        assert not page.cssselect("link, img, iframe, object, embed, [src], base")
        assert "url(" not in written
        assert "@import" not in written
        assert all(link.get("href").startswith(("#", "evidence/")) for link in page.cssselect("a"))

    def test_only_our_style_and_script_may_run(self, page: Any) -> None:
        policy = one(page, "meta[http-equiv='Content-Security-Policy']").get("content")
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        for tag in ("style", "script"):
            digest = base64.b64encode(hashlib.sha256(one(page, tag).text.encode()).digest()).decode()
            assert f"{tag}-src 'sha256-{digest}'" in policy
        assert not page.xpath("//*[@style or @onclick or @onload]")

    def test_hostile_text_stays_text(
        self, case: Any, timeline: Any, document_of: Any, catalogue: Catalogue
    ) -> None:
        line = timeline()
        for event in line["events"]:
            event["node"] = HOSTILE
            for key in ("summary", "state"):
                if key in event:
                    event[key] = HOSTILE
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
        hostile = case(
            "AUTH-001.a",
            "known_deviation",
            expected=[HOSTILE],
            deviation={"reason": HOSTILE, "reference": HOSTILE},
            timeline=line,
        ) | dict.fromkeys(texts, HOSTILE)
        breach = {
            "id": HOSTILE, "monitor": HOSTILE, "verdict": "fail", "host": HOSTILE, "text": HOSTILE, "frames": [1],
            "deviation": {"reason": HOSTILE, "reference": HOSTILE},
        }  # fmt: skip
        hostile["invariants"] = {"held": [], "broken": [breach]}
        document = document_of(
            [hostile],
            notes=[HOSTILE],
            arguments=[HOSTILE],
            invariants=[
                {"id": HOSTILE, "verdict": "fail", "cases": 1, "broken": [{**breach, "case": HOSTILE}]}
            ],
        )
        document["target"] |= {
            "name": HOSTILE,
            "version": HOSTILE,
            "dialect": HOSTILE,
            "pics": {HOSTILE: [HOSTILE]},
        }
        document["suite"] |= {"name": HOSTILE, "version": HOSTILE, "commit": HOSTILE, "catalogue": HOSTILE}
        written = html(document, catalogue)
        page = parser.fromstring(written)
        assert len(page.cssselect("script")) == 1
        assert not page.cssselect("img")
        assert "<script>alert" not in written
        assert "{{ 7*7 }}" in written
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", written)
        assert written.encode()

    def test_ids_are_unique_and_every_fragment_leads_somewhere(self, page: Any) -> None:
        ids = [element.get("id") for element in page.xpath("//*[@id]")]
        assert len(ids) == len(set(ids))
        fragments = {link.get("href") for link in page.xpath("//*[starts-with(@href, '#')]")}
        assert {fragment[1:] for fragment in fragments if not re.match("#verdict=", fragment)} <= set(ids)


class TestSize:
    def test_a_long_run_is_rendered_fast_and_stays_small(
        self, run_of: Any, timeline: Any, catalogue: Catalogue
    ) -> None:
        document = run_of(6)
        for number, case in enumerate(document["cases"]):
            if case["timeline"]:
                case["timeline"] = timeline(90 if number % 4 else 400)
                for event in [event for event in case["timeline"]["events"] if event["kind"] == "frame"][:5]:
                    event["deciding"] = True
        assert len(document["cases"]) == 396
        html(document, catalogue)
        before_s = time.process_time()
        written = html(document, catalogue)
        taken_s = time.process_time() - before_s
        # Coverage traces every line, which multiplies the time; it is measured where nobody traces.
        assert sys.gettrace() is not None or taken_s < 1
        assert len(written.encode()) < 3_000_000
