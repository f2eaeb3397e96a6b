"""What an administrator may ask of a dialect: each function raises :class:`ConfigurationError` for what it may not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.model.balancing import MODES
from conformance.model.config import ConfigurationError, VhostConfig
from conformance.model.vrrp3 import NUMBER
from conformance.wire.digest import Address
from conformance.wire.header import VERSION

if TYPE_CHECKING:
    from conformance.model.machine import Host
    from conformance.model.vhost import Port


def validate(host: Host, where: str, config: VhostConfig) -> None:
    """The parameters of one virtual host; ``where`` begins the complaint."""
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
    if config.version not in ((VERSION,) if dialect.vrrp3 is None else (VERSION, NUMBER)):
        speaks = "CARP only" if dialect.vrrp3 is None else f"{VERSION} or {NUMBER}"
        raise ConfigurationError(
            where, f"carpver {config.version} is not known", f"{dialect.key} takes {speaks}"
        )
    if dialect.vrrp3 is not None:
        limits = dialect.vrrp3.intervals
        if not limits.least <= config.interval_cs <= limits.most:
            what = f"vrrpinterval {config.interval_cs} is out of range"
            raise ConfigurationError(where, what, f"{dialect.key} takes {limits} centiseconds")


def check_address(host: Host, where: str, port: Port, address: Address) -> None:
    """A shared address on an interface."""
    if host.dialect.needs_own_subnet and not any(address in one.network for one in port.addresses):
        raise ConfigurationError(
            where,
            f"no address of {port.name} is in the subnet of {address} (EADDRNOTAVAIL)",
            "give the interface one",
        )


def check_addresses(host: Host, where: str, port: Port, config: VhostConfig) -> None:
    """All shared addresses of a new virtual host."""
    addresses = config.parsed()
    if not host.dialect.multiple_addresses and (len(addresses) != 1 or addresses[0].version != 4):
        raise ConfigurationError(where, f"{host.dialect.key} serves exactly one IPv4 address", "give one")
    for address in addresses:
        check_address(host, where, port, address)


def each(host: Host, where: str, config: VhostConfig) -> list[VhostConfig]:
    """The parameters of each virtual host of the interface, in ascending order of their vhids: one, or its nodes."""
    if not config.nodes and not config.balancing:
        return [config]
    rules = host.dialect.carpnodes
    if rules is None:
        what = f"{host.dialect.key} has one virtual host on an interface of its own"
        raise ConfigurationError(where, what, "leave carpnodes and balancing out")
    vhids = [vhid for vhid, _ in config.nodes]
    if len(vhids) > rules.most or len(set(vhids)) < len(vhids):
        raise ConfigurationError(
            where,
            f"{len(vhids)} carpnodes with {len(set(vhids))} vhids",
            f"give up to {rules.most} different ones",
        )
    if config.balancing and config.balancing not in MODES:
        raise ConfigurationError(
            where, f"balancing {config.balancing} is not known", f"it is {', '.join(MODES)}"
        )
    each = [replace(config, vhid=vhid, advskew=advskew) for vhid, advskew in sorted(config.nodes)]
    for one in each:
        validate(host, where, one)
    return each or [config]
