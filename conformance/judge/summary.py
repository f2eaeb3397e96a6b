"""The summary of a judgement for a person at a terminal."""

from __future__ import annotations

from typing import Any

_MARK = {"error": "✘", "warning": "!", "notice": "·"}
_MAX_EVENTS = 12
_MAX_RANKS = 6


def plain(text: str) -> str:
    """``text`` without control characters: a capture's name is not to be trusted by a terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def summary_text(document: dict[str, Any]) -> str:
    """The document of ``judge`` in words, one paragraph a virtual host; ends with a line feed."""
    lines = [f"{plain(', '.join(document['captures']))}: {document['frames']} frames{_span(document)}"]
    for host in document["vhids"]:
        lines += ["", *_host(host)]
    if not document["vhids"]:
        lines += ["", "no CARP advertisement was found"]
    for election in document["vrrp"]:
        lines += ["", *_vrrp(election)]
    if document["findings"]:
        lines += ["", "on the segment:", *(_finding(one) for one in document["findings"])]
    if document["unreadable"]:
        lines += ["", "not read:", *(f"  {plain(one)}" for one in document["unreadable"])]
    lines += ["", _verdicts(document["requirements"])]
    return "\n".join(lines) + "\n"


def _span(document: dict[str, Any]) -> str:
    """From when to when, so that times of day need no date."""
    began, ended = document["started"], document["ended"]
    if not (document["vhids"] or document["vrrp"]) or not (began.endswith("Z") and ended.endswith("Z")):
        return ""
    until = ended[11:19] if ended[:10] == began[:10] else f"{ended[:10]} {ended[11:19]}"
    return f", {began[:10]} {began[11:19]} to {until} UTC"


def title(host: dict[str, Any]) -> str:
    """``vhid 10 over IPv4``, with the VLANs if there are any."""
    vlans = "".join(f", VLAN {vlan}" for vlan in host["vlans"])
    return f"vhid {host['vhid']} over IPv{host['family']}{vlans}"


def _host(host: dict[str, Any]) -> list[str]:
    checked = f", {host['authenticated']} authentic" if host["authenticated"] else ""
    addresses = f" for {', '.join(host['addresses'])}" if host["addresses"] else ""
    lines = [f"{title(host)}{addresses}: {host['advertisements']} advertisements{checked}"]
    lines += [_finding(one) for one in host["findings"]]
    lines += [_speaker(one) for one in host["speakers"]]
    return [*lines, *_events(host)]


def _events(host: dict[str, Any]) -> list[str]:
    events = [(one["time"], _handover(one)) for one in host["handovers"]] + [
        (one["time"], _dual(one)) for one in host["dual_master"]
    ]
    events.sort()
    more = len(events) - _MAX_EVENTS + host["more_events"]
    lines = [f"    {text}" for _, text in events[:_MAX_EVENTS]]
    return [*lines, f"    and {more} more events"] if more > 0 else lines


def vrrp_title(election: dict[str, Any]) -> str:
    """``VRRP vrid 10 over IPv4``, with the VLANs if there are any."""
    vlans = "".join(f", VLAN {vlan}" for vlan in election["vlans"])
    return f"VRRP vrid {election['vrid']} over IPv{election['family']}{vlans}"


def _vrrp(election: dict[str, Any]) -> list[str]:
    routers = [
        f"    {one['source']}: {one['packets']} packets, VRRPv{one['version']} priority {one['priority']} every {one['interval_ms'] / 1000:.3f} s"
        for one in election["routers"]
    ]
    return [f"{vrrp_title(election)}: {election['packets']} packets", *routers, *_events(election)]


def frames_text(one: dict[str, Any], limit: int = 16) -> str:
    """``frame 3`` or ``frames 3, 4``; with several captures each frame tells its capture: ``3 of capture
    2``.
    """
    captures = one.get("in")
    names = [str(frame) for frame in one["frames"]]
    if captures is not None:
        names = [f"{name} of capture {capture + 1}" for name, capture in zip(names, captures, strict=True)]
    shown = ", ".join(names[:limit]) + (" …" if len(names) > limit else "")
    return f"frame{'s' if len(names) > 1 else ''} {shown}"


def _finding(one: dict[str, Any]) -> str:
    frames = f" [{frames_text(one, 6)}]" if one["frames"] else ""
    return f"  {_MARK[one['severity']]} {plain(one['text'])}{frames}"


def _speaker(one: dict[str, Any]) -> str:
    timers = f", advbase {one['advbase']} advskew {one['advskew']}" if one["advbase"] is not None else ""
    others = [rank for rank in one["announced"] if rank != [one["advbase"], one["advskew"]]]
    timers += f" (also {', '.join(f'{base}/{skew}' for base, skew in others[:_MAX_RANKS])})" if others else ""
    timers += f", demote up to {one['most_demote']}" if one["most_demote"] else ""
    interval = f", every {one['interval_ms'] / 1000:.3f} s" if one["interval_ms"] is not None else ""
    guess = "probably " if one["guessed"] else ""
    return (
        f"    {one['source']}: {one['advertisements']} "
        f"advertisements{timers}{interval}, {guess}{' or '.join(one['dialect'])}"
    )


def _clock(time: str) -> str:
    return time[11:23] if time.endswith("Z") else time


def _handover(one: dict[str, Any]) -> str:
    gap = f" after {one['gap_ms']:.0f} ms" if one["gap_ms"] is not None else ""
    origin = f"{one['from']} -> " if one["from"] is not None else ""
    return f"{_clock(one['time'])} master: {origin}{one['to']} ({one['cause']}{gap}, frame {frame_at(one, 'frame')})"


def _dual(one: dict[str, Any]) -> str:
    return (
        f"{_clock(one['time'])} two masters for {one['ms'] / 1000:.3f} s: "
        f"{' and '.join(one['masters'])} (frames {frame_at(one, 'from_frame')} to {frame_at(one, 'to_frame')})"
    )


def frame_at(one: dict[str, Any], name: str) -> str:
    """A frame; with several captures it tells its capture."""
    capture = one.get(name.replace("frame", "capture"))
    return str(one[name]) if capture is None else f"{one[name]} of capture {capture + 1}"


def _verdicts(requirements: list[dict[str, Any]]) -> str:
    failed = [one for one in requirements if one["verdict"] == "fail"]
    passed = sum(one["verdict"] == "pass" for one in requirements)
    open_ = len(requirements) - passed - len(failed)
    names = f": {', '.join(one['id'] for one in failed)}" if failed else ""
    return f"requirements: {passed} pass, {len(failed)} fail, {open_} inconclusive{names}"
