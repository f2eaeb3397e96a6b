"""What is worth telling a person: findings with a severity, one sentence, and the frames that show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum

from conformance.judge.form import Ref
from conformance.judge.keyring import Material
from conformance.wire.digest import Address

MAX_FRAMES = 16


class Severity(IntEnum):
    """How bad it is: the service is at risk now, it will be some day, or it is good to know."""

    ERROR = 0
    WARNING = 1
    NOTICE = 2

    @property
    def word(self) -> str:
        """For documents and pages."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: ``id`` is stable and for programs, ``text`` is for people, ``frames`` show it."""

    id: str
    severity: Severity
    text: str
    frames: tuple[Ref, ...]


def finding(name: str, severity: Severity, text: str, frames: Iterable[Ref]) -> Finding:
    """A finding with at most 16 frames, in the order of the capture and each once."""
    return Finding(name, severity, text, tuple(sorted(dict.fromkeys(frames)))[:MAX_FRAMES])


def clock(time_ns: int) -> str:
    """The time of day of a time stamp, UTC, in milliseconds: ``14:03:07.250``."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%H:%M:%S}.{rest // 1_000_000:03d}"
    except (OverflowError, ValueError, OSError):
        return f"{seconds} s"


def duration(time_ns: int) -> str:
    """A duration for people: milliseconds below a second, else seconds with one decimal."""
    return f"{time_ns / 1e6:.0f} ms" if time_ns < 1_000_000_000 else f"{time_ns / 1e9:.1f} s"


def several(addresses: Iterable[Address]) -> str:
    """Addresses in order, joined for a sentence."""
    names = [str(address) for address in sorted(addresses, key=lambda one: (one.version, int(one)))]
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else "".join(names)


def password_words(material: Material) -> str:
    """Which password a digest was made with; never the password itself."""
    if material.password is None:
        return "no password"
    words = f"password {material.password + 1} of those given"
    if material.long:
        words += " with all of its first 20 characters"
    if material.mixed is not None:
        words += (
            f" over the tail of password {material.mixed + 1} (the key was not cleared when it was changed)"
        )
    return words


def difference(other: Material, own: Material) -> tuple[str, str]:
    """The id and the words of what makes a digest over ``other`` unbelievable to a host with ``own``:
    password, addresses, order or MAC.
    """
    if (other.password, other.mixed, other.long) != (own.password, own.mixed, own.long):
        return (
            "password-differs",
            f"its digest is made with {password_words(other)}, the other's with {password_words(own)}",
        )
    extra, missing = other.address_set - own.address_set, own.address_set - other.address_set
    if extra or missing:
        if all(address.is_link_local for address in extra | missing):
            return (
                "link-local-context",
                (
                    f"its digest {_covers(extra, missing)}: one side "
                    "hashes link-local addresses, the other does not"
                ),
            )
        if len(extra) + len(missing) == 1:
            return "one-address-differs", f"its digest {_covers(extra, missing)}"
        return "addresses-differ", f"its digest {_covers(extra, missing)}"
    if other.in_order != own.in_order:
        return (
            "address-order",
            (
                "its digest covers the same addresses in the order of "
                "configuration, as FreeBSD 5 and 6 do, the other's in ascending order"
            ),
        )
    return "lladdr-differs", "its digest also covers a hand-made link-layer address (OpenBSD lladdr)"


def _covers(extra: frozenset[Address], missing: frozenset[Address]) -> str:
    parts = []
    if extra:
        parts.append(f"covers {several(extra)} too")
    if missing:
        parts.append(f"lacks {several(missing)}")
    return " and ".join(parts)
