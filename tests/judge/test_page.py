"""The page: self-contained, escaped, with a time line that shows who was master when."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from conformance.judge.judge import html, judge
from conformance.judge.page import _line
from tests.judge.making import FIXTURES, PASSWORDS, VIP, Member, write


@pytest.fixture(scope="module")
def page():
    """The page of the recording with two masters."""
    return html(judge([FIXTURES / "freebsd-9.3" / "n1-allow0-pair.pcap"], passwords=PASSWORDS))


def test_it_needs_no_other_file(page):
    assert not re.search(r"""(src|href)\s*=|url\(|@import|https?://""", page)


def test_the_time_line_is_well_formed(page):
    (picture,) = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    root = ET.fromstring(picture)
    bars = root.findall("rect")
    assert [bar.get("class") for bar in bars] == ["master", "dual", "dual"]
    assert len({bar.get("y") for bar in bars}) == 2
    width = float(root.get("viewBox").split()[2])
    assert all(
        float(bar.get("x")) >= 0 and float(bar.get("x")) + float(bar.get("width")) <= width for bar in bars
    )
    assert "two masters for 19491 ms, frames 31 to 65" in picture


def test_findings_and_requirements_are_on_it(page):
    assert "net.inet.carp.allow=0" in page
    assert "CARP-AUTH-001" in page
    assert '<li class="error">' in page


def test_a_bar_ends_where_the_master_fell_silent(tmp_path):
    frames = (Member().run(0, 11), Member(source="192.0.2.12", advskew=100, counter=1011).run(14, 5))
    document = judge([write(tmp_path, *frames)], passwords=("secret",), addresses=("192.0.2.1",))
    line = _line(document, document["vhids"][0])
    assert line is not None
    first, second = line.bars
    assert first.y != second.y
    assert first.x + first.width < second.x
    assert first.width / (second.x - first.x) == pytest.approx(10.01 / 14, abs=0.01)


@pytest.mark.parametrize(
    "change",
    [{"started": "nonsense"}, {"ended": "1 s"}, {"ended": "2000-01-01T00:00:00Z"}, {"handovers": []}],
)
def test_without_a_time_there_is_no_line(tmp_path, change):
    document = judge([write(tmp_path, Member().run(0, 3))])
    host = document["vhids"][0] | {key: value for key, value in change.items() if key == "handovers"}
    assert _line(document | change, host) is None
    assert "</html>" in html(
        document | {"vhids": [host]} | {k: v for k, v in change.items() if k != "handovers"}
    )


def test_events_with_broken_times_are_left_out(tmp_path):
    frames = (Member().run(0, 4), Member(source="192.0.2.12", counter=1004).run(7, 4))
    document = judge([write(tmp_path, *frames)], passwords=("secret",), addresses=("192.0.2.1",))
    host = document["vhids"][0]
    host["handovers"][1]["time"] = "beyond the calendar"
    host["dual_master"] = [
        {"time": "no", "ms": 5.0, "masters": ["192.0.2.11", "192.0.2.12"], "from_frame": 1, "to_frame": 2}
    ]
    line = _line(document, host)
    assert line is not None
    assert len(line.bars) == 1


def test_the_headline_counts_the_findings(tmp_path):
    quiet = judge([write(tmp_path, Member().run(0, 5))], passwords=("secret",), addresses=(VIP,))
    assert "Nothing to object to." in html(quiet)
    odd = replace(Member(), source="192.0.2.12", password="x", counter=9)
    split = html(
        judge([write(tmp_path, Member().run(0, 20), odd.run(3, 12))], passwords=("secret",), addresses=(VIP,))
    )
    assert 'class="headline error">1 error' in split
    assert "requirements were seen to hold" in split


def test_a_vrrp_election_has_a_time_line(tmp_path):
    document = judge([FIXTURES / "freebsd-15.1" / "kd1_freebsd100_keepalived200_preempt0.pcap"])
    page = html(document)
    assert "VRRP vrid 1 over IPv4" in page
    assert 'aria-label="time line of VRRP vrid 1 over IPv4"' in page
