"""The matrix site from fabricated nights: history, first bad run, recovery, stable and inert pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from conformance.report.site import NoMatrix, build, load
from conformance.report.site.drawings import badge, distribution, trend
from conformance.report.site.history import Key, histories, page_name, regressions

A, B = "model:openbsd", "ucarp"
KEY = Key("netns", "kill", A, B)
PAGE = f"cells/{page_name(KEY)}"
HAZARD = {"name": "different-addresses", "what": "digests differ", "source": "measured", "certain": True}

NightMaker = Callable[..., Path]


def cell(verdict: str, gap_ms: float, **more: Any) -> dict[str, Any]:
    observed = {"pass": "converges", "not_applicable": "not_run", "inconclusive": "inconclusive"}.get(
        verdict, "fails"
    )
    run = {
        "observed": observed,
        "faults": [],
        "service_gap_ms": gap_ms,
        "no_master_ms": gap_ms,
        "dual_master_ms": 0.0,
        "evidence": None,
    }
    return {
        "id": "kill--model-openbsd--ucarp", "a": A, "b": B, "scenario": "kill", "predicted": "converges", "observed": observed, "verdict": verdict,
        "reason": f"nobody was MASTER for {gap_ms} ms", "hazards": [],
        "expected": {"no_master_ms": [3370.0, 5210.0], "dual_master_ms": 2000.0, "service_gap_ms": 5700.0, "simulated": None},
        "service_gap_ms": gap_ms, "no_master_ms": gap_ms, "dual_master_ms": 0.0, "connections_lost": 3, "evidence": None, "runs": [run], "timeline": None,
    } | more  # fmt: skip


def document(day: int, cells: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    verdicts = ("pass", "hazard", "fail", "surprise", "inconclusive", "error", "not_applicable")
    return {
        "schema": 1, "suite": {"name": "carp-conformance", "version": "0.1.0", "commit": "aaaa"}, "rung": "netns",
        "machine": {"kernel": "6.8.0"}, "started": f"2026-11-{day:02}T02:17:00+00:00", "ended": f"2026-11-{day:02}T02:30:00+00:00", "runs": 1,
        "implementations": [
            {"name": name, "version": "1.5.2", "dialect": "ucarp", "origin": "OpenBSD 2003", "family": "OpenBSD's code of 2003", "fails_against_everyone": []}
            for name in (A, B)
        ],
        "scenarios": [{"name": "kill", "title": "A dies", "told": "A dies without a word."}],
        "cells": cells, "summary": {verdict: sum(one["verdict"] == verdict for one in cells) for verdict in verdicts},
    } | more  # fmt: skip


@pytest.fixture
def night(tmp_path: Path) -> NightMaker:
    def made(content: Mapping[str, Any], name: str = "") -> Path:
        folder = tmp_path / "nights" / (name or str(content["started"])[:10])
        folder.mkdir(parents=True)
        (folder / "results.json").write_text(json.dumps(content))
        return folder

    return made


@pytest.fixture
def three(night: NightMaker) -> list[Path]:
    """Good; bad with a new kernel and suite; good again with another suite."""
    nights = [
        document(1, [cell("pass", 4100.0)]),
        document(2, [cell("fail", 9000.0)]),
        document(3, [cell("pass", 4200.0)]),
    ]
    nights[1]["suite"]["commit"] = "bbbb"
    nights[1]["machine"]["kernel"] = nights[2]["machine"]["kernel"] = "6.9.0"
    nights[2]["suite"]["commit"] = "cccc"
    return [night(one) for one in nights]


class TestThreeNights:
    def test_the_first_night_is_all_as_predicted(self, three: list[Path], tmp_path: Path) -> None:
        build(three[:1], tmp_path / "site")
        assert "All as predicted." in (tmp_path / "site/index.html").read_text()
        assert json.loads((tmp_path / "site/regressions.json").read_text()) == {
            "new": [],
            "open": [],
            "recovered": [],
        }

    def test_the_second_shows_a_regression_its_first_bad_run_and_what_changed(
        self, three: list[Path], tmp_path: Path
    ) -> None:
        build(three[:2], tmp_path / "site")
        index, page = ((tmp_path / "site" / name).read_text() for name in ("index.html", PAGE))
        assert "1 cell is red." in index
        assert "Red since 2026-11-02 02:17." in page and "It was last good on 2026-11-01 02:17." in page
        assert "suite commit: aaaa → bbbb; kernel: 6.8.0 → 6.9.0" in page
        (row,) = json.loads((tmp_path / "site/regressions.json").read_text())["new"]
        assert (
            row["since"].startswith("2026-11-02")
            and row["title"] == f"kill: {A} × {B} on netns"
            and row["page"] == PAGE
        )
        assert "1 red" in (tmp_path / "site/badges/ucarp.svg").read_text()

    def test_a_second_bad_night_is_no_new_regression(self, three: list[Path], night: NightMaker) -> None:
        found = histories(load([*three[:2], night(document(4, [cell("fail", 9100.0)]))]))
        assert found[KEY].first_bad is not None and found[KEY].first_bad.night.started.startswith(
            "2026-11-02"
        )
        assert [len(regressions(found)[kind]) for kind in ("new", "open", "recovered")] == [0, 1, 0]

    def test_the_third_shows_the_recovery(self, three: list[Path], tmp_path: Path) -> None:
        build(three, tmp_path / "site")
        index, page = ((tmp_path / "site" / name).read_text() for name in ("index.html", PAGE))
        assert "All as predicted." in index and "What has recovered" in index
        assert (
            "red from 2026-11-02 02:17" in page
            and "recovered on 2026-11-03 02:17" in page
            and "suite commit: bbbb → cccc" in page
        )
        listed = json.loads((tmp_path / "site/regressions.json").read_text())
        assert [len(listed[kind]) for kind in ("new", "open", "recovered")] == [0, 0, 1]

    def test_the_rungs_of_a_night_begin_one_after_the_other(
        self, three: list[Path], night: NightMaker
    ) -> None:
        """What began first tonight is as new, and as recovered, as what began last."""
        later = document(3, [cell("pass", 4100.0)], started="2026-11-03T02:59:00+00:00", rung="sim")
        listed = regressions(histories(load([*three, night(later, "sim-3")])))
        assert [len(listed[kind]) for kind in ("new", "open", "recovered")] == [0, 0, 1]
        later = document(2, [cell("pass", 4100.0)], started="2026-11-02T02:59:00+00:00", rung="sim")
        listed = regressions(histories(load([*three[:2], night(later, "sim-2")])))
        assert [len(listed[kind]) for kind in ("new", "open", "recovered")] == [1, 0, 0]

    def test_trends_run_over_the_nights(self, three: list[Path], tmp_path: Path) -> None:
        build(three, tmp_path / "site")
        page = (tmp_path / "site" / PAGE).read_text()
        assert "Time without a MASTER over 3 nights" in page and "Time without a MASTER of 3 runs" in page
        assert "Trends" in (tmp_path / "site/index.html").read_text()

    def test_order_of_folders_and_a_second_time_change_nothing(
        self, three: list[Path], tmp_path: Path
    ) -> None:
        paths = build(three, tmp_path / "one")
        build(three[::-1], tmp_path / "two")
        build([three[0].parent], tmp_path / "three")
        for path in paths:
            name = path.relative_to(tmp_path / "one")
            assert (
                path.read_bytes()
                == (tmp_path / "two" / name).read_bytes()
                == (tmp_path / "three" / name).read_bytes()
            )


class TestHistory:
    def test_a_rig_that_cannot_tell_neither_begins_nor_ends_a_spell(self, night: NightMaker) -> None:
        verdicts = ("pass", "inconclusive", "fail", "error", "inconclusive")
        found = histories(
            load([night(document(day, [cell(verdict, 4000.0)])) for day, verdict in enumerate(verdicts, 1)])
        )
        assert found[KEY].red
        assert found[KEY].first_bad is not None and found[KEY].first_bad.night.started.startswith(
            "2026-11-03"
        )
        assert found[KEY].last_good is not None and found[KEY].last_good.night.started.startswith(
            "2026-11-01"
        )

    def test_what_could_not_be_decided_is_not_called_as_predicted(
        self, night: NightMaker, tmp_path: Path
    ) -> None:
        build([night(document(1, [cell("inconclusive", 1.0)]))], tmp_path / "site")
        index = (tmp_path / "site/index.html").read_text()
        assert (
            "Nothing is red, and 1 cell could not be decided." in index and "All as predicted." not in index
        )
        assert "1 undecided" in (tmp_path / "site/badges/ucarp.svg").read_text()

    def test_a_version_is_a_change(self, night: NightMaker) -> None:
        bad = document(2, [cell("surprise", 1.0)])
        bad["implementations"][1]["version"] = "1.6"
        found = histories(load([night(document(1, [cell("pass", 1.0)])), night(bad)]))
        assert found[KEY].changes == ("ucarp: 1.5.2 → 1.6",)

    def test_another_box_and_kernel_of_a_machine_is_a_change(self, night: NightMaker) -> None:
        nights = [document(1, [cell("pass", 1.0)]), document(2, [cell("fail", 1.0)])]
        for one, (kernel, release) in zip(nights, (("6.1.0-50", "12"), ("6.1.0-56", "13")), strict=True):
            facts = {"kernel": kernel, "testinfra": {"release": release}, "clocksource": "tsc"}
            one["implementations"][1]["machines"] = {"a": facts}
        found = histories(load([night(one) for one in nights]))
        assert found[KEY].changes == (
            "ucarp a kernel: 6.1.0-50 → 6.1.0-56",
            "ucarp a testinfra release: 12 → 13",
        )

    def test_what_was_never_good_says_so(self, night: NightMaker, tmp_path: Path) -> None:
        build([night(document(1, [cell("fail", 1.0)]))], tmp_path / "site")
        assert "It was never seen good." in (tmp_path / "site" / PAGE).read_text()

    def test_a_missing_cell_is_no_matter(self, night: NightMaker, tmp_path: Path) -> None:
        folders = [night(document(1, [cell("fail", 1.0)])), night(document(2, []))]
        build(folders, tmp_path / "site")
        assert "not run" in (tmp_path / "site/index.html").read_text()


class TestPages:
    def test_hazards_are_listed_with_their_worst_numbers(self, night: NightMaker, tmp_path: Path) -> None:
        shown = cell("hazard", 3400.0, hazards=[HAZARD], predicted="hazard", dual_master_ms=8400.0)
        build([night(document(1, [shown]))], tmp_path / "site")
        index = (tmp_path / "site/index.html").read_text()
        assert 'id="hazard-different-addresses"' in index and "8.400 s" in index
        assert '<td class="n">1</td><td class="n">1</td>' in index
        assert "digests differ" in (tmp_path / "site" / PAGE).read_text()

    def test_what_a_client_lost_is_told(self, night: NightMaker, tmp_path: Path) -> None:
        nights = [night(document(1, [cell("pass", 1.0, connections_lost=87)]))]
        build(nights, tmp_path / "site")
        page = (tmp_path / "site" / PAGE).read_text()
        assert "Frames of a client lost" in page and '<td class="n">87</td>' in page

    def test_what_a_hazard_looks_like_is_told(self, night: NightMaker, tmp_path: Path) -> None:
        looks = {
            "masters": {"among": ["a", "b"], "least": 2, "most": 2}, "no_master_ms": None, "dual_master_ms": [5735.0, 10891.0],
            "service_gap_ms": None, "flapping": True, "refused": False,
        }  # fmt: skip
        shown = cell("hazard", 0.0, hazards=[HAZARD | {"looks": looks, "seen": 1}], dual_master_ms=8400.0)
        build([night(document(1, [shown]))], tmp_path / "site")
        page = (tmp_path / "site" / PAGE).read_text()
        assert "<strong>Must show</strong>, seen in 1 of 1 run:" in page
        assert "MASTER at the end: 2 of a, b" in page and "two MASTERs: 5.735 to 10.891 s" in page
        assert "mastership may go to and fro" in page

    def test_a_trio_has_a_page_of_its_own(self, night: NightMaker, tmp_path: Path) -> None:
        cells = [cell("pass", 1.0), cell("fail", 1.0, c="model:freebsd")]
        build([night(document(1, cells))], tmp_path / "site")
        index = (tmp_path / "site/index.html").read_text()
        assert "with model:freebsd" in index and f"{A} × {B} × model:freebsd" in index
        assert page_name(Key("netns", "kill", A, B, "model:freebsd")) in {
            path.name for path in (tmp_path / "site/cells").iterdir()
        }

    def test_captures_of_tonight_and_of_the_first_bad_night_are_taken_along(
        self, night: NightMaker, tmp_path: Path
    ) -> None:
        folders = [
            night(document(day, [cell("fail", 1.0, evidence="evidence/kill.0.pcapng")])) for day in (1, 2)
        ]
        for number, folder in enumerate(folders):
            (folder / "evidence").mkdir()
            (folder / "evidence/kill.0.pcapng").write_bytes(bytes([number]))
        build(folders, tmp_path / "site")
        assert sorted(path.read_bytes() for path in (tmp_path / "site/evidence").iterdir()) == [b"\0", b"\1"]
        page = (tmp_path / "site" / PAGE).read_text()
        assert "Capture of this night" in page and "Capture of the first bad night" in page

    def test_a_capture_that_is_gone_is_not_linked(self, night: NightMaker, tmp_path: Path) -> None:
        build([night(document(1, [cell("fail", 1.0, evidence="evidence/kill.0.pcapng")]))], tmp_path / "site")
        assert "Capture" not in (tmp_path / "site" / PAGE).read_text()

    def test_failing_with_everyone_is_said(self, night: NightMaker, tmp_path: Path) -> None:
        content = document(1, [cell("fail", 1.0)])
        content["implementations"][1]["fails_against_everyone"] = ["kill"]
        build([night(content)], tmp_path / "site")
        assert "Fails with everyone" in (tmp_path / "site/index.html").read_text()

    def test_a_time_line_is_drawn(self, night: NightMaker, tmp_path: Path) -> None:
        line = {
            "nodes": ["tester", "a"],
            "events": [{"t_ms": 1.0, "kind": "state", "node": "a", "state": "MASTER"}],
            "windows": [],
            "truncated": False,
        }
        build([night(document(1, [cell("pass", 1.0, timeline=line)]))], tmp_path / "site")
        assert 'class="tl"' in (tmp_path / "site" / PAGE).read_text()

    def test_hostile_text_stays_text_and_inside_the_site(self, night: NightMaker, tmp_path: Path) -> None:
        name = '../../<script>x</script>\u202e"'
        hostile = document(
            1,
            [
                cell(
                    "fail",
                    1.0,
                    a=name,
                    scenario=name,
                    reason=name,
                    hazards=[HAZARD | {"name": name, "what": name}],
                )
            ],
        )
        hostile["implementations"][0] |= {"name": name, "version": name, "family": name}
        hostile["scenarios"][0] |= {"name": name, "title": name, "told": name}
        hostile["machine"] = {name: name}
        paths = build([night(hostile)], tmp_path / "site")
        for path in paths:
            assert (tmp_path / "site").resolve() in path.resolve().parents
            text = path.read_text()
            assert "\u202e" not in text or path.name == "regressions.json"
            if path.suffix == ".html":
                assert "<script>x" not in text and text.count("<script>") == (path.name == "index.html")

    def test_nothing_is_fetched_from_anywhere(self, three: list[Path], tmp_path: Path) -> None:
        for path in build(three, tmp_path / "site"):
            assert "http://" not in path.read_text().replace("http://www.w3.org/2000/svg", "")
            assert "https://" not in path.read_text()


class TestLoading:
    def test_a_folder_without_results(self, tmp_path: Path) -> None:
        with pytest.raises(NoMatrix, match=r"there is no results.json in it; give folders"):
            load([tmp_path])

    def test_no_folder(self) -> None:
        with pytest.raises(NoMatrix, match="no folder was given"):
            load([])

    @pytest.mark.parametrize("text", ["{", "{}", '{"cells": []}'])
    def test_results_that_are_none(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "results.json").write_text(text)
        with pytest.raises(NoMatrix, match="cannot be read as matrix results"):
            load([tmp_path])

    def test_evidence_outside_the_folder_is_refused(self, night: NightMaker) -> None:
        with pytest.raises(NoMatrix):
            load([night(document(1, [cell("pass", 1.0, evidence="evidence/../../passwd.pcapng")]))])


class TestDrawings:
    def test_without_values_there_is_nothing_to_draw(self) -> None:
        assert trend([("one", None, "pass"), ("two", 0.0, "pass")], "x", None) == ""
        assert distribution([], "x", None) == distribution([0.0], "x", None) == ""

    def test_a_spot_for_each_known_night_in_the_colour_of_its_verdict(self) -> None:
        root = ET.fromstring(
            str(
                trend(
                    [("one", 100.0, "pass"), ("two", None, "error"), ("three", 200.0, "fail")],
                    "x",
                    (50.0, 150.0),
                )
            )
        )
        assert [spot.get("class") for spot in root.iter("circle")] == ["f-pass", "f-fail"]
        assert len(list(root.iter("rect"))) == 1

    def test_a_tick_for_each_run(self) -> None:
        root = ET.fromstring(str(distribution([100.0, 200.0, 300.0], "x", (50.0, 150.0))))
        (ticks,) = [path for path in root.iter("path") if path.get("class") == "tr-tick"]
        assert str(ticks.get("d")).count("M") == 3

    def test_a_badge_is_a_small_picture(self) -> None:
        root = ET.fromstring(badge("a<b>", "3 red", "#b3201b"))
        assert root.get("aria-label") == "a<b>: 3 red"


def test_names_of_pages_do_not_collide() -> None:
    keys = [Key("sim", "kill", a, b) for a in ("a--b", "a", "a:b", "a_b") for b in ("b", "b--b")]
    assert len({page_name(key) for key in deepcopy(keys)}) == len(keys)
