"""What a model host does as a whole machine (:mod:`conformance.targets.platform`): its command line, its boot, its clock, its drivers."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any

from conformance.lab.shell import Said
from conformance.model.actions import State
from conformance.model.config import ConfigurationError
from conformance.model.machine import PREFIX
from conformance.targets.model.shell import ModelShell
from conformance.targets.protocol import Iut, Settings
from conformance.wire.digest import Address

if TYPE_CHECKING:
    from conformance.targets.model.host import ModelHost

BOOT_NS = 20_000_000_000
"""From the network's being up until all services run."""
ROUTES_NS = 4_000_000_000
"""From one router advertisement to the next."""
_EINVAL = 22
_PARAMETERS = {"advbase": "advbase", "advskew": "advskew", "key": "password"}


class Stack:
    """One more network stack on a machine (a :class:`conformance.targets.platform.Commanding`)."""

    def __init__(self, host: ModelHost) -> None:
        self._host, self.interface_name = host, host.interface_name

    def command(self, line: str, *, undo: str = "", user: str = "root") -> Said:  # noqa: ARG002  # nothing outlives the case
        return ModelShell(self._host).run(line, user)


class ModelPlatform:
    """The abilities of a :class:`conformance.targets.model.host.ModelHost` as a machine."""

    def __init__(self, host: ModelHost) -> None:
        self._host = host
        self._stacked: tuple[str, ...] = ()

    def command(self, line: str, user: str) -> Said:
        """The answer of its shell."""
        return ModelShell(self._host).run(line, user)

    def reboot(self, tunables: Mapping[str, int], virtual: Settings | None) -> Iut | None:
        """A new machine in the place of the old one, on the same interfaces."""
        host, rules = self._host, self._host.machine.dialect
        known = {
            name: value for name, value in tunables.items() if name != PREFIX + "allow" or rules.allow_at_boot
        }
        host.box.boot(known)
        iut = None if virtual is None else host.start(virtual)
        if rules.boot_demotion:
            loop = host.bench.loop
            host.demote(rules.boot_demotion)
            loop.at(loop.now_ns() + BOOT_NS, lambda: host.demote(-rules.boot_demotion))
        return iut

    def advertise_routes(self, source: IPv6Address) -> None:
        """A daemon that sends again and again."""
        host, loop = self._host, self._host.bench.loop

        def send() -> None:
            host.carry_out(host.machine.advertise_router(host.box.now_ns(), host.interface_name, source))
            loop.at(loop.now_ns() + ROUTES_NS, send)

        send()

    def report_link(self, *, reported: bool) -> None:
        """The link is up, or its state is not known."""
        host = self._host
        host.carry_out(host.machine.report_link(host.box.now_ns(), host.interface_name, reported))

    def stack(self, kinds: tuple[str, ...]) -> None:
        """What virtual hosts run on from now on."""
        self._stacked = kinds

    def member(self, *, up: bool) -> None:
        """One of two members; the link on top of them stays."""
        host, rules = self._host, self._host.machine.dialect.common
        if not up and rules.forgets_with_a_member:
            for vhid in host.configured():
                host.carry_out(host.machine.destroy(host.box.now_ns(), host.interface_name, vhid))

    def changed_state(self) -> None:
        """A virtual host has changed its state."""
        if "bridge" in self._stacked and self._host.machine.dialect.common.locks_on_a_bridge:
            self._host.machine.port(self._host.interface_name).up = False

    def netlink_set(self, attributes: Mapping[str, Any]) -> int:
        """SET: what an ioctl would do."""
        host, vhid = self._host, attributes["vhid"]
        where, now_ns = host.interface_name, host.box.now_ns()
        checked = host.machine.dialect.common.checks_netlink
        changes = {_PARAMETERS[name]: value for name, value in attributes.items() if name in _PARAMETERS}
        state = attributes.get("state")
        if checked and state is not None and state not in State.__members__:
            return _EINVAL
        try:
            host.machine.vhost(where, vhid)
            host.carry_out(host.machine.reconfigure(now_ns, where, vhid, **changes))
            if state in State.__members__:
                host.carry_out(host.machine.request_state(now_ns, where, vhid, State[str(state)]))
        except ConfigurationError:
            return _EINVAL if checked else 0
        return 0

    def netlink_get(self, vhid: int) -> Mapping[str, Any]:
        """GET."""
        vhost = self._host.machine.vhost(self._host.interface_name, vhid)
        config = vhost.config
        return {
            "vhid": vhid,
            "state": vhost.state.value,
            "advbase": config.advbase,
            "advskew": config.advskew,
        }

    def look_for(self, target: Address, source: IPv4Address | None) -> None:
        """The machine sends what finds a neighbour."""
        host = self._host
        host.carry_out(host.machine.look_for(host.box.now_ns(), host.interface_name, target, source))


def another_stack(host: ModelHost) -> Stack:
    """A stack beside that of ``host``; with everything in common where the system has only one."""
    if not host.machine.dialect.stacks_apart:
        return Stack(host)
    return Stack(host.box.beside(host))
