"""Fuzzing: advertisements with up to four things changed, drawn by Hypothesis from a seed, and what must come of each: the model is the oracle."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from ipaddress import IPv4Address, ip_interface
from random import Random
from typing import TYPE_CHECKING, Any

from conformance.model.actions import State
from conformance.model.config import Interface
from conformance.model.dialects import Dialect
from conformance.model.machine import Host
from conformance.segment.segment import Segment
from conformance.targets.model.administrator import Administrator
from conformance.targets.protocol import Settings, SutHost
from conformance.wire.advertisement import Advertisement
from conformance.wire.frame import ETHERTYPE_IPV4, GROUP_IPV4, GROUP_MAC_IPV4, ethernet, ipv4, virtual_mac

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

SEED_VARIABLE = "CARP_CONFORMANCE_SEED"
"""The environment variable that gives another seed than :data:`SEED`."""
SEED = 112
_HANDFULS = 10
"""Hypothesis is quicker with few examples of many than with many of one."""
_INTERFACE = "fuzzed0"
_SECOND_NS = 1_000_000_000
_HEADER = ("version", "type", "vhid", "advskew", "authlen", "demote", "advbase")
_FOREIGN = tuple(map(IPv4Address, ("0.0.0.0", "10.0.0.1", "192.0.2.253", "203.0.113.7")))  # noqa: S104  # a source, nothing is bound
_DESTINATIONS = tuple(map(IPv4Address, ("224.0.0.1", "224.0.0.19", "255.255.255.255")))


class BadSeed(ValueError):
    """The seed of the environment is no whole number; ``given`` is what it is."""

    def __init__(self, given: str) -> None:
        self.given = given
        super().__init__(f"{SEED_VARIABLE} is {given!r}: give a whole number, or leave it out for {SEED}")


def seed_of(environment: Mapping[str, str] = os.environ) -> int:
    """The seed of everything random that is sent: that of the environment, or :data:`SEED`. Raises :class:`BadSeed`."""
    given = environment.get(SEED_VARIABLE, "")
    if not given:
        return SEED
    try:
        return int(given)
    except ValueError:
        raise BadSeed(given) from None


def tells_seed(wire: Segment) -> int:
    """The seed for a case, which from now on is on its time line and in the detail of its failure. Raises :class:`BadSeed`."""
    seed, told = seed_of(), wire.describe
    wire.note(f"draws at random from seed {seed}")

    def with_seed() -> str:
        return (
            f"{told()}\nwhat is random is drawn from seed {seed}: {SEED_VARIABLE}={seed} repeats it".lstrip()
        )

    wire.describe = with_seed
    return seed


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """A way to change an advertisement: names of what is changed, with the new value or the number of the bit that is flipped.

    The digest is made before the header is changed, the checksums afterwards.
    """

    changes: tuple[tuple[str, int], ...]

    def __str__(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.changes)

    def frame(self, advertisement: Advertisement) -> bytes:
        """The Ethernet frame of an IPv4 advertisement with the changes."""
        to = dict(self.changes)
        valid = advertisement.but(counter=to.get("counter", advertisement.counter)).header
        digest = _flipped(valid.digest, to.get("digest bit"))
        fields = {name: to[name] for name in _HEADER if name in to}
        payload = replace(valid, digest=digest, **fields).summed()  # type: ignore[arg-type]  # integers, by their names
        payload = payload[:6] + _flipped(payload[6:8], to.get("checksum bit")) + payload[8:]
        payload = payload[: to.get("cut to", len(payload))] + bytes(to.get("zeros behind", 0))
        source = _FOREIGN[to["source"]] if "source" in to else advertisement.source
        assert isinstance(source, IPv4Address), "it is over IPv4"
        packet = ipv4(
            source,
            _DESTINATIONS[to["destination"]] if "destination" in to else GROUP_IPV4,
            payload,
            ttl=to.get("ttl", 255),
            tos=to.get("tos", 0x10),
            identification=to.get("identification", 0),
            fragment=to.get("fragment offset", 0x4000),
        )
        packet = packet[:10] + _flipped(packet[10:12], to.get("IP checksum bit")) + packet[12:]
        mac = bytes([2, *to["source MAC"].to_bytes(5, "big")]) if "source MAC" in to else None
        framed = ethernet(GROUP_MAC_IPV4, mac or virtual_mac(advertisement.vhid), ETHERTYPE_IPV4, packet)
        return framed + b"\xff" * to.get("padding", 0)


def _flipped(data: bytes, bit: int | None) -> bytes:
    if bit is None:
        return data
    return (int.from_bytes(data, "big") ^ 1 << bit).to_bytes(len(data), "big")


@cache
def drawn(seed: int, count: int) -> tuple[Fuzzed, ...]:
    """At most ``count`` different ways to change an advertisement, the same ones for the same ``seed``; a third of them of nothing that a receiver looks at."""
    from hypothesis import HealthCheck, Phase, given, settings  # here: it takes a quarter of a second
    from hypothesis import seed as seeded
    from hypothesis import strategies as st
    from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS

    AVAILABLE_PROVIDERS["plainly"] = "conformance.suite.plainly.Plainly"
    found: dict[Fuzzed, None] = {}

    @seeded(seed)
    @settings(
        backend="plainly",
        max_examples=_HANDFULS,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(_changes(), min_size=count // _HANDFULS, max_size=count // _HANDFULS))
    def collect(handful: list[Fuzzed]) -> None:
        found.update(dict.fromkeys(handful))

    kept = gc.get_freeze_count()
    gc.freeze()  # Hypothesis looks once through everything for garbage, which takes as long as all that it draws
    try:
        collect()
    finally:
        if not kept:
            gc.unfreeze()
    return tuple(found)


def _changes() -> SearchStrategy[Fuzzed]:
    from hypothesis import strategies as st

    def some(ranges: Mapping[str, tuple[int, int]], least: int, most: int) -> SearchStrategy[list[Any]]:
        each = [
            st.tuples(st.just(name), st.one_of(st.sampled_from(limits), st.integers(*limits)))
            for name, limits in ranges.items()
        ]
        one = st.one_of(each)
        return st.lists(one, min_size=least, max_size=most, unique_by=lambda change: str(change[0]))

    byte = 0, 255
    odd = {
        "type": (0, 15),
        "authlen": byte,
        "counter": (0, 2**64 - 1),
        "zeros behind": (1, 64),
        "tos": byte,
        "identification": (0, 65_535),
        "padding": (1, 64),
        "source": (0, len(_FOREIGN) - 1),
        "source MAC": (0, 2**40 - 1),
    }
    wrong = {
        "version": (0, 15),
        "vhid": byte,
        "advskew": byte,
        "demote": byte,
        "advbase": byte,
        "digest bit": (0, 159),
        "checksum bit": (0, 15),
        "IP checksum bit": (0, 15),
        "cut to": (0, 35),
        "ttl": byte,
        "fragment offset": (1, 0x1FFF),
        "destination": (0, len(_DESTINATIONS) - 1),
    }
    wrongs = st.tuples(some(wrong, 1, 2), some(odd, 0, 2)).map(lambda both: both[0] + both[1])
    return st.one_of(some(odd, 1, 3), wrongs, wrongs).map(lambda changes: Fuzzed(tuple(sorted(changes))))


def oracle(dialect: Dialect, host: SutHost, settings: Settings, farewell: bytes) -> Callable[[bytes], bool]:
    """Whether a MASTER of ``dialect`` on ``host`` with ``settings`` yields to a frame: the model of it does, in thought.

    ``farewell`` is an advertisement of 255/255, which makes it MASTER again.
    """
    own = tuple(ip_interface(f"{address}/24") for address in host.addresses if address.version == 4)
    machine = Host("oracle", dialect, [Interface(_INTERFACE, host.mac, own)], Random(SEED))
    now_ns = _SECOND_NS

    def wait_for(state: State, longest_ns: int) -> bool:
        nonlocal now_ns
        deadline_ns = now_ns + longest_ns
        while machine.state(_INTERFACE, settings.vhid) is not state:
            due_ns = machine.next_deadline_ns
            if due_ns is None or due_ns > deadline_ns:
                now_ns = deadline_ns
                return False
            now_ns = max(now_ns, due_ns)
            machine.tick(now_ns)
        return True

    def yields(frame: bytes) -> bool:
        machine.receive(now_ns, _INTERFACE, frame)
        yielded = wait_for(State.BACKUP, dialect.reaction_window_ns[1])
        machine.receive(now_ns, _INTERFACE, farewell)
        assert wait_for(State.MASTER, dialect.reaction_window_ns[1]), "255/255 makes it MASTER"
        return yielded

    Administrator(machine, _INTERFACE).configure(now_ns, settings)
    assert wait_for(State.MASTER, 60 * _SECOND_NS), "on a silent segment it becomes MASTER"
    return yields
