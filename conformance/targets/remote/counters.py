"""What ``netstat -s -p carp`` prints, as text or as libxo's JSON, read into the names of ``struct carpstats``."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from conformance.catalogue import COUNTERS
from conformance.model.platform import LIBXO

FIELDS = COUNTERS
"""The fields of ``struct carpstats``, in their order; each is an unsigned number of 64 bits."""
_LINES: Sequence[tuple[str, str]] = (
    ("ipackets", r"packets? received \(IPv4\)"),
    ("ipackets6", r"packets? received \(IPv6\)"),
    ("badif", r"packets? discarded for bad interface"),
    ("badttl", r"packets? discarded for wrong TTL"),
    ("hdrops", r"packets? shorter than header"),
    ("badsum", r"discarded for bad checksums?"),
    ("badver", r"discarded packets? with a bad version"),
    ("badlen", r"discarded because packet too short"),
    ("badauth", r"discarded for bad authentication"),
    ("badvhid", r"discarded for (?:bad|unknown) vhid"),
    ("badaddrs", r"discarded because of a bad address list"),
    ("opackets", r"packets? sent \(IPv4\)"),
    ("opackets6", r"packets? sent \(IPv6\)"),
    ("onomem", r"send failed due to mbuf memory error"),
    ("preempt", r"transitions? to master"),
)
_PATTERNS = tuple((name, re.compile(rf"^\s*(\d+) {line}$", re.MULTILINE)) for name, line in _LINES)


class NoCounters(ValueError):
    """An output that holds no CARP counters."""

    def __init__(self, text: str) -> None:
        self.text = text
        said = text.strip() or "nothing"
        super().__init__(
            f"netstat told no CARP counters, but {said[:200]!r}: load carp(4), kldload carp on FreeBSD"
        )


def read_text(text: str) -> dict[str, int]:
    """The counters of the plain output. Raises :class:`NoCounters` if one that every BSD prints is missing."""
    found = {
        name: int(match[1]) for name, line in _PATTERNS if (match := line.search(text.replace("\t", " ")))
    }
    if not {"ipackets", "badauth", "opackets"} <= set(found):
        raise NoCounters(text)
    return found


def read_json(text: str) -> dict[str, int]:
    """The counters of ``netstat --libxo json``. Raises :class:`NoCounters`."""
    try:
        told = json.loads(text)["statistics"]["carp"]
        return {name: int(told[key]) for name, key in LIBXO.items()}
    except (ValueError, KeyError, TypeError) as error:
        raise NoCounters(text) from error


def read_struct(text: str) -> dict[str, int]:
    """All counters, ``badif`` too, in the order of ``struct carpstats`` (each an unsigned number of 64 bits).

    ``text`` is ``sysctl -b net.inet.carp.stats`` as od(1) prints it, one number after the other; the result is empty if they are not that many.
    """
    words = text.split()
    if len(words) != len(FIELDS) or not all(word.isdigit() for word in words):
        return {}
    return dict(zip(FIELDS, map(int, words), strict=True))
