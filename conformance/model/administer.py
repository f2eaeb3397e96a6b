"""What an administrator does to a host: create, change and remove virtual hosts and their addresses, write
sysctls.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from conformance.model import asked, demotion, poll
from conformance.model.actions import State
from conformance.model.balancing import Nodes
from conformance.model.config import ConfigurationError, VhostConfig, link_local_of, parse_mac
from conformance.model.effects import Happening, happen
from conformance.model.transitions import Effect, Input, Transition
from conformance.model.vhost import Port, Vhost, changed_key
from conformance.model.vrrp3 import NUMBER, effective_priority
from conformance.wire.digest import KEY_LENGTH, Address
from conformance.wire.vrrp3 import PRIORITY

if TYPE_CHECKING:
    from conformance.model.machine import Host

_PREFIX = "net.inet.carp."
_FIXED = ("vhid", "addresses", "device")
_MOST_DSCP = 63


def create(host: Host, now_ns: int, port: Port, config: VhostConfig) -> None:
    """Creates a virtual host and gives it its addresses."""
    where = f"{host.name}, virtual host {config.vhid} on {port.name}"
    try:
        asked.validate(host, where, config)
    except ConfigurationError:
        _leave_part(host, port, config)
        raise
    if config.lladdr is not None and parse_mac(config.lladdr) == host.dialect.virtual_mac(config.vhid):
        config = replace(config, lladdr=None)
    config = replace(config, priority=effective_priority(PRIORITY, config.priority))
    each = asked.each(host, where, config)
    if any(one.vhid in port.vhosts for one in each):
        raise ConfigurationError(where, "it exists already", "reconfigure() or destroy() it")
    asked.check_addresses(host, where, port, config)
    made = [_make(host, port, one, config.device or f"carp{config.vhid}") for one in each]
    _share(host, config.balancing, made)
    port.vhosts |= {vhost.vhid: vhost for vhost in made}
    for vhost in made:
        if host.dialect.poll_loop is not None:
            _serve(host, vhost)
            poll.begin(host, vhost, now_ns, host.dialect.poll_loop)
        elif config.addresses or not host.dialect.common.needs_address:
            _readdress(host, vhost, now_ns)


def _share(host: Host, mode: str, made: list[Vhost]) -> None:
    """Makes several virtual hosts those of one carp interface, with one MAC address."""
    rules = host.dialect.carpnodes
    if len(made) > 1 and rules is not None:
        nodes = Nodes(mode or rules.default, made)
        for vhost in made:
            vhost.nodes, vhost.mac = nodes, rules.mac(nodes.mode, made[0].vhid)


def _make(host: Host, port: Port, config: VhostConfig, device: str) -> Vhost:
    vhost = Vhost(
        port,
        config,
        device,
        host.dialect.virtual_mac(config.vhid) if config.lladdr is None else parse_mac(config.lladdr),
        changed_key(
            bytes(KEY_LENGTH), config.password, keeps_tail=False, most=host.dialect.common.password_length
        ),
    )
    if config.version == NUMBER and host.dialect.vrrp3 is not None:
        vhost.routes = host.dialect.vrrp3
        vhost.master_cs = vhost.routes.unheard_cs(config.interval_cs)
    return vhost


def _leave_part(host: Host, port: Port, config: VhostConfig) -> None:
    """What a refused request to create a virtual host leaves where parameters are set one after the other."""
    if host.dialect.refusal_leaves_part and 1 <= config.vhid <= 255 and config.vhid not in port.vhosts:
        limits = host.dialect.advbase_limits
        advbase = config.advbase if limits.least <= config.advbase <= limits.most else 1
        part = VhostConfig(config.vhid, advbase=advbase)
        mac = host.dialect.virtual_mac(config.vhid)
        port.vhosts[config.vhid] = Vhost(port, part, f"carp{config.vhid}", mac, bytes(KEY_LENGTH))


def change(host: Host, now_ns: int, vhost: Vhost, changes: dict[str, object]) -> None:
    """Changes parameters of a running virtual host; of all those on its interface, if it is one of several."""
    for one in vhost.of_interface():
        _change(host, now_ns, one, dict(changes))


def _change(host: Host, now_ns: int, vhost: Vhost, changes: dict[str, object]) -> None:
    where = f"{host.name}, virtual host {vhost.vhid} on {vhost.port.name}"
    if vhost.nodes is not None and "advskew" in changes:
        raise ConfigurationError(
            where, "advskew belongs to its carpnodes", "destroy() and configure() it anew"
        )
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
    config = _changed(host, where, vhost.config, changes)
    if not host.dialect.common.refusal_changes_nothing:
        vhost.config = config
    try:
        asked.validate(host, where, config)
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


def _changed(host: Host, where: str, old: VhostConfig, changes: dict[str, object]) -> VhostConfig:
    """The parameters after a request, which may leave some of them as they are."""
    if changes.get("advbase") == 0 and host.dialect.advbase_limits.least > 0:
        del changes["advbase"]
    fixed = host.dialect.vrrp3 is None or host.dialect.vrrp3.version_is_fixed
    if fixed and changes.get("version", old.version) != old.version:
        what = f"carpver {old.version} cannot be changed (EINVAL)"
        raise ConfigurationError(where, what, "destroy() and configure() it anew")
    if isinstance(wanted := changes.get("priority"), int):
        changes["priority"] = effective_priority(old.priority, wanted)
    values: dict[str, Any] = dict(changes)
    return replace(old, **values)


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
    asked.check_address(host, where, vhost.port, address)
    if address in vhost.config.parsed() and not host.dialect.common.takes_address_again:
        raise ConfigurationError(where, f"{address} is set already (ENOPROTOOPT)", "remove it first")
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
    if not addresses and not host.dialect.common.needs_address:
        vhost.families = frozenset({4})


def set_up(host: Host, now_ns: int, vhost: Vhost, up: bool) -> None:
    """Takes the carp interface of a virtual host up or down."""
    for one in vhost.of_interface():
        if up and not one.up:
            one.up = True
            demotion.start(host, one, now_ns)
        elif not up and one.up:
            happen(host, one, Input.CLOSED, now_ns)
            one.up = False


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
    read_only = short == "suppress_preempt" and host.dialect.common.suppress_is_read_only
    if read_only or (short == "dscp" and not 0 <= value <= _MOST_DSCP):
        raise ConfigurationError(
            host.name,
            f"{full} cannot be set to {value}",
            "it is read only" if read_only else f"give 0 to {_MOST_DSCP}",
        )
    if short in ("demotion", "suppress_preempt"):
        demotion.order(host, now_ns, value, demotion.ALL)
        return
    before, host.sysctls[full] = host.sysctls[full], value
    if short == "dscp":
        host.tos = host.traffic_class = value << 2
    elif short == "allow" and host.dialect.allow_stops and (before != 0) != (value != 0):
        for vhost in tuple(host.vhosts()):
            demotion.carrier(host, vhost, now_ns)
