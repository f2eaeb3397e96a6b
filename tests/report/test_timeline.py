"""The drawing of a time line says what the record says, and survives every record."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from markupsafe import Markup

from conformance.report.timeline import select, svg

HOSTILE = "</svg><script>alert(1)</script>\"'&\x00\x1b[31m\u202e"


def drawn(timeline: dict[str, Any], limit: int = 500) -> ET.Element:
    """The SVG of `timeline` as a tree: it has to be well-formed XML."""
    return ET.fromstring(svg(timeline, "k", select(timeline, limit)))


def texts(root: ET.Element) -> list[str]:
    return [element.text or "" for element in root.iter("text")]


def classes(root: ET.Element, name: str) -> list[ET.Element]:
    return [element for element in root.iter() if name in (element.get("class") or "").split()]


def record(*events: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"nodes": ["tester", "a"], "events": list(events), "windows": [], "truncated": False} | changes


def state(t_ms: float, word: str, node: str = "a") -> dict[str, Any]:
    return {"t_ms": t_ms, "kind": "state", "node": node, "state": word}


class TestDrawing:
    def test_it_is_markup_with_a_name_and_a_description(self, timeline: Any) -> None:
        picture = svg(timeline(), "c7", select(timeline(), 500))
        root = ET.fromstring(picture)
        assert isinstance(picture, Markup)
        assert root.get("role") == "img"
        assert root.get("aria-labelledby") == "c7-t c7-d"
        described = root.find("desc")
        assert described is not None
        assert described.text == (
            "Lanes: tester, a. a is BACKUP from 0.000 s. a is MASTER from 3.640 s. Frame 10 at 3.644 s decided. "
            "Expected from 3.100 s to 4.600 s: a becomes MASTER; met."
        )

    def test_nodes_are_lanes_and_states_are_bands(self, timeline: Any) -> None:
        root = drawn(timeline())
        assert [lane.text for lane in classes(root, "tl-node")] == ["tester", "a"]
        (backup,) = classes(root, "tl-backup")
        (master,) = classes(root, "tl-master")
        first, second = (band.find("rect") for band in (backup, master))
        assert first is not None
        assert second is not None
        assert float(first.get("x", "")) + float(first.get("width", "")) == pytest.approx(
            float(second.get("x", "")), abs=0.2
        )
        assert [band.findtext("text") for band in (backup, master)] == ["BACKUP", "MASTER"]

    def test_a_band_that_is_too_short_keeps_its_word_in_the_title(self) -> None:
        root = drawn(record(state(0, "INIT"), state(10, "BACKUP"), state(9000, "MASTER")))
        (init,) = classes(root, "tl-init")
        assert init.findtext("text") is None
        assert init.findtext("rect/title") == "INIT from 0.000 s"

    def test_an_unknown_state_is_a_band_too(self) -> None:
        assert len(classes(drawn(record(state(0, "FAULT"))), "tl-other")) == 1

    def test_each_frame_is_a_tick_at_its_time(self, frame: Any) -> None:
        root = drawn(record(frame(0, 1, "a"), frame(500, 2, "a"), frame(1000, 3, "a")))
        (path,) = classes(root, "tl-frame")
        starts = [float(part.split()[0]) for part in path.get("d", "").split("M")[1:]]
        assert starts[1] - starts[0] == pytest.approx(starts[2] - starts[1], abs=0.2)
        assert starts[0] == 92

    def test_only_advertisements_have_a_head(self, frame: Any) -> None:
        root = drawn(
            record(
                frame(0, 1, "a"), frame(500, 2, "a") | {"summary": "ARP: 10.9.0.1 is at 02:00:00:00:00:01"}
            )
        )
        strokes = classes(root, "tl-frame")[0].get("d", "").split("M")[1:]
        assert ["l3-5l3 5" in stroke for stroke in strokes] == [True, False]

    def test_a_deciding_frame_has_its_number_and_its_line(self, frame: Any) -> None:
        root = drawn(record(frame(0, 1, "a"), frame(500, 2, "a", deciding=True)))
        (mark,) = classes(root, "tl-deciding")
        assert mark.findtext("text") == "#2"
        assert mark.findtext("title") == "Frame 2 at 0.500 s: CARP vhid 1 advbase 1 advskew 100"
        assert len(classes(root, "tl-decided")) == 1
        assert not classes(drawn(record(frame(0, 1, "a"))), "tl-decided")

    def test_the_number_of_a_frame_at_the_edge_stays_on_the_drawing(self, frame: Any) -> None:
        (mark,) = classes(
            drawn(record(frame(0, 1, "a"), frame(100, 123456, "a", deciding=True))), "tl-deciding"
        )
        text = mark.find("text")
        assert text is not None
        assert float(text.get("x", "")) + 6.6 * len("#123456") < 960

    def test_actions_and_logs_are_marks_with_a_title(self, timeline: Any) -> None:
        root = drawn(timeline())
        (action,), (log,) = classes(root, "tl-action"), classes(root, "tl-log")
        assert action.findtext("title") == "0.002 s: starts advertising 1/0 every 1.000 s, wrong key"
        assert log.findtext("title") == "3.641 s: [WARNING] Switching to state: MASTER"

    @pytest.mark.parametrize(
        ("met", "said", "kind"),
        [(True, "met", "tl-met"), (False, "not met", "tl-unmet"), (None, "not decided", "tl-open")],
    )
    def test_a_window_says_in_words_whether_it_was_met(
        self, timeline: Any, met: bool | None, said: str, kind: str
    ) -> None:
        (window,) = classes(drawn(timeline(met=met)), kind)
        assert window.findtext("text") == f"a becomes MASTER: {said}"
        assert "tl-window" in (window.get("class") or "")

    def test_a_window_without_an_end_reaches_the_edge(self) -> None:
        window = {"from_ms": 50, "to_ms": None, "summary": "stays BACKUP", "met": True}
        root = drawn(record(state(0, "BACKUP"), state(100, "BACKUP"), windows=[window]))
        rect = classes(root, "tl-window")[0].find("rect")
        assert rect is not None
        assert float(rect.get("x", "")) + float(rect.get("width", "")) == pytest.approx(942)
        assert "from 0.050 s on: stays BACKUP" in (root.findtext("desc") or "")

    def test_a_long_label_at_the_right_is_moved_onto_the_drawing(self) -> None:
        window = {"from_ms": 990, "to_ms": 1000, "summary": "x" * 60, "met": True}
        text = classes(drawn(record(windows=[window])), "tl-window")[0].find("text")
        assert text is not None
        assert float(text.get("x", "")) < 960 - 60 * 6

    @pytest.mark.parametrize(
        ("last_ms", "labels"),
        [
            (0, ["0.0000", "0.0001"]),
            (8, ["0.000", "0.001"]),
            (10_000, ["0", "2"]),
            (900_000, ["0", "100"]),
        ],
    )
    def test_the_axis_counts_seconds_in_round_steps(self, last_ms: float, labels: list[str]) -> None:
        axis = classes(drawn(record(state(0, "BACKUP"), state(last_ms, "MASTER"))), "tl-axis")[0]
        numbers = texts(axis)[:-1]
        assert numbers[:2] == labels
        assert 4 <= len(numbers) <= 12
        assert texts(axis)[-1] == "seconds"

    def test_time_before_the_start_is_on_the_axis(self) -> None:
        axis = classes(drawn(record(state(-2000, "BACKUP"), state(2000, "MASTER"))), "tl-axis")[0]
        assert texts(axis)[0] == "-2.0"


class TestRobustness:
    def test_nothing_is_drawn_without_a_lane(self) -> None:
        assert svg(record(nodes=[]), "k", select(record(nodes=[]), 10)) == ""

    def test_lanes_without_events_are_drawn(self) -> None:
        assert len(classes(drawn(record()), "tl-lane")) == 2

    def test_a_node_that_was_not_announced_gets_its_lane(self) -> None:
        assert [lane.text for lane in classes(drawn(record(state(0, "MASTER", "b"))), "tl-node")] == [
            "tester",
            "a",
            "b",
        ]

    def test_more_nodes_than_fit_are_cut(self) -> None:
        assert len(classes(drawn(record(nodes=[f"n{number}" for number in range(40)])), "tl-lane")) == 12

    def test_a_long_name_is_cut_and_whole_in_its_title(self) -> None:
        (label,) = classes(drawn(record(nodes=["openbsd-8.0-beta"])), "tl-node")
        assert (label.text, label.findtext("title")) == ("openbsd-8.0…", "openbsd-8.0-beta")

    def test_hostile_text_stays_text(self, frame: Any) -> None:
        events = [
            state(0, HOSTILE, HOSTILE),
            {"t_ms": 1, "kind": "log", "node": HOSTILE, "summary": HOSTILE},
            frame(2, 1, HOSTILE, deciding=True) | {"summary": HOSTILE},
        ]
        window = {"from_ms": 0, "to_ms": 1, "summary": HOSTILE, "met": True}
        root = drawn(record(*events, nodes=[HOSTILE], windows=[window]))
        assert not list(root.iter("script"))
        assert not {"\x00", "\x1b", "\u202e"} & set("".join(root.itertext()))

    def test_times_that_are_no_numbers_are_left_out_and_counted(self) -> None:
        broken = record(state(math.nan, "MASTER"), state(math.inf, "MASTER"), state(1, "BACKUP"))
        broken["windows"] = [{"from_ms": math.nan, "to_ms": 1, "summary": "x", "met": True}]
        assert select(broken, 10).left_out == 2
        assert not classes(drawn(broken), "tl-master")

    def test_a_window_that_ends_nowhere_is_no_reason_to_fail(self) -> None:
        window = {"from_ms": 0, "to_ms": math.inf, "summary": "x", "met": True}
        assert len(classes(drawn(record(windows=[window])), "tl-window")) == 1


class TestSelection:
    def test_all_are_taken_while_they_fit(self, timeline: Any) -> None:
        one = timeline()
        chosen = select(one, len(one["events"]))
        assert (len(chosen.events), chosen.left_out) == (len(one["events"]), 0)

    def test_what_decided_is_kept_before_states_actions_logs_and_frames(self, timeline: Any) -> None:
        kinds = [
            {
                "deciding" if event.get("deciding") else event["kind"]
                for event in select(timeline(60), limit).events
            }
            for limit in (1, 3, 4, 5)
        ]
        assert kinds == [
            {"deciding"},
            {"deciding", "state"},
            {"deciding", "state", "action"},
            {"deciding", "state", "action", "log"},
        ]

    def test_the_frames_close_to_the_decision_are_kept(self, timeline: Any) -> None:
        chosen = select(timeline(60), 9)
        frames = [event["t_ms"] for event in chosen.events if event["kind"] == "frame"]
        assert len(frames) == 5
        assert all(abs(t_ms - 3644) < 1500 for t_ms in frames)
        assert chosen.left_out == 84 - 9

    def test_they_stay_in_the_order_of_time(self, timeline: Any) -> None:
        times = [event["t_ms"] for event in select(timeline(60), 30).events]
        assert times == sorted(times)

    def test_without_a_deciding_frame_the_window_is_the_anchor(self, frame: Any) -> None:
        window = {"from_ms": 50_000.0, "to_ms": 51_000.0, "summary": "x", "met": False}
        crowd = record(*(frame(1000.0 * number, number, "a") for number in range(100)), windows=[window])
        assert [event["frame"] for event in select(crowd, 3).events] == [49, 50, 51]
        assert [event["frame"] for event in select(crowd | {"windows": []}, 2).events] == [0, 1]
