"""Reads the recordings in fixtures/captures: frames, the commands that were typed, and what the recorded
system said.
"""

from __future__ import annotations

import json
import re
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

CAPTURES = Path(__file__).parents[2] / "fixtures" / "captures"
SECOND = 1_000_000_000


def frames(path: Path) -> list[tuple[int, bytes]]:
    """Every frame of a classic pcap file with its time in nanoseconds."""
    data = path.read_bytes()
    assert data[:4] == b"\xd4\xc3\xb2\xa1"
    found, at = [], 24
    while at < len(data):
        seconds, micros, length, _original = struct.unpack_from("<IIII", data, at)
        found.append((seconds * SECOND + micros * 1000, data[at + 16 : at + 16 + length]))
        at += 16 + length
    return found


@dataclass(frozen=True, slots=True)
class Typed:
    """A command that was given to a guest."""

    time_ns: int
    guest: str
    command: str


@dataclass(frozen=True, slots=True)
class Said:
    """What a guest printed: ``kind`` is console, answer or dmesg."""

    time_ns: int
    guest: str
    kind: str
    text: str


@dataclass(slots=True)
class Recording:
    """One recorded scenario: frames by segment, commands and answers in order."""

    frames: list[tuple[int, str, bytes]] = field(default_factory=list)
    typed: list[Typed] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)


def _at(day_ns: int, clock: str) -> int:
    """Nanoseconds since the epoch of a time of day (UTC) on the day of ``day_ns``."""
    hour, minute, rest = clock.split(":")
    midnight = datetime.fromtimestamp(day_ns // SECOND, UTC).replace(hour=0, minute=0, second=0)
    whole, _, part = rest.partition(".")
    return (int(midnight.timestamp()) + int(hour) * 3600 + int(minute) * 60 + int(whole)) * SECOND + int(
        part.ljust(9, "0")
    )


_LINE = re.compile(r"^(\d\d:\d\d:\d\d\.\d+)\s+\S+ (?:(\w) )?(.*)$")


def console_log(
    system: str, name: str, segments: dict[str, str]
) -> Recording:  # one case for each kind of line
    """A recording of the legacy FreeBSD or OpenBSD guests; ``segments`` maps the name of a segment to its
    pcap file's suffix.
    """
    folder, recording = CAPTURES / system, Recording()
    for segment, suffix in segments.items():
        recording.frames += [(when, segment, data) for when, data in frames(folder / f"{name}{suffix}.pcap")]
    recording.frames.sort(key=lambda one: one[0])
    day_ns = recording.frames[0][0]
    for line in (folder / f"{name}.log").read_text().splitlines():
        match = _LINE.match(line)
        if not match:
            continue
        when, guest, text = _at(day_ns, match[1]), match[2], match[3]
        if guest is None:
            for start in ("fbsd9-up ", "obsd-up "):
                if text.startswith(start):
                    recording.typed.append(Typed(when, text.split()[1], "boot " + " ".join(text.split()[2:])))
            if text.startswith("SEND "):
                recording.typed.append(Typed(when, "", text))
            elif text.startswith("RESULT "):
                recording.said.append(Said(when, "", "result", text[7:]))
        elif text.startswith("$ "):
            recording.typed.append(Typed(when, guest, text[2:]))
        elif text.startswith("qemu-monitor: "):
            recording.typed.append(Typed(when, guest, text[14:]))
        elif text.startswith("console: K: "):
            recording.said.append(Said(when, guest, "console", text[12:]))
        elif text.startswith("    "):
            recording.said.append(Said(when, guest, "answer", text[4:]))
    return recording


_STEP = re.compile(r"^(\d\d:\d\d:\d\d\.\d+) (?:\[(\w)\]# )?(.*)$")


def steps(system: str, name: str) -> Recording:
    """A recording of the FreeBSD 13 and 15 guests: its steps, and the kernel messages of each guest (without
    times).
    """
    folder, recording = CAPTURES / system, Recording()
    recording.frames = [(when, "br-carp", data) for when, data in frames(folder / f"{name}.pcap")]
    day_ns = recording.frames[0][0]
    before = 0
    for line in (folder / f"{name}_steps.txt").read_text().splitlines():
        match = _STEP.match(line)
        if match is None:
            continue
        when = _at(day_ns, match[1])
        when += (
            SECOND if when < before else 0
        )  # the recorder rounded some milliseconds up to 000 without the second
        before = when
        if match[2]:
            recording.typed.append(Typed(when, match[2], match[3].split("   -> ")[0]))
        elif cable := re.match(r"host: the tap of (\w) loses carrier", match[3]):
            recording.typed.append(Typed(when, cable[1], "set_link nic0 off"))
        elif cable := re.match(r"link of (\w) up:", match[3]):
            recording.typed.append(Typed(when, cable[1], "set_link nic0 on"))
        elif match[3].startswith(("fbsd-up ", "fbsdc-up ")):
            recording.typed.append(Typed(when, match[3].split()[1], "boot " + " ".join(match[3].split()[2:])))
    for path in sorted(folder.glob(f"{name}_dmesg*.txt")):
        guest = path.stem[-1] if path.stem[-2] == "_" else "a"
        recording.said += [Said(0, guest, "dmesg", text) for text in path.read_text().splitlines()]
    return recording


def table(system: str, name: str) -> list[dict]:
    """The JSON table of a bad-packets run."""
    return json.loads((CAPTURES / system / f"{name}.json").read_text())
