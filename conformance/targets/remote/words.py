"""What a machine says of itself, line by line: kernel log lines and devd(8) notices, as events of the time line."""

from __future__ import annotations

import re
from dataclasses import dataclass

from conformance.segment.trace import HostKind

POLL_NS = 20_000_000
"""Between two looks at ifconfig, where a machine does not tell a change of state by itself."""

_LOGGED = re.compile(r"^(?:\w{3} [ \d]\d [\d:]{8}|\d{4}-\d\d-\d\dT\S+) \S+ (?:kernel|/bsd): (?P<text>.*)$")
_REPEATED = re.compile(
    r"^(?:\w{3} [ \d]\d [\d:]{8}|\d{4}-\d\d-\d\dT\S+) \S+ last message repeated (?P<times>\d+) times?$"
)
_FREEBSD = re.compile(
    r"^carp: (?P<vhid>\d+)@(?P<device>\S+): (?:(?P<before>INIT)|BACKUP|MASTER) -> (?P<state>INIT|BACKUP|MASTER)\b"
)
_DEVICE = re.compile(
    r"^carp(?P<number>\d+): (?:state transition: )?(?:(?P<before>INIT)|BACKUP|MASTER) -> (?P<state>INIT|BACKUP|MASTER)\b"
)
_LINK_UP = re.compile(r"^carp(?P<number>\d+): link state changed to UP$")
_DEVD = re.compile(
    r"^!system=CARP subsystem=(?P<vhid>\d+)@(?P<device>\S+) type=(?P<state>INIT|BACKUP|MASTER)\b"
)
_ROUTE = re.compile(r"\bname: (?P<device>carp\d+), link: (?P<link>\w+)")
_LINKS = {"master": "MASTER", "backup": "BACKUP"}
_SHOWN = re.compile(r"^shown (?P<device>\S+) carp: (?P<state>INIT|BACKUP|MASTER)\b.*\bvhid (?P<vhid>\d+)\b")


@dataclass(frozen=True, slots=True)
class Word:
    """One thing that a machine said. ``device`` is the interface that it names, if it names one; ``times`` how often it was said.

    ``before`` is INIT where it says that it has just left that state: when an address is added it lasts no time, and nothing else tells it.
    """

    kind: HostKind
    text: str
    device: str | None = None
    vhid: int | None = None
    times: int = 1
    before: str | None = None


def hear(line: str, states_from: str) -> list[Word]:
    """What a line means: of the log file (as syslogd writes it), of devd, of route(8) monitor, or ``shown IF carp: …`` of a look at ifconfig; nothing where it means nothing.

    A log line of a change of state is a change of state too if ``states_from`` is ``the log``: two sources of the same news would overtake each other.
    """
    if (match := _DEVD.match(line) or _SHOWN.match(line)) is not None:
        return [Word(HostKind.STATE, match["state"], match["device"], int(match["vhid"]))]
    if (match := _ROUTE.search(line)) is not None and line.startswith("RTM_IFINFO"):
        return [Word(HostKind.STATE, _LINKS.get(match["link"], "INIT"), match["device"])]
    if (match := _REPEATED.match(line)) is not None:
        return [Word(HostKind.LOG, "", times=int(match["times"]))]
    logged = _LOGGED.match(line)
    if logged is None:
        return []
    text = logged["text"]
    words = [Word(HostKind.LOG, text, _named(text))]
    if states_from != "the log":
        return words
    if (match := _FREEBSD.match(text)) is not None:
        words.append(
            Word(HostKind.STATE, match["state"], match["device"], int(match["vhid"]), before=match["before"])
        )
    elif (match := _DEVICE.match(text)) is not None:
        words.append(Word(HostKind.STATE, match["state"], f"carp{match['number']}", before=match["before"]))
    elif (match := _LINK_UP.match(text)) is not None:
        words.append(Word(HostKind.STATE, "MASTER", f"carp{match['number']}"))
    return words


_NAMES = (
    re.compile(r"^carp: \d+@(?P<device>\S+): "),
    re.compile(r"VHID \d+@(?P<device>\w+)"),
    re.compile(r"^(?P<device>[a-z_]+\d+[ab]?)[:;] "),
    re.compile(r"\bon (?P<device>[a-z_]+\d+[ab]?)$"),
)


def _named(text: str) -> str | None:
    for pattern in _NAMES:
        if (match := pattern.search(text)) is not None:
            return match["device"]
    return None
