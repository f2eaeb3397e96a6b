"""The tester's cables into the networks of virtual machines."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pyroute2 import IPRoute

from conformance.lab.hypervisor import SYSTEM, Hypervisor, HypervisorError

_ASK_S = 30


@dataclass(frozen=True, slots=True)
class Cable:
    """A cable into a network of libvirt: the name of the end that is plugged in, and name and MAC address of the tester's end."""

    network: str
    port: str
    tester: str
    mac: str


@contextmanager
def plugged(there: Hypervisor, cable: Cable) -> Iterator[None]:
    """The cable in the bridge of its network as long as the context lasts; the calling thread is on the network of ``there``. Raises :class:`HypervisorError`."""
    said = subprocess.run(
        there.command(["virsh", "--connect", SYSTEM, "net-dumpxml", cable.network]),
        capture_output=True, text=True, check=True, timeout=_ASK_S,
    ).stdout  # fmt: skip
    bridge = re.search(r"<bridge name='([^']+)'", said)
    if bridge is None:
        raise HypervisorError(
            f"libvirt's network {cable.network} has no bridge",
            f"remove it: virsh net-destroy {cable.network}",
        )
    with IPRoute() as ip:
        _unplug(ip, cable)
        ip.link("add", ifname=cable.port, kind="veth", peer={"ifname": cable.tester, "address": cable.mac})
        try:
            for name in (cable.port, cable.tester, bridge[1]):
                with suppress(OSError):
                    Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1", encoding="ascii")
            master = ip.link_lookup(ifname=bridge[1])[0]
            ip.link("set", index=master, kind="bridge", br_mcast_snooping=0)
            ip.link("set", index=ip.link_lookup(ifname=cable.port)[0], master=master, state="up")
            ip.link("set", index=ip.link_lookup(ifname=cable.tester)[0], state="up")
            yield
        finally:
            _unplug(ip, cable)


def _unplug(ip: IPRoute, cable: Cable) -> None:
    for index in ip.link_lookup(ifname=cable.port):
        ip.link("del", index=index)
