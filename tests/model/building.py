"""Hosts and frames for the unit tests: a host with one virtual host in a wanted state, and advertisements of
a peer.
"""

from __future__ import annotations

from ipaddress import ip_address
from random import Random

from conformance.model.actions import Action, Count, Log, Send, State
from conformance.model.config import Interface, VhostConfig
from conformance.model.dialects import Dialect, dialect
from conformance.model.machine import Host
from conformance.wire.digest import AddressRule, Secret
from conformance.wire.frame import Frame, advertisement, decode, virtual_mac
from conformance.wire.header import Header

SECOND = 1_000_000_000
MS = 1_000_000
MAC = bytes.fromhex("02000000000a")
PEER_MAC = bytes.fromhex("0200000000fe")
OWN, PEER, SHARED = "192.0.2.11", "192.0.2.254", "192.0.2.1"
OWN6, SHARED6 = "2001:db8::11", "2001:db8::1"
PASSWORD = "pass4carp1"
NOW = 100 * SECOND


def family(name: str) -> Dialect:
    """A dialect by its key."""
    return dialect(name)


class Bench:
    """A host with the clock that drives it."""

    def __init__(
        self,
        key: str | Dialect,
        *,
        config: VhostConfig | None = None,
        state: State | None = None,
        own: tuple[str, ...] = (f"{OWN}/24",),
        sysctl: dict[str, int] | None = None,
        second: bool = False,
    ) -> None:
        self.dialect = key if isinstance(key, Dialect) else family(key)
        interfaces = [Interface("em0", MAC, own)] + (
            [Interface("em1", MAC[:5] + b"\x1a", ("198.51.100.11/24",))] if second else []
        )
        self.host = Host("a", self.dialect, interfaces, Random(7), sysctl=sysctl or {})
        self.now = NOW
        self.config = config or VhostConfig(1, (SHARED,), PASSWORD, advskew=100)
        self.log: list[Action] = self.host.configure(self.now, "em0", self.config)
        if state is not None:
            self.to(state)

    def to(self, state: State) -> None:
        """Brings the virtual host into a state by waiting or hearing a better peer."""
        if state is State.MASTER:
            self.wait(30 * SECOND, until=State.MASTER)
        elif self.dialect.poll_loop is None and self.state is State.MASTER:
            self.hear()
        assert self.state is state

    @property
    def state(self) -> State:
        return self.host.state("em0", self.config.vhid)

    def wait(self, duration: int, until: State | None = None) -> list[Action]:
        """Lets time pass, timers running when they are due."""
        end, found = self.now + duration, []
        while (due := self.host.next_deadline_ns) is not None and due <= end:
            self.now = due
            found += self.host.tick(due)
            if until is not None and self.state is until:
                return found
        self.now = end
        return found

    def advert(self, advbase: int = 1, advskew: int = 0, **more: object) -> bytes:
        """A valid advertisement of the peer; ``more`` changes it: header fields, password, addresses, source,
        ttl, payload_tail, source_mac.
        """
        header_fields = {
            name: more.pop(name)
            for name in ("version", "type", "authlen", "demote", "vhid", "counter")
            if name in more
        }
        vhid, counter = (
            int(str(header_fields.pop("vhid", self.config.vhid))),
            header_fields.pop("counter", bytes(7) + b"\x09"),
        )
        rule = AddressRule.SINGLE if self.dialect.key == "ucarp" else AddressRule.ASCENDING
        secret = Secret(
            str(more.pop("password", PASSWORD)),
            more.pop("addresses", self.config.addresses),
            more.pop("rule", rule),
        )  # type: ignore[arg-type]
        header = Header(
            vhid, advskew, advbase, counter, secret.digest(vhid, counter), **header_fields
        ).summed()  # type: ignore[arg-type]
        if "cut" in more:
            header = header[: int(str(more.pop("cut")))]
        source = ip_address(str(more.pop("source", PEER)))
        return advertisement(header + more.pop("tail", b""), source, source_mac=virtual_mac(vhid), **more)  # type: ignore[arg-type,operator]

    def hear(self, *args: int, **more: object) -> list[Action]:
        """The peer's advertisement arrives; in a poll loop, waits until it was seen."""
        actions = self.host.receive(self.now, "em0", self.advert(*args, **more))
        return actions if self.dialect.poll_loop is None else actions + self.wait(1000 * MS)

    def receive(self, frame: bytes) -> list[Action]:
        return self.host.receive(self.now, "em0", frame)


def sent(actions: list[Action]) -> list[Frame]:
    """The frames among the actions."""
    return [decode(one.frame) for one in actions if isinstance(one, Send)]


def adverts(actions: list[Action]) -> list[Frame]:
    return [one for one in sent(actions) if one.carp is not None]


def lines(actions: list[Action]) -> list[str]:
    return [one.text for one in actions if isinstance(one, Log)]


def counted(actions: list[Action]) -> list[str]:
    return [one.counter for one in actions if isinstance(one, Count)]
