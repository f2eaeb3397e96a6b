"""What demotes a host and what follows: lost links, failed sends, orders; and what a link event does to a
virtual host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.model import adverts
from conformance.model.actions import State
from conformance.model.config import ConfigurationError
from conformance.model.effects import happen
from conformance.model.election import Demotion
from conformance.model.transitions import Input

if TYPE_CHECKING:
    from conformance.model.machine import Host
    from conformance.model.vhost import Vhost

ERRORS = 3
"""Failed sends in a row that demote (``CARP_SENDAD_MAX_ERRORS``), and sent ones that take it back
(``CARP_SENDAD_MIN_SUCCESS``).
"""
MOST_IN_GROUP = 255
ALL = "all"
"""OpenBSD's group of all interfaces: its count is advertised, but no event of the host touches it."""


def of(host: Host, vhost: Vhost) -> int:
    """The demotion that counts for a virtual host."""
    if host.dialect.demotion_by is Demotion.GROUPS:
        return min(sum(host.groups.get(group, 0) for group in (*vhost.groups, ALL)), MOST_IN_GROUP)
    if host.dialect.demotion_by is Demotion.SUM or vhost.poller is None:
        return host.demotion
    return int(vhost.suppressed)


def adjust(host: Host, now_ns: int, amount: int, reason: str, vhost: Vhost) -> None:
    """An event on ``vhost`` demotes the host by ``amount`` (negative: takes it back); MASTERs tell it at once
    where the dialect does so.
    """
    if host.dialect.demotion_by is Demotion.GROUPS:
        for group in vhost.groups:
            host.groups[group] = max(host.groups.get(group, 0) + amount, 0)
            if amount > 0 and host.groups[group] == 1:
                advertise_all(host, now_ns)
            host.say(
                host.dialect.log_demotion,
                device=vhost.device,
                group=group,
                amount=amount,
                demotion=host.groups[group],
                reason=reason,
            )
    elif host.dialect.demotion_by is Demotion.SUM:
        _sum(host, amount, reason)
    else:
        if vhost.poller is not None:
            vhost.suppressed = amount > 0
            if amount > 0 and vhost.state is State.MASTER:
                adverts.advertise(host, vhost, now_ns)
            return
        host.demotion += amount
        if amount > 0 and host.demotion == 1:
            advertise_all(host, now_ns)


def _sum(host: Host, amount: int, reason: str) -> None:
    """Adds to the sum; the MASTERs tell it from a task of its own, once for all that changed in one call."""
    host.demotion += amount
    host.say(host.dialect.log_demotion, amount=amount, demotion=host.demotion, reason=reason)
    host.tell_all = True


def order(host: Host, now_ns: int, amount: int, group: str) -> None:
    """An administrator (or pfsync, on legacy FreeBSD) changes the demotion by ``amount``; ``group`` is
    OpenBSD's interface group.

    Raises :class:`~conformance.model.config.ConfigurationError` if a group's count would leave 0 to 255, or
    if the dialect cannot be demoted.
    """
    if host.dialect.demotion_by is Demotion.GROUPS:
        count = host.groups.get(group, 0) + amount
        if not 0 <= count <= MOST_IN_GROUP:
            raise ConfigurationError(
                host.name,
                f"carpdemote {amount} would make the count of group {group} {count}",
                "keep it from 0 to 255",
            )
        host.groups[group] = count
        if amount > 0:
            advertise_all(host, now_ns, group)
    elif host.dialect.demotion_by is Demotion.SUM:
        _sum(host, amount if host.dialect.common.demotion_adds else amount - host.demotion, "sysctl")
    else:
        if host.dialect.poll_loop is not None:
            raise ConfigurationError(
                host.name,
                "a ucarp cannot be demoted from outside",
                "use another dialect, or make its sends fail",
            )
        host.demotion += amount
        if amount > 0 and host.demotion == amount:
            advertise_all(host, now_ns)


def advertise_all(host: Host, now_ns: int, group: str = ALL) -> None:
    """Every MASTER of the host (of the group) advertises now, to tell of a demotion."""
    if not host.dialect.common.tells_demotion:
        return
    for vhost in host.vhosts():
        if vhost.state is State.MASTER and (group == ALL or group in vhost.groups):
            adverts.advertise(host, vhost, now_ns)


def _why(host: Host, event: str) -> str:
    """The reason that is logged: the event, or OpenBSD's one word for all of them."""
    return event if host.dialect.demotion_by is Demotion.SUM else "carpdev"


def carrier(host: Host, vhost: Vhost, now_ns: int) -> None:
    """The link, the interface, ``allow`` or the address set of a virtual host changed: it stops, or starts
    anew; the host's demotion follows.
    """
    if host.carried(vhost):
        if vhost.up:
            if host.dialect.common.restarts_on_address or vhost.suppressed:
                happen(host, vhost, Input.RESET, now_ns)
            start(host, vhost, now_ns)
        if vhost.suppressed and host.dialect.common.link_recovers:
            vhost.suppressed = False
            if vhost.leads:
                adjust(host, now_ns, -host.link_demotion, _why(host, "interface up"), vhost)
    else:
        happen(host, vhost, Input.UNUSABLE, now_ns)
        if not vhost.suppressed:
            vhost.suppressed = True
            if vhost.leads:
                adjust(host, now_ns, host.link_demotion, _why(host, "interface down"), vhost)


def start(host: Host, vhost: Vhost, now_ns: int) -> None:
    """A virtual host in INIT goes on to BACKUP if it can."""
    if vhost.state is State.INIT and host.usable(vhost):
        happen(host, vhost, Input.USABLE, now_ns)


def forget(host: Host, vhost: Vhost, now_ns: int) -> None:
    """A virtual host is removed: its share of the demotion goes with it."""
    if vhost.suppressed and vhost.leads and vhost.poller is None and host.dialect.common.unloads_demotion:
        vhost.suppressed = False
        adjust(
            host,
            now_ns,
            -host.link_demotion,
            _why(host, "vhid removed"),
            vhost,
        )


def send_failed(host: Host, vhost: Vhost, now_ns: int, errno: int) -> None:
    """An advertisement could not be sent; the third in a row demotes."""
    vhost = vhost.of_interface()[0]
    vhost.successes = 0
    vhost.errors += 1
    if vhost.errors == ERRORS:
        adjust(
            host,
            now_ns,
            host.error_demotion,
            f"send error {errno} on {vhost.port.name}"
            if host.dialect.demotion_by is Demotion.SUM
            else "snderrors",
            vhost,
        )


def send_ok(host: Host, vhost: Vhost, now_ns: int) -> None:
    """An advertisement was sent; after failures the third in a row takes the demotion back."""
    vhost = vhost.of_interface()[0]
    if vhost.errors == 0:
        return
    if vhost.errors < ERRORS and host.dialect.demotion_by is not Demotion.SUM:
        vhost.errors = 0
        return
    vhost.successes += 1
    if vhost.successes >= ERRORS:
        if vhost.errors >= ERRORS and host.dialect.recovers_from_send_errors:
            adjust(
                host,
                now_ns,
                -host.error_demotion,
                f"send ok on {vhost.port.name}" if host.dialect.demotion_by is Demotion.SUM else "snderrors",
                vhost,
            )
        vhost.errors = 0
