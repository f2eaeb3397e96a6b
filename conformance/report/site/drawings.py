"""Drawings of the site as SVG: trends over nights, the distribution of gaps over runs, badges."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence

from markupsafe import Markup

from conformance.report.visible import visible

_WIDTH, _HEIGHT, _EDGE = 560, 110, 44
_BADGE_HEIGHT, _CHARACTER = 20, 6.4


def trend(
    points: Sequence[tuple[str, float | None, str]], what: str, bounds: tuple[float, float] | None
) -> Markup:
    """A line through ``points`` (label, milliseconds or None, verdict), oldest first; ``bounds`` are drawn as a band. Empty if nothing was above 0."""
    known = [(place, value, verdict) for place, (_, value, verdict) in enumerate(points) if value is not None]
    if not any(value for _, value, _ in known):
        return Markup()  # made here, from escaped parts
    high = max([value for _, value, _ in known] + ([bounds[1]] if bounds else [])) * 1.1
    root = _drawing(f"{what} over {len(points)} nights, in seconds; last {known[-1][1] / 1000:.3f}")
    if bounds:
        top = _y(bounds[1], high)
        ET.SubElement(
            root,
            "rect",
            {
                "class": "tr-band",
                "x": str(_EDGE),
                "y": top,
                "width": str(_WIDTH - _EDGE - 8),
                "height": _n(float(_y(bounds[0], high)) - float(top)),
            },
        )
    _scale(root, high)
    step = (_WIDTH - _EDGE - 24) / max(len(points) - 1, 1)
    spots = [
        (_n(_EDGE + 8 + place * step), _y(value, high), verdict, points[place][0], value)
        for place, value, verdict in known
    ]
    ET.SubElement(root, "path", {"class": "tr-line", "d": "M" + "L".join(f"{x} {y}" for x, y, *_ in spots)})
    for x, y, verdict, label, value in spots:
        spot = ET.SubElement(root, "circle", {"class": f"f-{verdict}", "cx": x, "cy": y, "r": "4"})
        ET.SubElement(spot, "title").text = visible(
            f"{label}: {value / 1000:.3f} s, {verdict.replace('_', ' ')}"
        )
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704  # made here, from escaped parts


def distribution(values: Sequence[float], what: str, bounds: tuple[float, float] | None) -> Markup:
    """One tick a run on an axis of seconds, with ``bounds`` as a band; empty if none is above 0."""
    if not any(values):
        return Markup()  # made here, from escaped parts
    high = max([*values, bounds[1] if bounds else 0.0]) * 1.1
    root = _drawing(
        f"{what} of {len(values)} runs: {min(values) / 1000:.3f} to {max(values) / 1000:.3f} s", 56
    )
    left, span = 8, _WIDTH - 24

    def x(value: float) -> float:
        return left + value / high * span

    if bounds:
        ET.SubElement(
            root,
            "rect",
            {
                "class": "tr-band",
                "x": _n(x(bounds[0])),
                "y": "4",
                "width": _n(max(x(bounds[1]) - x(bounds[0]), 1)),
                "height": "28",
            },
        )
    strokes = "".join(f"M{_n(x(value))} 6v24" for value in sorted(values))
    ET.SubElement(root, "path", {"class": "tr-tick", "d": strokes})
    ET.SubElement(root, "path", {"class": "tr-axis", "d": f"M{left} 32H{left + span}"})
    for place in range(5):
        label = ET.SubElement(
            root,
            "text",
            {
                "class": "tr-text",
                "x": _n(x(high * place / 4)),
                "y": "48",
                "text-anchor": "start" if place == 0 else "middle",
            },
        )
        label.text = f"{high * place / 4000:.1f} s"
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704  # made here, from escaped parts


def badge(label: str, told: str, colour: str) -> str:
    """A badge for a README: a label and what is told of it; ``colour`` is a CSS colour."""
    label, told = visible(label)[:40], visible(told)[:40]
    left, right = (round(len(text) * _CHARACTER + 12) for text in (label, told))
    root = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "width": str(left + right),
            "height": str(_BADGE_HEIGHT),
            "role": "img",
            "aria-label": f"{label}: {told}",
        },
    )
    for x, width, fill, text in ((0, left, "#3d444d", label), (left, right, colour, told)):
        ET.SubElement(
            root, "rect", {"x": str(x), "width": str(width), "height": str(_BADGE_HEIGHT), "fill": fill}
        )
        written = ET.SubElement(
            root,
            "text",
            {
                "x": _n(x + width / 2),
                "y": "14",
                "fill": "#ffffff",
                "text-anchor": "middle",
                "font-family": "Verdana, DejaVu Sans, sans-serif",
                "font-size": "11",
            },
        )
        written.text = text
    return ET.tostring(root, encoding="unicode") + "\n"


def _drawing(told: str, height: int = _HEIGHT) -> ET.Element:
    return ET.Element(
        "svg", {"class": "tr", "viewBox": f"0 0 {_WIDTH} {height}", "role": "img", "aria-label": told}
    )


def _scale(root: ET.Element, high: float) -> None:
    for share in (0.0, 0.5, 1.0):
        y = _y(high * share / 1.1, high)
        ET.SubElement(root, "path", {"class": "tr-axis", "d": f"M{_EDGE} {y}H{_WIDTH - 8}"})
        label = ET.SubElement(root, "text", {"class": "tr-text", "x": "2", "y": _n(float(y) + 4)})
        label.text = f"{high * share / 1100:.2f} s"


def _y(value: float, high: float) -> str:
    return _n(_HEIGHT - 12 - value / high * (_HEIGHT - 20))


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
