"""Checks the recorded cases against their captures: what the wire shows, compared with what the results say it showed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from conformance.report.certificate.capture import DamagedCapture
from conformance.report.results import Case

_EXACT_MS: Final = 0.0025
"""Times in results are rounded to a microsecond; two of them, and the capture's, may differ by this."""
_MET, _MISSED = "as expected: ", "MISMATCH: "
_ANCHORED = re.compile(r" ([\d.]+) (ms|s) to ([\d.]+) (ms|s) after frame (\d+)\b")
_LONGEST_COMMENT: Final = 0xFFFF
_AGREES: Final[Mapping[str, str]] = {"pass": "pass", "fail": "fail", "known_deviation": "fail"}


class Basis(Enum):
    """What a verdict rests on, the strongest that applies."""

    MONITOR = "a monitor recomputed it from the capture"
    WINDOW = "the times of its frames were measured again in the capture"
    FRAMES = "the frames that decided it are in the capture, and are what the results say"
    HOST = "no frame decided it: it rests on what the host said of itself, on what a command reported, or on what never came"
    NONE = "nothing was decided"


@dataclass(frozen=True, slots=True)
class Shown:
    """A captured frame in words: when, its summary, its fields, the comments on it."""

    time_ns: int
    summary: str
    fields: tuple[tuple[str, str], ...]
    comments: tuple[str, ...]


@dataclass(eq=False)
class UnusableBasis(Exception):
    """What the monitors of a case were told makes no sense, and why."""

    problem: str

    def __str__(self) -> str:
        return f"what the results say that its monitors were told cannot be used: {self.problem}"


class Asked(Enum):
    """Whether the monitors that watched a case could be asked again about its capture."""

    AGAIN = "were asked again: of the frames, and of what the tester says of itself (addresses given, times of its actions)"
    LOCKED = "were not asked again, because their password is not public: give it with --pass-file"
    UNTOLD = "were not asked again, because the results do not say what they were told"
    NOTHING = "saw nothing to judge"


@dataclass(frozen=True, slots=True)
class Breach:
    """A requirement that a monitor sees broken, as ``invariants`` of a case has it."""

    id: str
    monitor: str
    host: str
    text: str
    frames: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Monitored:
    """What the monitors of a run see in a capture if they are told what they were told in the run."""

    held: frozenset[str]
    broken: tuple[Breach, ...]


@dataclass(frozen=True, slots=True)
class Witness:
    """What a capture shows by itself; ``verdicts`` are those of the monitors on what the tester did not send.

    ``monitored`` is None if nothing was told, or a password is missing.
    """

    comment: str
    frames: Mapping[int, Shown]
    verdicts: Mapping[str, str]
    monitored: Monitored | None = None


See = Callable[[bytes, str, Mapping[str, Any] | None], Witness]
"""Reads a capture of an implementation of the given dialect; the third is ``basis`` of the case's ``invariants``. Raises :class:`DamagedCapture`, :class:`UnusableBasis`."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One case checked: how many of its decisions the wire shows and how many it does not, and what contradicts it."""

    case: str
    verdict: str
    basis: Basis
    on_wire: int
    on_host: int
    recomputed: Mapping[str, str]
    contradictions: tuple[str, ...]
    described: tuple[str, ...] = ()
    """Frames that are described, and invariants that are judged, otherwise than in the results; that contradicts them if the same code did both."""
    asked: Asked = Asked.NOTHING


def check(case: Case, data: bytes | None, dialect: str, see: See) -> Checked:
    """``case`` against its capture (None: it has none)."""
    decided = case["verdict"] in _AGREES
    decisions = len(case["expected"]) if decided else 0
    if data is None:
        contradictions = (f"its capture {case['evidence']} is missing",) if case["evidence"] else ()
        basis = Basis.HOST if decided else Basis.NONE
        return Checked(case["id"], case["verdict"], basis, 0, decisions, {}, contradictions)
    try:
        witness = see(data, dialect, (case.get("invariants") or {}).get("basis"))
    except (DamagedCapture, UnusableBasis) as error:
        return Checked(case["id"], case["verdict"], Basis.NONE, 0, decisions, {}, (str(error),))
    judged = {one: witness.verdicts[one] for one in case["requirements"] if one in witness.verdicts}
    measured = tuple(_windows(case, witness))
    wrong = (
        *_told(case, witness),
        *_time_line(case, witness),
        *(problem for problem in measured if problem is not None),
        *_judged(case, judged),
    )
    on_wire = min(sum(_has_comment(witness, text) for text in case["expected"]), decisions)
    recomputed = {one: said for one, said in judged.items() if said == _AGREES.get(case["verdict"])}
    return Checked(
        case["id"], case["verdict"], _basis(decided, recomputed, measured, case), on_wire, decisions - on_wire, recomputed, wrong,
        (*_described(case, witness), *_invariants(case, witness)), _asked(case, witness),
    )  # fmt: skip


def _asked(case: Case, witness: Witness) -> Asked:
    recorded = case.get("invariants")
    if recorded is None or not (recorded["held"] or recorded["broken"] or recorded.get("basis")):
        return Asked.NOTHING
    if recorded.get("basis") is None:
        return Asked.UNTOLD
    return Asked.LOCKED if witness.monitored is None else Asked.AGAIN


def _invariants(case: Case, witness: Witness) -> Iterator[str]:
    """What the monitors see now and the results do not say, and what they say and the monitors do not see."""
    seen, recorded = witness.monitored, case.get("invariants")
    if seen is None or recorded is None:
        return
    exempt = {*recorded["basis"]["exempt"]}
    broken = {(one.id, one.host, one.frames) for one in seen.broken if one.id not in exempt}
    said = {(one["id"], one["host"], tuple(one["frames"])) for one in recorded["broken"]}
    for id, host, _ in sorted(broken - said):
        yield f"the monitors see {id} broken by {host} in its capture, the results do not say so"
    for id, host, _ in sorted(said - broken):
        yield f"the results say that {host} broke {id}, the monitors do not see it in its capture"
    held = seen.held - exempt
    for id in sorted(held ^ {*recorded["held"]}):
        yield f"the monitors {'see' if id in held else 'do not see'} {id} hold in its capture, the results say otherwise"


def _basis(decided: bool, recomputed: Mapping[str, str], measured: Sequence[str | None], case: Case) -> Basis:
    if not decided:
        return Basis.NONE
    if recomputed:
        return Basis.MONITOR
    if measured:
        return Basis.WINDOW
    return Basis.FRAMES if case["frames"] else Basis.HOST


def _has_comment(witness: Witness, expected: str) -> bool:
    return bool(expected) and any(
        text.startswith((f"{_MET}{expected};", f"{_MISSED}{expected};"))
        for shown in witness.frames.values()
        for text in shown.comments
    )


def _told(case: Case, witness: Witness) -> Iterator[str]:
    """The capture's own account of the case: its verdict, its deciding frames, what was found of them."""
    told = f"{case['id']}: {case['verdict']}. {case['reason']}".encode()[:_LONGEST_COMMENT].decode(
        errors="ignore"
    )
    if witness.comment != told:
        yield f"its capture was written for {witness.comment[:160]!r}, the results say {told[:160]!r}"
    commented = [number for number, shown in witness.frames.items() if shown.comments]
    if commented != list(case["frames"]):
        yield f"its capture marks the frames {commented} as deciding, the results {list(case['frames'])}"
    missed = [
        number
        for number in commented
        if any(text.startswith(_MISSED) for text in witness.frames[number].comments)
    ]
    if missed and case["verdict"] == "pass":
        yield f"frame {missed[0]} of its capture is marked as a mismatch, the results say pass"


def _time_line(case: Case, witness: Witness) -> Iterator[str]:
    """The frames of the time line: whether they are there, decide, and lie as far apart."""
    zero_ns: float | None = None
    for event in _frames(case):
        shown = witness.frames.get(event["frame"])
        if shown is None:
            yield f"frame {event['frame']} of its time line is not in the capture"
            continue
        if bool(event.get("deciding")) != bool(shown.comments):
            yield f"frame {event['frame']} is deciding in only one of capture and time line"
        began_ns = shown.time_ns - event["t_ms"] * 1e6
        zero_ns = began_ns if zero_ns is None else zero_ns
        if abs(began_ns - zero_ns) > _EXACT_MS * 1e6:
            yield f"frame {event['frame']} was captured at another time than the results say"


def _described(case: Case, witness: Witness) -> Iterator[str]:
    """The frames of the time line in words, once more."""
    for event in _frames(case):
        shown = witness.frames.get(event["frame"])
        if shown is None:
            continue
        if shown.summary != event["summary"]:
            yield f"frame {event['frame']} is {shown.summary!r}, the results say {event['summary']!r}"
        if "fields" in event and [list(pair) for pair in shown.fields] != event["fields"]:
            yield f"the fields of frame {event['frame']} are not those in the results"


def _frames(case: Case) -> list[Mapping[str, Any]]:
    return [event for event in (case["timeline"] or {"events": ()})["events"] if event["kind"] == "frame"]


def _windows(case: Case, witness: Witness) -> Iterator[str | None]:
    """A row for each window that the frames of the capture can be held against: None, or what does not fit."""
    times = {event["frame"]: event["t_ms"] for event in _frames(case)}
    for window in (case["timeline"] or {"windows": ()})["windows"]:
        if window["met"] is None or window["to_ms"] is None or window["summary"].startswith("not "):
            continue
        anchor = _anchor(window, times)
        if anchor is not None:
            yield anchor
            continue
        prefix = f"{_MET if window['met'] else _MISSED}{window['summary']};"
        hits = [
            times[number]
            for number, shown in witness.frames.items()
            if number in times and any(text.startswith(prefix) for text in shown.comments)
        ]
        if hits:
            inside = any(window["from_ms"] - _EXACT_MS <= hit <= window["to_ms"] + _EXACT_MS for hit in hits)
            yield None if inside == window["met"] else _misfit(window, hits)


def _misfit(window: Mapping[str, Any], hits: Sequence[float]) -> str:
    return (
        f"{window['summary']!r}: the deciding frame came at {hits[0]:g} ms, the window is {window['from_ms']:g} to "
        f"{window['to_ms']:g} ms, and the results say {'met' if window['met'] else 'not met'}"
    )


def _anchor(window: Mapping[str, Any], times: Mapping[int, float]) -> str | None:
    """What is wrong if a window that is counted from a frame does not lie where that frame puts it."""
    found = _ANCHORED.search(window["summary"])
    if found is None or int(found[5]) not in times:
        return None
    began = times[int(found[5])]
    for bound, number, unit in (("from_ms", found[1], found[2]), ("to_ms", found[3], found[4])):
        unit_ms = 1000.0 if unit == "s" else 1.0
        rounding_ms = 0.5 * (1.0 if unit == "s" else 0.1)
        if abs(began + float(number) * unit_ms - window[bound]) > rounding_ms + _EXACT_MS:
            return f"{window['summary']!r}: frame {found[5]} puts the window elsewhere than the results do"
    return None


def _judged(case: Case, judged: Mapping[str, str]) -> Iterator[str]:
    if case["verdict"] == "pass":
        for requirement, said in judged.items():
            if said == "fail":
                yield f"a monitor sees {requirement} broken in its capture, the results say pass"
