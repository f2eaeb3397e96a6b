"""The rehearsed medium: models of the box's dialect in virtual time, set up as the PIXIT declares, that run already."""

from __future__ import annotations

from ipaddress import ip_interface

from conformance.model.config import Interface
from conformance.model.dialects import Dialect
from conformance.segment.loop import Loop
from conformance.segment.segment import Port
from conformance.segment.trace import Event, FrameSeen, Trace
from conformance.targets.blackbox.box import settings_of
from conformance.targets.blackbox.medium import OnFrame
from conformance.targets.model.bench import ModelBench
from conformance.targets.model.host import INTERFACE
from conformance.targets.model.target import SEED
from conformance.targets.pixit import Pixit, PixitHost
from conformance.targets.protocol import Iut, Settings
from conformance.wire.digest import Address

_SETTLE_NS, _DEAD_RATIO = 1_000_000_000, 3


def _interface(host: PixitHost, number: int, shared: tuple[Address, ...]) -> Interface:
    """The interface of a model that stands for ``host``: its addresses, in subnets that the shared addresses are in, too."""
    return Interface(
        INTERFACE,
        host.mac or bytes([2, 0, 0, 0, 2, number]),
        tuple(ip_interface(f"{one}/{_prefix(one, shared)}") for one in host.addresses),
    )


def _prefix(own: Address, shared: tuple[Address, ...]) -> int:
    """The length of the longest usual prefix that ``own`` has in common with all of ``shared`` of its family and scope."""
    alike = [one for one in shared if (one.version, one.is_link_local) == (own.version, own.is_link_local)]
    usual = 24 if own.version == 4 else 64
    return min([usual, *(own.max_prefixlen - (int(own) ^ int(one)).bit_length() for one in alike)])


class RehearsedMedium:
    """A :class:`conformance.targets.blackbox.medium.Medium`. The models have the addresses of ``pixit``."""

    def __init__(self, pixit: Pixit, rules: Dialect) -> None:
        own = {
            host.name: _interface(host, number, pixit.shared_addresses)
            for number, host in enumerate(pixit.hosts, 1)
        }
        self._bench, self._rules = ModelBench((rules,) * len(pixit.hosts), SEED, own), rules
        self.loop: Loop = self._bench.loop
        self._rows: dict[str, dict[int, Settings]] = {host.name: {} for host in pixit.hosts}
        for row in pixit.declared:
            self._rows[row.host][row.vhid] = settings_of(row, pixit.password)
        self._running: dict[tuple[str, int], Iut] = {}
        self._ended: set[str] = set()
        self._unplugged: set[str] = set()

    def open(self, on_frame: OnFrame) -> Port:
        """A new world, in which all that is not silenced has run for a while."""
        world = Trace()
        port = self._bench.port(world)
        self.loop = self._bench.loop
        self._running.clear()
        for host in self._rows:
            if host in self._unplugged:
                self._bench.hosts[host].cable(plugged=False)
            if host not in self._ended:
                self._start(host)
        slowest_ns = max(
            self._rules.start_window_ns(row.advbase, row.advskew, _DEAD_RATIO)[1]
            for rows in self._rows.values()
            for row in rows.values()
        )
        self.loop.run_for(slowest_ns + _SETTLE_NS)

        def hand_over(event: Event) -> None:
            if isinstance(event, FrameSeen):
                on_frame(event.time_ns, event.frame.data, event.sent)

        world.listeners.append(hand_over)
        return port

    def act(self, action: str, host: str, settings: Settings) -> None:
        match action:
            case "link_down" | "link_up":
                (self._unplugged.add if action == "link_down" else self._unplugged.discard)(host)
                self._bench.hosts[host].cable(plugged=action == "link_up")
            case "stop" | "kill":
                self._end(host, orderly=action == "stop")
                self._ended.add(host)
            case "configure":
                self._end(host, orderly=False)
                if len(self._rows[host]) == 1:
                    self._rows[host].clear()
                self._rows[host][settings.vhid] = settings
                self._start(host)
            case _:  # start and reboot
                self._ended.discard(host)
                self._end(host, orderly=False)
                self._start(host)

    def close(self) -> None:
        """Nothing to detach: the next case gets a new world."""

    def stalled_ns(self) -> int:
        return 0

    def clock_step_ns(self) -> int:
        return 0

    def _start(self, host: str) -> None:
        for vhid, settings in self._rows[host].items():
            self._running[host, vhid] = self._bench.hosts[host].start(settings)

    def _end(self, host: str, *, orderly: bool) -> None:
        for vhid in self._rows[host]:
            iut = self._running.get((host, vhid))
            if iut is not None:
                iut.stop() if orderly else iut.kill()
