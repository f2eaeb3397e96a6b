"""Captures from the simulator for the tests of ``judge``: clusters of model hosts in virtual time, with a fault on the way if wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from conformance.model.dialects import Dialect, dialect
from conformance.segment.simulated import SimulatedSwitch, Weather
from conformance.segment.trace import Trace
from conformance.targets.model.bench import ModelBench
from conformance.targets.protocol import Iut, Settings
from conformance.wire.frame import ETHERTYPE_IPV4
from conformance.wire.header import checksum
from tests.judge.making import Timed, pcap

SECOND = 1_000_000_000
PASSWORD = "simulated"
OTHER = "simulated too"
"""A password that the operator knows as well."""
VIP, VIP2, VIP3 = "192.0.2.100", "192.0.2.101", "192.0.2.102"
VIP6 = "2001:db8::100"

OnTheWay = Callable[[bytes], Iterable[bytes]]
"""What becomes of a frame between a host and everybody else."""


class _Cable:
    """A host's attachment to the switch, which may do something to what the host sends."""

    def __init__(self, switch: SimulatedSwitch) -> None:
        self._switch = switch
        self.does: OnTheWay = lambda frame: (frame,)

    def transmit(self, source: str, frame: bytes) -> None:
        for arrives in self.does(frame):
            self._switch.transmit(source, arrives)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._switch, name)


class Cluster:
    """Model hosts a, b, … of these dialects on one segment; everything that the tester hears is the capture."""

    def __init__(self, *dialects: str | Dialect, seed: int = 1, jitter_ns: int = 30_000) -> None:
        rules = tuple(one if isinstance(one, Dialect) else dialect(one) for one in dialects)
        self.bench = ModelBench(rules, seed)
        self.trace = Trace()
        self.port = self.bench.port(self.trace)
        self.bench.switch.weather = Weather(jitter_ns=jitter_ns)
        self.hosts = self.bench.hosts
        for host in self.hosts.values():
            host.switch = _Cable(host.switch)  # type: ignore[attr-defined]

    def start(self, name: str, *addresses: str, **settings: Any) -> Iut:
        """Starts vhid 1 on host ``name`` with the shared address, or ``addresses``."""
        shared = tuple(ip_address(one) for one in addresses or (VIP,))
        return self.hosts[name].start(Settings(**{"password": PASSWORD, "addresses": shared, **settings}))

    def run(self, seconds: float) -> None:
        """Lets that time pass."""
        self.bench.loop.run_for(round(seconds * SECOND))

    def on_the_way(self, name: str, does: OnTheWay) -> None:
        """From now on this is done to what host ``name`` sends."""
        self.hosts[name].switch.does = does  # type: ignore[attr-defined]

    def deaf(self, name: str, to: str) -> None:
        """From now on host ``name`` does not hear host ``to``."""
        self.bench.switch.part(to, name, parted=True, both_ways=False)

    def frames(self) -> list[Timed]:
        """The capture so far; its clock begins with its first frame."""
        first_ns = self.trace.frames[0].time_ns
        return [(seen.time_ns - first_ns, seen.frame.data) for seen in self.trace.frames]

    def write(self, folder: Path) -> Path:
        """Writes the capture as a file into ``folder``."""
        path = folder / "simulated.pcap"
        path.write_bytes(pcap(self.frames()))
        return path


def is_advertisement(frame: bytes) -> bool:
    """Whether it is a CARP advertisement over IPv4."""
    return frame[12:14] == ETHERTYPE_IPV4.to_bytes(2, "big") and frame[23] == 112


def changing(offset: int, value: int) -> OnTheWay:
    """Sets byte ``offset`` of every IPv4 advertisement, and makes the checksum of its header right again: that of IP, or that of CARP."""

    def does(frame: bytes) -> Iterable[bytes]:
        if not is_advertisement(frame):
            return (frame,)
        data = bytearray(frame)
        data[offset] = value
        start, end, at = (14, 34, 24) if 14 <= offset < 34 else (34, 70, 40)
        if offset >= 14:
            data[at : at + 2] = b"\0\0"
            data[at : at + 2] = checksum(bytes(data[start:end])).to_bytes(2, "big")
        return (bytes(data),)

    return does


def without(refused: Callable[[bytes], bool]) -> OnTheWay:
    """Loses the frames that ``refused`` names."""
    return lambda frame: () if refused(frame) else (frame,)
