"""Replays a recording into the model and lists what differs: frames, their times, log lines, states,
counters.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from conformance.model.actions import Action, Count, Log, Send
from conformance.model.config import link_local_of
from conformance.model.dialects import Dialect
from conformance.model.onwire import Identification
from conformance.wire import vrrp3
from conformance.wire.frame import ArpOperation, Frame, NeighbourMessage, decode
from conformance.wire.header import PROTOCOL, checksum
from tests.model.guests import Guest
from tests.model.recordings import Recording, Said, Typed

MS = 1_000_000


class Recorded(Random):
    """The recorded system's random numbers: the counters and identifications of its advertisements, in their
    order.
    """

    def __init__(self) -> None:
        super().__init__(0)
        self.adverts: list[Frame] = []
        self.guest: Guest | None = None

    def getrandbits(self, bits: int) -> int:
        assert self.guest is not None
        sent = self.guest.host.counters["opackets"] + self.guest.host.counters["opackets6"]
        at = sent if bits == 64 else sent - 1
        if at >= len(self.adverts):
            return 0
        frame = self.adverts[at]
        if bits == 16:
            return frame.ip.identification if frame.ip is not None else 0
        return int.from_bytes(frame.carp.counter, "big") if frame.carp is not None else 0


@dataclass(slots=True)
class Played:
    """What one guest did, recorded and modelled."""

    guest: Guest
    recorded: list[tuple[int, str, bytes]] = field(default_factory=list)
    modelled: list[tuple[int, str, bytes]] = field(default_factory=list)
    lateness_ns: list[int] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    before: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """What the model did with one crafted frame."""

    case: str
    level: int
    before: str
    after: str
    delta: dict[str, int]
    log: str


_INPUT = (
    "ipackets",
    "ipackets6",
    "badif",
    "badttl",
    "hdrops",
    "badsum",
    "badver",
    "badlen",
    "badauth",
    "badvhid",
)
PORTS = {"openbsd": ("vio0", "vio1")}


class Replay:
    """Plays ``recording`` into hosts of ``dialect``. ``delay_ns`` is added to the time of each command: when
    it took effect.
    """

    def __init__(
        self,
        recording: Recording,
        dialect: Dialect,
        segments: tuple[str, ...] = ("br-carp",),
        *,
        delay_ns: int = 0,
        early_ns: int = 12 * MS,
        delays_ns: dict[str, int] | None = None,
    ) -> None:
        self.recording, self.dialect, self.segments = recording, dialect, segments
        self.delay_ns, self.early_ns = delay_ns, early_ns
        self.delays_ns = delays_ns or {}
        self.played: dict[str, Played] = {}
        self.crafted: dict[int, str] = {}
        self.responses: list[Response] = []

    def run(self) -> Replay:
        for typed in self.recording.typed:
            if typed.command.startswith("boot "):
                self._boot(typed)
        self._find_crafted()
        self._preset_addresses()
        events: list[tuple[int, int, object]] = []
        for number, (when, _segment, _data) in enumerate(self.recording.frames):
            events.append((when, 1, number))
        events += [
            (typed.time_ns + self.delays_ns.get(typed.command, self.delay_ns), 0, typed)
            for typed in self.recording.typed
            if typed.guest
        ]
        events += [(said.time_ns, 2, said) for said in self.recording.said if said.guest in self.played]
        last = max(when for when, _, _ in self.recording.frames)
        for when, _kind, what in sorted(events, key=lambda one: (one[0], one[1])):
            if when > last and not (
                isinstance(what, Said) and what.kind == "answer" and what.text.startswith("<")
            ):
                continue  # the capture ended before the machines did
            if isinstance(what, Typed):
                self._type(when, what)
            elif isinstance(what, Said):
                self._hear(what)
            else:
                assert isinstance(what, int)
                self._frame(when, what)
        return self

    def _boot(self, typed: Typed) -> None:
        words = typed.command.split()
        macs = [
            bytes.fromhex(word.replace(":", "")) for word in words[1:] if re.fullmatch(r"(..:){5}..", word)
        ]
        if len(macs) < len(self.segments):
            macs.append(bytes([*macs[0][:5], macs[0][5] + 0x10]))
        names = PORTS.get(self.dialect.key, ("vtnet0", "vtnet1"))
        rng = Recorded()
        guest = Guest(
            typed.guest,
            self.dialect,
            {names[at]: (segment, macs[at]) for at, segment in enumerate(self.segments)},
            rng,
        )
        rng.guest = guest
        self.played[typed.guest] = Played(guest)
        own = next((word for word in words if "/" in word), None)
        if own is not None:
            guest.run(0, f"inet {names[0]} {own}")

    def _find_crafted(self) -> None:
        """The frames that the tester sent, also where they are copies of a guest's own."""
        sent = [
            (typed.time_ns, typed.command[5:])
            for typed in self.recording.typed
            if typed.command.startswith("SEND ")
        ]
        for when, words in sent:
            title, _, text = words.rpartition(" ")
            data = bytes.fromhex(text)
            at = next(
                (
                    n
                    for n, (t, _, frame) in enumerate(self.recording.frames)
                    if t >= when - 5 * MS and frame.startswith(data) and n not in self.crafted
                ),
                None,
            )
            if at is not None:
                self.crafted[at] = title
            elif len(self.segments) > 1:  # sent on the segment that was not recorded
                self.recording.frames.append((when, self.segments[1], data))
                self.crafted[len(self.recording.frames) - 1] = title

    def _preset_addresses(self) -> None:
        """Which recorded adverts are whose: needed before the first of them is modelled."""
        own: dict[str, list[str]] = {name: [] for name in self.played}
        for typed in self.recording.typed:
            words = typed.command.split()
            if (
                typed.guest in own
                and words
                and words[0] in ("inet", "inet6")
                and words[1] in self.played[typed.guest].guest.host.ports
            ):
                own[typed.guest].append(words[2].split("/")[0])
        for number, (when, segment, data) in enumerate(self.recording.frames):
            frame = decode(data)
            if (
                frame.ip is None
                or frame.ip.protocol != PROTOCOL
                or number in self.crafted
                or not advertises(frame)
            ):
                continue
            for name, played in self.played.items():
                source = str(frame.ip.source)
                local = {str(port.link_local()) for port in played.guest.host.ports.values()} | {
                    str(a) for a in _link_locals(played.guest)
                }
                if source in own[name] or played.guest.owns(frame.ip.source) or source in local:
                    played.recorded.append((when, segment, data))
                    rng = played.guest.host.rng
                    assert isinstance(rng, Recorded)
                    rng.adverts.append(frame)

    def _owner(self, number: int) -> Played | None:
        when, segment, data = self.recording.frames[number]
        if number in self.crafted:
            return None
        for played in self.played.values():
            if data[6:12] in played.guest.macs or (when, segment, data) in played.recorded:
                return played
            frame = decode(data)
            if (
                frame.arp is not None
                and data[6:12].startswith(b"\0\0\x5e\0\1")
                and frame.arp.gratuitous
                and self._last_master() is played
            ):
                return played
            if (
                frame.neighbour is not None
                and data[6:12].startswith(b"\0\0\x5e\0\1")
                and self._last_master() is played
            ):
                return played
        return None

    def _last_master(self) -> Played | None:
        return max(
            (one for one in self.played.values() if one.modelled),
            key=lambda one: one.modelled[-1][0],
            default=None,
        )

    def _frame(self, when: int, number: int) -> None:
        _, segment, data = self.recording.frames[number]
        owner = self._owner(number)
        if owner is not None:
            due = owner.guest.host.next_deadline_ns
            if advertises(decode(data)) and due is not None and due - self.early_ns <= when:
                owner.lateness_ns.append(when - due)
                self._take(owner, max(when, due), owner.guest.host.tick(max(when, due)))
            elif self._of_interest(owner, decode(data)) and not advertises(decode(data)):
                owner.recorded.append((when, segment, data))
        for played in self.played.values():
            port = played.guest.segments.get(segment)
            if played is not owner and port is not None and number in self.crafted:
                self._craft(played, when, port, data, self.crafted[number])
            elif played is not owner and port is not None:
                self._take(played, when, played.guest.host.receive(when, port, data))

    def _craft(self, played: Played, when: int, port: str, data: bytes, title: str) -> None:
        """A crafted frame, at the log level that its title names if it does."""
        host = played.guest.host
        level = re.match(r"\[log=(\d)\] ", title)
        if level:
            host.sysctl(when, "log", int(level[1]))
        self._take(played, when, host.tick(when))
        before = [vhost.state.value for vhost in host.vhosts()]
        actions = host.receive(when, port, data)
        counts = Counter(
            action.counter for action in actions if isinstance(action, Count) and action.counter in _INPUT
        )
        lines = [f"<{action.level}>{action.text}" for action in actions if isinstance(action, Log)]
        title = re.sub(r"^\[log=\d\] ", "", title)
        self.responses.append(
            Response(
                title,
                host.read_sysctl("log"),
                before[0],
                next(host.vhosts()).state.value,
                dict(counts),
                "\n".join(lines),
            )
        )
        self._take(played, when, actions)

    def _type(self, when: int, typed: Typed) -> None:
        if typed.guest not in self.played or typed.command.startswith("boot "):
            return
        played = self.played[typed.guest]
        if typed.command.startswith("stats"):
            played.before = dict(played.guest.host.counters)
        self._take(played, when, played.guest.run(when, typed.command))

    def _hear(self, said: Said) -> None:
        played = self.played[said.guest]
        text = said.text
        if (
            re.search(r"^<\d>carp|^carp[_:]|^<\d>carp\d;|invalid version|dropping looped", text)
            and not text.startswith("<6>carp_")
            and (said.kind != "answer" or self.dialect.key == "openbsd")
        ):
            played.said.append(text)
        state = re.search(r"vhid (\d+) .*state (\w+)", text)
        if said.kind == "answer" and state:
            vhost = next((one for one in played.guest.host.vhosts() if one.vhid == int(state[1])), None)
            if vhost is not None and vhost.state.value != state[2]:
                played.differences.append(
                    f"{said.guest}: recorded state {state[2]}, model {vhost.state.value}"
                )
        elif said.kind == "answer" and re.match(
            r"(ipackets|opackets|ipackets6|opackets6|bad\w+|preempt)=", text
        ):
            for name, value in re.findall(r"(\w+)=(\d+)", text):
                low, high = played.before.get(name, 0), played.guest.host.counters[name]
                if not low <= int(value) <= high:
                    played.differences.append(f"{said.guest}: recorded {name}={value}, model {low} to {high}")
        elif text.startswith("net.inet.carp.suppress_preempt: "):
            value = int(text.rsplit(" ", 1)[1])
            if played.guest.host.read_sysctl("suppress_preempt") != value:
                played.differences.append(
                    f"{said.guest}: recorded suppress_preempt {value}, model {played.guest.host.demotion}"
                )

    def _take(self, played: Played, when: int, actions: list[Action]) -> None:
        segment_of = {port: segment for segment, port in played.guest.segments.items()}
        for action in actions:
            if isinstance(action, Send):
                frame = decode(action.frame)
                if advertises(frame) or self._of_interest(played, frame):
                    played.modelled.append((when, segment_of[action.interface], action.frame))
            elif isinstance(action, Log):
                played.logs.append(f"<{action.level}>{action.text}")

    def _of_interest(self, played: Played, frame: Frame) -> bool:
        shared = played.guest.shared
        if frame.arp is not None:
            return str(frame.arp.sender) in shared and (
                frame.arp.gratuitous or frame.arp.operation == ArpOperation.REPLY
            )
        if frame.neighbour is not None:
            return (
                frame.neighbour.message is NeighbourMessage.ADVERTISEMENT
                and str(frame.neighbour.target) in shared
            )
        return (
            frame.ip is not None
            and frame.ip.protocol in (1, 58)
            and str(frame.ip.source) in shared
            and frame.payload[:1] in (b"\0", b"\x81")
        )

    # comparison

    def wrong(self, *, late_ns: int, log_tail: int = 0) -> list[str]:
        """What differs, one sentence each. ``late_ns`` is how late a recorded frame may be against the
        model's timer or reaction; ``log_tail`` how many log
        lines the model may have beyond the recorded ones (the console was read a moment earlier).
        """
        found: list[str] = []
        for name, played in self.played.items():
            found += played.differences
            found += [
                f"{name}: a timer was {late / MS:.1f} ms off"
                for late in played.lateness_ns
                if not -self.early_ns <= late <= late_ns
            ]
            for segment in self.segments:
                for kind in ("carp4", "carp6", "arp", "neighbour", "echo"):
                    recorded = [
                        (when, data)
                        for when, where, data in sorted(played.recorded)
                        if where == segment and kind_of(data) == kind
                    ]
                    modelled = [
                        (when, data)
                        for when, where, data in played.modelled
                        if where == segment and kind_of(data) == kind
                    ]
                    if len(recorded) != len(modelled):
                        found.append(
                            f"{name}: {len(recorded)} {kind} recorded on {segment}, {len(modelled)} modelled"
                        )
                    for (when, data), (own_when, own_data) in zip(recorded, modelled, strict=False):
                        if self.plain(data) != self.plain(own_data):
                            found.append(
                                f"{name}: {kind} at {when}: recorded {data.hex()}, modelled {own_data.hex()}"
                            )
                        if not -self.early_ns <= when - own_when <= late_ns:
                            found.append(
                                f"{name}: {kind} at {when} modelled {(own_when - when) / MS:.1f} ms later"
                            )
            logs = (
                played.logs
                if any(line.startswith("<") for line in played.said)
                else [re.sub(r"^<\d>", "", line) for line in played.logs]
            )
            if played.said != logs[: len(played.said)] or len(logs) - len(played.said) > log_tail:
                found.append(
                    f"{name}: log lines differ: "
                    + " | ".join(difflib.unified_diff(played.said, logs, lineterm="", n=0))
                )
        return found

    def plain(self, data: bytes) -> bytes:
        """A frame without what the model does not claim: a counted IPv4 identification (and the header sum
        over it).
        """
        frame = decode(data)
        if frame.ip is None or frame.ip.version != 4:
            return data
        if not advertises(frame):
            return data[:14] + frame.ip.source.packed + frame.ip.destination.packed + frame.payload
        if self.dialect.identification is not Identification.COUNTING:
            return data
        header = bytearray(data[14:34])
        header[4:6] = header[10:12] = bytes(2)
        header[10:12] = checksum(header).to_bytes(2, "big")
        return data[:14] + bytes(header) + data[34:]


def advertises(frame: Frame) -> bool:
    """Whether a frame is an advertisement, of CARP or of VRRPv3."""
    return frame.carp is not None or vrrp3.read(frame) is not None


def kind_of(data: bytes) -> str:
    """What a frame is: carp4, carp6, arp, neighbour or echo."""
    frame = decode(data)
    if advertises(frame) and frame.ip is not None:
        return f"carp{frame.ip.version}"
    return "arp" if frame.arp is not None else "neighbour" if frame.neighbour is not None else "echo"


def _link_locals(guest: Guest) -> list[object]:
    return [link_local_of(mac) for mac in guest.macs]
