"""The page of a judgement: one self-contained HTML file with a time line of each virtual host as inline
SVG.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from conformance.judge.summary import frame_at, frames_text, title, vrrp_title

_WIDTH = 960
_LEFT = 210
_ROW = 26
_TICKS = 6
_MAX_BARS = 2000


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch on the time line, in SVG units; ``kind`` is its CSS class, ``text`` its tool tip."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on the time axis."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """The time line of one virtual host: a row a speaker."""

    rows: list[tuple[float, str]]
    bars: list[Bar]
    ticks: list[Tick]
    width: int
    height: int


def html(document: dict[str, Any]) -> str:
    """The page of a judge document; it needs no other file and escapes whatever a capture holds."""
    environment = Environment(
        loader=PackageLoader("conformance.judge", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["frames"] = frames_text
    hosts = [{"title": title(host), "line": _line(document, host), **host} for host in document["vhids"]]
    elections = [
        {"title": vrrp_title(one), "line": _line(document, {**one, "speakers": one["routers"]}), **one}
        for one in document["vrrp"]
    ]
    gravest, headline = _headline(document)
    return environment.get_template("judge.html").render(
        document=document, hosts=hosts, elections=elections, gravest=gravest, headline=headline
    )


def _headline(document: dict[str, Any]) -> tuple[str, str]:
    """The gravest severity, or ``fine``, and how many findings of each there are."""
    found = [one["severity"] for host in document["vhids"] for one in host["findings"]]
    found += [one["severity"] for one in document["findings"]]
    counts = {word: found.count(word) for word in ("error", "warning", "notice") if word in found}
    if not counts:
        return "fine", "Nothing to object to." if document["vhids"] else "Nothing to judge."
    listed = ", ".join(f"{count} {word}{'s' if count > 1 else ''}" for word, count in counts.items())
    return next(iter(counts)), f"{listed[0].upper()}{listed[1:]}"


def _seconds(time: str) -> float | None:
    try:
        return datetime.fromisoformat(time).timestamp()
    except ValueError:
        return None  # a time stamp beyond the calendar


def _line(document: dict[str, Any], host: dict[str, Any]) -> Line | None:
    start, end = _seconds(document["started"]), _seconds(document["ended"])
    if start is None or end is None or end <= start or not host["handovers"]:
        return None
    sources = [speaker["source"] for speaker in host["speakers"]]
    scale = (_WIDTH - _LEFT - 10) / (end - start)
    row_of = {source: 8 + index * _ROW for index, source in enumerate(sources)}

    def x(at: float) -> float:
        return round(_LEFT + (min(max(at, start), end) - start) * scale, 2)

    last = {speaker["source"]: speaker["last"] for speaker in host["speakers"]}
    standing = {master["source"] for master in host["masters"]}
    bars: list[Bar] = []
    handovers = host["handovers"][:_MAX_BARS]
    for index, handover in enumerate(handovers):
        begin = _seconds(handover["time"])
        if begin is None or handover["to"] not in row_of:
            continue  # beyond the calendar, or a speaker that had to make room
        until = end if handover["to"] in standing else _seconds(last[handover["to"]]) or end
        if index + 1 < len(handovers):
            following = _seconds(handovers[index + 1]["time"])
            until = (
                begin
                if following is None
                else max(following - (handovers[index + 1]["gap_ms"] or 0) / 1000, begin)
            )
        text = f"{handover['to']} is master from frame {frame_at(handover, 'frame')} ({handover['cause']})"
        bars.append(
            Bar(x(begin), row_of[handover["to"]], max(x(until) - x(begin), 1.5), _ROW - 8, "master", text)
        )
    for dual in host["dual_master"][:_MAX_BARS]:
        begin = _seconds(dual["time"])
        if begin is not None:
            text = f"two masters for {dual['ms']:.0f} ms, frames {frame_at(dual, 'from_frame')} to {frame_at(dual, 'to_frame')}"
            width = max(x(begin + dual["ms"] / 1000) - x(begin), 1.5)
            bars += [
                Bar(x(begin), row_of[source], width, _ROW - 8, "dual", text)
                for source in dual["masters"]
                if source in row_of
            ]
    ticks = [
        Tick(
            x(start + (end - start) * part / _TICKS),
            _label(start + (end - start) * part / _TICKS, document["started"]),
        )
        for part in range(_TICKS + 1)
    ]
    return Line(
        [(row_of[source], source) for source in sources], bars, ticks, _WIDTH, 8 + _ROW * len(sources) + 24
    )


def _label(at: float, started: str) -> str:
    zone = datetime.fromisoformat(started).tzinfo
    return f"{datetime.fromtimestamp(at, zone):%H:%M:%S}"
