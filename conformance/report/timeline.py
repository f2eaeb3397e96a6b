"""The time line of a case as inline SVG: nodes as lanes, states as bands, frames as ticks, windows as shaded spans."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup, escape

from conformance.report.visible import visible

Event = Mapping[str, Any]

_WIDTH: Final = 960
_LEFT: Final = 92
_RIGHT: Final = 18
_LANE: Final = 58
_LANE_WITHOUT_STATES: Final = 40
_BAND: Final = 18
_LABEL_ROW: Final = 18
_AXIS: Final = 30
_NAME_CHARACTERS: Final = 12
_SUMMARY_CHARACTERS: Final = 120
_LABEL_CHARACTERS: Final = 120
_ADVERTISEMENT: Final = "CARP "
_CHARACTER: Final = 6.6
_MOST_LANES: Final = 12
_MOST_WINDOWS: Final = 6

_RANK: Final[Mapping[str, int]] = {"state": 1, "action": 2, "log": 3, "frame": 4}
"""What is drawn first when not all events can be drawn; a deciding frame comes before all of these."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The events that are drawn, in the order of time, and how many are not."""

    events: tuple[Event, ...]
    left_out: int


def select(timeline: Mapping[str, Any], limit: int) -> Selection:
    """The `limit` events that matter most: deciding frames, states, actions, logs, then frames close to the decision."""
    drawable = [event for event in timeline["events"] if math.isfinite(event["t_ms"])]
    decisive = [event["t_ms"] for event in drawable if event.get("deciding")]
    anchors = (decisive or [window["from_ms"] for window in timeline["windows"]] or [0.0])[:8]

    def rank(event: Event) -> tuple[int, float]:
        kind = 0 if event.get("deciding") else _RANK[event["kind"]]
        return kind, min(abs(event["t_ms"] - anchor) for anchor in anchors)

    kept = drawable if len(drawable) <= limit else sorted(drawable, key=rank)[:limit]
    ordered = sorted(kept, key=lambda event: float(event["t_ms"]))
    return Selection(tuple(ordered), len(timeline["events"]) - len(ordered))


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where a time lies on the drawing: milliseconds in, user units of the SVG out."""

    from_ms: float
    to_ms: float

    def x(self, t_ms: float) -> float:
        share = (min(max(t_ms, self.from_ms), self.to_ms) - self.from_ms) / (self.to_ms - self.from_ms)
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)


def svg(timeline: Mapping[str, Any], key: str, selection: Selection) -> Markup:
    """The drawing of `timeline` as an SVG element, or nothing for a time line without lanes.

    `key` (letters, digits, hyphens) makes the ids of its title and description unique in the page.
    The colours are classes (`tl-…`) that the page defines. A page has thousands of these elements, so they are written and not built:
    a text passes through `_t`, everything else is a number or a word of this module.
    """
    lanes = _lanes(timeline, selection.events)
    if not lanes:
        return Markup()  # made here, from escaped parts
    windows = [window for window in timeline["windows"] if math.isfinite(window["from_ms"])][:_MOST_WINDOWS]
    scale = _scale(selection.events, windows)
    top = _LABEL_ROW * len(windows) + 10
    tops, bottom = _places(lanes, selection.events, top)
    parts = [
        (
            f'<svg class="tl" viewBox="0 0 {_WIDTH} {bottom + _AXIS}" role="img" aria-labelledby="{key}-t {key}-d">'
            f'<title id="{key}-t">Time line of the case</title><desc id="{key}-d">{_t(_description(timeline, lanes, selection))}</desc>'
        )
    ]
    parts += [_window(window, scale, row, (top, bottom)) for row, window in enumerate(windows)]
    for node, (upper, lower) in zip(lanes, tops, strict=True):
        parts.append(
            _lane(node, [event for event in selection.events if event["node"] == node], scale, (upper, lower))
        )
    parts += [_deciding_lines(selection.events, scale, (top, bottom)), _axis(scale, bottom), "</svg>"]
    return Markup("".join(parts))  # noqa: S704  # made here, from escaped parts


def _lanes(timeline: Mapping[str, Any], events: Iterable[Event]) -> list[str]:
    named = dict.fromkeys([*timeline["nodes"], *(event["node"] for event in events)])
    return list(named)[:_MOST_LANES]


def _places(lanes: Iterable[str], events: Iterable[Event], top: int) -> tuple[list[tuple[int, int]], int]:
    """The top and bottom of each lane, and the bottom of them all."""
    stateful = {event["node"] for event in events if event["kind"] == "state"}
    places = []
    for node in lanes:
        height = _LANE if node in stateful else _LANE_WITHOUT_STATES
        places.append((top, top + height))
        top += height
    return places, top


def _scale(events: Sequence[Event], windows: Iterable[Mapping[str, Any]]) -> _Scale:
    edges = [0.0, *(event["t_ms"] for event in events)]
    for window in windows:
        edges += [window["from_ms"], window["from_ms"] if window["to_ms"] is None else window["to_ms"]]
    finite = [edge for edge in edges if math.isfinite(edge)]
    from_ms, to_ms = min(finite), max(finite)
    # Air at the right gives the last state room for its word; one millisecond keeps a moment from being no span at all.
    return _Scale(from_ms, to_ms + max(1.0, 0.08 * (to_ms - from_ms)))


def _window(window: Mapping[str, Any], scale: _Scale, row: int, vertical: tuple[int, int]) -> str:
    to_ms = scale.to_ms if window["to_ms"] is None else window["to_ms"]
    left, right = scale.x(window["from_ms"]), scale.x(to_ms)
    outcome = {True: "met", False: "not met", None: "not decided"}[window["met"]]
    kind = {True: "tl-met", False: "tl-unmet", None: "tl-open"}[window["met"]]
    label_y = row * _LABEL_ROW
    height = vertical[1] - label_y - _LABEL_ROW
    told = f"{_short(visible(window['summary']), _LABEL_CHARACTERS)}: {outcome}"
    # A label begins at its span, or as far before it as keeps its end on the drawing.
    label_x = max(6, min(left, _WIDTH - len(told) * _CHARACTER))
    return (
        f'<g class="tl-window {kind}"><rect x="{_n(left)}" y="{label_y + _LABEL_ROW}" width="{_n(max(1.5, right - left))}" height="{height}"/>'
        f'<text x="{_n(label_x)}" y="{label_y + 13}">{_t(told)}</text></g>'
    )


def _lane(node: str, events: Sequence[Event], scale: _Scale, vertical: tuple[int, int]) -> str:
    base = vertical[1] - 8
    name = visible(node)
    short = _short(name, _NAME_CHARACTERS)
    whole = f"<title>{_t(name)}</title>" if short != name else ""
    parts = [
        (
            f'<g class="tl-lane"><text class="tl-node" x="6" y="{base - 2}">{_t(short)}{whole}</text>'
            f'<line class="tl-rule" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{base}" y2="{base}"/>'
        )
    ]
    parts += _states([event for event in events if event["kind"] == "state"], scale, vertical[0] + 3)
    frames = [event for event in events if event["kind"] == "frame" and not event.get("deciding")]
    if frames:
        parts.append(_arrows(frames, scale, base))
    for event in events:
        if event["kind"] in ("log", "action"):
            parts.append(_mark(event, scale, base))
        elif event.get("deciding"):
            parts.append(_deciding(event, scale, base))
    return f"{''.join(parts)}</g>"


def _states(states: Sequence[Event], scale: _Scale, y: int) -> Iterator[str]:
    ends = [state["t_ms"] for state in states[1:]] + [scale.to_ms]
    for state, end_ms in zip(states, ends, strict=False):
        word = visible(state["state"])
        left, right = scale.x(state["t_ms"]), scale.x(end_ms)
        known = word.lower() if word in ("INIT", "BACKUP", "MASTER") else "other"
        fits = len(word) * _CHARACTER + 10 <= right - left
        label = f'<text x="{_n(left + 6)}" y="{y + 13}">{_t(word)}</text>' if fits else ""
        yield (
            f'<g class="tl-state tl-{known}"><rect x="{_n(left)}" y="{y}" width="{_n(max(1.5, right - left))}" height="{_BAND}">'
            f"<title>{_t(word)} from {_seconds(state['t_ms'])}</title></rect>{label}</g>"
        )


def _arrows(frames: Iterable[Event], scale: _Scale, base: int) -> str:
    # One path for all of them: a page has thousands. Only advertisements have a head.
    strokes = "".join(
        f"M{_n(scale.x(frame['t_ms']))} {base}{'v-16m-3 5l3-5l3 5' if frame['summary'].startswith(_ADVERTISEMENT) else 'v-8'}"
        for frame in frames
    )
    return f'<path class="tl-frame" d="{strokes}"/>'


def _deciding(event: Event, scale: _Scale, base: int) -> str:
    x = scale.x(event["t_ms"])
    return (
        f'<g class="tl-deciding"><title>Frame {event["frame"]:d} at {_seconds(event["t_ms"])}: {_t(_told(event))}</title>'
        f'<path d="M{_n(x)} {base}v-19m-5 8l5-8l5 8"/><text x="{_n(x + 8)}" y="{base - 8}">#{event["frame"]:d}</text></g>'
    )


def _mark(event: Event, scale: _Scale, base: int) -> str:
    # An action stands above the frames that it causes, a log line on the rule.
    kind, shape = (
        ("action", f"{base - 18}v-9l8 4.5z")
        if event["kind"] == "action"
        else ("log", f"{base + 3.5}l-3.5-3.5l3.5-3.5l3.5 3.5z")
    )
    return (
        f'<path class="tl-{kind}" d="M{_n(scale.x(event["t_ms"]))} {shape}">'
        f"<title>{_seconds(event['t_ms'])}: {_t(_told(event))}</title></path>"
    )


def _deciding_lines(events: Iterable[Event], scale: _Scale, vertical: tuple[int, int]) -> str:
    strokes = "".join(
        f"M{_n(scale.x(event['t_ms']))} {vertical[0]}V{vertical[1]}"
        for event in events
        if event.get("deciding")
    )
    return f'<path class="tl-decided" d="{strokes}"/>' if strokes else ""


def _axis(scale: _Scale, y: int) -> str:
    step_ms = _step_ms(scale.to_ms - scale.from_ms)
    first, last = math.ceil(scale.from_ms / step_ms), math.floor(scale.to_ms / step_ms)
    decimals = max(0, -math.floor(math.log10(step_ms / 1000)))
    ticks = [(_n(scale.x(number * step_ms)), number * step_ms / 1000) for number in range(first, last + 1)]
    numbers = "".join(f'<text x="{x}" y="{y + 18}">{told:.{decimals}f}</text>' for x, told in ticks)
    strokes = "".join(f"M{x} {y}v5" for x, _ in ticks)
    return (
        f'<g class="tl-axis"><g text-anchor="middle">{numbers}</g><path d="M{_LEFT} {y}H{_WIDTH - _RIGHT}{strokes}"/>'
        f'<text x="6" y="{y + 18}">seconds</text></g>'
    )


def _step_ms(span_ms: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that cuts the span into at most ten."""
    power = 10.0 ** math.floor(math.log10(span_ms / 10))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor * 10 >= span_ms * 0.999999)


def _description(timeline: Mapping[str, Any], lanes: Sequence[str], selection: Selection) -> str:
    parts = [f"Lanes: {', '.join(_short(visible(lane), 40) for lane in lanes)}."]
    for event in selection.events:
        if event["kind"] == "state":
            word, node = _short(visible(event["state"]), 20), _short(visible(event["node"]), 40)
            parts.append(f"{node} is {word} from {_seconds(event['t_ms'])}.")
        elif event.get("deciding"):
            parts.append(f"Frame {event['frame']} at {_seconds(event['t_ms'])} decided.")
    for window in timeline["windows"][:_MOST_WINDOWS]:
        end = "on" if window["to_ms"] is None else f"to {_seconds(window['to_ms'])}"
        outcome = {True: "met", False: "not met", None: "not decided"}[window["met"]]
        told = _short(visible(window["summary"]), _LABEL_CHARACTERS)
        parts.append(f"Expected from {_seconds(window['from_ms'])} {end}: {told}; {outcome}.")
    return _short(" ".join(parts), 1200)


def _told(event: Event) -> str:
    return _short(visible(event["summary"]), _SUMMARY_CHARACTERS)


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _seconds(t_ms: float) -> str:
    return f"{t_ms / 1000:.3f} s"


def _n(value: float) -> str:
    """A coordinate, short."""
    return f"{value:.1f}".removesuffix(".0")


def _t(told: str) -> str:
    """A text that stands between tags."""
    return escape(told)
