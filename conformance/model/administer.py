"""What an administrator does to a host: create, change and remove virtual hosts and their addresses, write
sysctls.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from conformance.model import demotion, poll
from conformance.model.actions import State
from conformance.model.config import ConfigurationError, VhostConfig, link_local_of, parse_mac
from conformance.model.effects import Happening, happen
from conformance.model.transitions import Effect, Input, Transition
from conformance.model.vhost import Port, Vhost, changed_key
from conformance.wire.digest import KEY_LENGTH, Address

if TYPE_CHECKING:
    from conformance.model.machine import Host

_PREFIX = "net.inet.carp."
_FIXED = ("vhid", "addresses", "device")
_MOST_DSCP = 63


def create(host: Host, now_ns: int, port: Port, config: VhostConfig) -> None:
    """Creates a virtual host and gives it its addresses."""
    where = f"{host.name}, virtual host {config.vhid} on {port.name}"
    try:
        _validate(host, where, config)
    except ConfigurationError:
        _leave_part(host, port, config)
        raise
    if config.lladdr is not None and parse_mac(config.lladdr) == host.dialect.virtual_mac(config.vhid):
        config = replace(config, lladdr=None)
    if config.vhid in port.vhosts:
        raise ConfigurationError(where, "it exists already", "reconfigure() or destroy() it")
    if not host.dialect.multiple_addresses and (
        len(config.addresses) != 1 or config.parsed()[0].version != 4
    ):
        raise ConfigurationError(where, f"{host.dialect.key} serves exactly one IPv4 address", "give one")
    for address in config.parsed():
        _check_address(host, where, port, address)
    vhost = Vhost(
        port,
        config,
        config.device or f"carp{config.vhid}",
        host.dialect.virtual_mac(config.vhid) if config.lladdr is None else parse_mac(config.lladdr),
        changed_key(
            bytes(KEY_LENGTH), config.password, keeps_tail=False, most=host.dialect.common.password_length
        ),
    )
    port.vhosts[config.vhid] = vhost
    if host.dialect.poll_loop is not None:
        _serve(host, vhost)
        poll.begin(host, vhost, now_ns, host.dialect.poll_loop)
    elif config.addresses:
        _readdress(host, vhost, now_ns)


def _leave_part(host: Host, port: Port, config: VhostConfig) -> None:
    """What a refused request to create a virtual host leaves where parameters are set one after the other."""
    if host.dialect.refusal_leaves_part and 1 <= config.vhid <= 255 and config.vhid not in port.vhosts:
        limits = host.dialect.advbase_limits
        advbase = config.advbase if limits.least <= config.advbase <= limits.most else 1
        part = VhostConfig(config.vhid, advbase=advbase)
        mac = host.dialect.virtual_mac(config.vhid)
        port.vhosts[config.vhid] = Vhost(port, part, f"carp{config.vhid}", mac, bytes(KEY_LENGTH))


def _validate(host: Host, where: str, config: VhostConfig) -> None:
    dialect = host.dialect
    for name, value, least, most in (
        ("vhid", config.vhid, dialect.common.vhids.least, dialect.common.vhids.most),
        ("advskew", config.advskew, dialect.advskew_limits.least, dialect.advskew_limits.most),
        ("advbase", config.advbase, dialect.advbase_limits.least, dialect.advbase_limits.most),
        ("dead_ratio", config.dead_ratio, 1, 255),
    ):
        if not least <= value <= most:
            raise ConfigurationError(
                where, f"{name} {value} is out of range", f"{dialect.key} takes {least} to {most}"
            )
    if dialect.password_needed and not config.password:
        raise ConfigurationError(where, "there is no password", f"{dialect.key} needs one")
    if dialect.password_refused_from is not None and len(config.password) >= dialect.password_refused_from:
        raise ConfigurationError(
            where,
            "the password is too long",
            f"{dialect.key} takes up to {dialect.password_refused_from - 1} characters",
        )
    if config.lladdr is not None and not dialect.hashes_lladdr:
        raise ConfigurationError(where, f"{dialect.key} sets no MAC address by hand", "leave lladdr out")
    if (config.peer or config.peer6) and not dialect.unicast:
        raise ConfigurationError(where, f"{dialect.key} knows no unicast peers", "leave peer out")


def _check_address(host: Host, where: str, port: Port, address: Address) -> None:
    if host.dialect.needs_own_subnet and not any(address in one.network for one in port.addresses):
        raise ConfigurationError(
            where,
            f"no address of {port.name} is in the subnet of {address} (EADDRNOTAVAIL)",
            "give the interface one",
        )


def change(host: Host, now_ns: int, vhost: Vhost, changes: dict[str, object]) -> None:
    """Changes parameters of a running virtual host."""
    where = f"{host.name}, virtual host {vhost.vhid} on {vhost.port.name}"
    unknown = [
        name for name in changes if name in _FIXED or name not in {one.name for one in fields(VhostConfig)}
    ]
    if unknown or not host.dialect.changes_while_running:
        what = (
            f"{', '.join(unknown)} cannot be changed"
            if unknown
            else f"a running {host.dialect.key} cannot be changed"
        )
        raise ConfigurationError(where, what, "destroy() and configure() it anew")
    if changes.get("advbase") == 0 and host.dialect.advbase_limits.least > 0:
        del changes["advbase"]
    values: dict[str, Any] = dict(changes)
    config = replace(vhost.config, **values)
    if not host.dialect.common.refusal_changes_nothing:
        vhost.config = config
    try:
        _validate(host, where, config)
    except ConfigurationError:
        limits = host.dialect.advbase_limits
        if host.dialect.refusal_leaves_part and limits.least <= config.advbase <= limits.most:
            vhost.config = replace(vhost.config, advbase=config.advbase)
        raise
    vhost.config = config
    if "password" in changes:
        vhost.key = changed_key(
            vhost.key,
            config.password,
            keeps_tail=host.dialect.key_keeps_tail,
            most=host.dialect.common.password_length,
        )
    _serve(host, vhost)
    if changes and host.dialect.rearms_on_change:
        effect = {State.MASTER: Effect.ARM_ADVERTISING, State.BACKUP: Effect.ARM_DOWN}.get(vhost.state)
        if effect is not None:
            carry_out(host, vhost, effect, now_ns)


def carry_out(host: Host, vhost: Vhost, effect: Effect, now_ns: int) -> None:
    """One effect by itself, without a transition."""
    host.dialect.carriers[effect](
        Happening(host, vhost, Input.USABLE, Transition(vhost.state, None, ()), now_ns, 0)
    )


def add_address(host: Host, now_ns: int, vhost: Vhost, address: Address) -> None:
    """Adds a shared address; a running virtual host starts anew."""
    where = f"{host.name}, virtual host {vhost.vhid} on {vhost.port.name}"
    if not host.dialect.multiple_addresses:
        raise ConfigurationError(
            where, f"{host.dialect.key} serves exactly one address", "destroy() and configure() it anew"
        )
    _check_address(host, where, vhost.port, address)
    if address not in vhost.config.parsed():
        vhost.config = replace(vhost.config, addresses=(*vhost.config.parsed(), address))
    _readdress(host, vhost, now_ns)


def remove_address(host: Host, now_ns: int, vhost: Vhost, address: Address) -> None:
    """Takes a shared address away; what follows is the dialect's: nothing yet, a new start, or the end of the
    virtual host.
    """
    where = f"{host.name}, virtual host {vhost.vhid} on {vhost.port.name}"
    left = tuple(one for one in vhost.config.parsed() if one != address)
    if len(left) == len(vhost.config.addresses) or not host.dialect.multiple_addresses:
        raise ConfigurationError(where, f"{address} cannot be taken away", "name one of its addresses")
    vhost.config = replace(vhost.config, addresses=left)
    if not host.dialect.notices_removal:
        return
    if left:
        _readdress(host, vhost, now_ns)
    elif host.dialect.forgets_without_address:
        _serve(host, vhost)
        happen(host, vhost, Input.RESET, now_ns)
        del vhost.port.vhosts[vhost.vhid]
        demotion.forget(host, vhost, now_ns)
    else:
        happen(host, vhost, Input.UNUSABLE, now_ns)
        _serve(host, vhost)


def _readdress(host: Host, vhost: Vhost, now_ns: int) -> None:
    before = len(vhost.addresses)
    _serve(host, vhost)
    if host.dialect.own_address_unskews and any(vhost.port.owns(one) for one in vhost.addresses):
        vhost.config = replace(vhost.config, advskew=0)
    demotion.carrier(host, vhost, now_ns)
    if (
        before and len(vhost.addresses) == before + 2
    ):  # its own link-local address came with the first IPv6 one: two changes
        demotion.carrier(host, vhost, now_ns)


def _serve(host: Host, vhost: Vhost) -> None:
    """Takes the configured addresses over into what is served and hashed."""
    addresses = vhost.config.parsed()
    if host.dialect.own_link_local and any(one.version == 6 for one in addresses):
        addresses = (*addresses, link_local_of(vhost.mac))
    vhost.addresses = addresses
    vhost.rehash(host.dialect.address_rule, host.dialect.accepts_rules)


def set_up(host: Host, now_ns: int, vhost: Vhost, up: bool) -> None:
    """Takes a carp interface up or down."""
    if up and not vhost.up:
        vhost.up = True
        demotion.start(host, vhost, now_ns)
    elif not up and vhost.up:
        happen(host, vhost, Input.CLOSED, now_ns)
        vhost.up = False


def _full(host: Host, name: str) -> str:
    full = name if "." in name else _PREFIX + name
    if full not in host.sysctls:
        raise ConfigurationError(
            host.name, f"{host.dialect.key} has no sysctl {full}", f"it has {', '.join(host.sysctls)}"
        )
    return full


def read_sysctl(host: Host, name: str) -> int:
    """The value of a sysctl."""
    full = _full(host, name)
    if full in (_PREFIX + "demotion", _PREFIX + "suppress_preempt"):
        return host.demotion
    return host.sysctls[full]


def set_sysctl(host: Host, now_ns: int, name: str, value: int) -> None:
    """Writes a sysctl, with what follows from it."""
    full = _full(host, name)
    short = full.removeprefix(_PREFIX)
    if short == "suppress_preempt" or (short == "dscp" and not 0 <= value <= _MOST_DSCP):
        raise ConfigurationError(
            host.name,
            f"{full} cannot be set to {value}",
            "it is read only" if short == "suppress_preempt" else f"give 0 to {_MOST_DSCP}",
        )
    if short == "demotion":
        demotion.order(host, now_ns, value, demotion.ALL)
        return
    before, host.sysctls[full] = host.sysctls[full], value
    if short == "dscp":
        host.tos = host.traffic_class = value << 2
    elif short == "allow" and host.dialect.allow_stops and (before != 0) != (value != 0):
        for vhost in tuple(host.vhosts()):
            demotion.carrier(host, vhost, now_ns)
