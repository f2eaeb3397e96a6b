"""Findings that belong to no single virtual host: VRRP neighbours, address conflicts, clients with stale addresses."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from conformance.judge.findings import Finding, Severity, clock, finding
from conformance.judge.host import Host
from conformance.judge.monitors.announce import UCARP, VIRTUAL
from conformance.judge.session import Session
from conformance.wire.digest import Address
from conformance.wire.frame import mac_text

ERROR, WARNING, NOTICE = Severity.ERROR, Severity.WARNING, Severity.NOTICE


def of_segment(session: Session) -> list[Finding]:
    """Findings that belong to no single virtual host: VRRP neighbours, address conflicts, clients with
    stale addresses.
    """
    found = [*_vrrp(session), *_claims(session), *_stale(session)]
    return sorted(found, key=lambda one: one.severity)


def _vrrp(session: Session) -> Iterator[Finding]:
    for (vlans, vrid, _), router in (
        (place, router) for place, one in session.vrrp.items() for router in one.routers.values()
    ):
        clash = session.hosts.get((vlans, vrid))
        what = f"VRRPv{router.form.version} router {router.speaker.source} uses vrid {vrid} ({router.count} packets)"
        if clash is not None and any(family.history.holder is not None for family in clash.families.values()):
            yield finding(
                "vrrp-same-id",
                WARNING,
                (f"{what}, the number of a CARP vhid: both use the MAC address 00:00:5e:00:01:{vrid:02x}"),
                [router.first],
            )
        else:
            yield finding(
                "vrrp-neighbour",
                NOTICE,
                f"{what}: it shares protocol number and group with CARP",
                [router.first],
            )


def _claims(session: Session) -> Iterator[Finding]:
    shared: dict[tuple[tuple[int, ...], Address], Host] = {}
    for host in session.hosts.values():
        for address in host.addresses():
            shared[host.vlans, address] = host
    for (vlans, address), host in shared.items():
        hood = session.hoods.get(vlans)
        for mac, claim in (hood.claims.get(address, {}) if hood is not None else {}).items():
            if mac[:5] == VIRTUAL or not any(mac):
                continue
            if isinstance(address, IPv4Address) and claim.gratuitous and _ucarp(host):
                continue
            if claim.to_announcement == claim.count:
                text = (
                    f"{mac_text(mac)} answers the announcement of {address} with its "
                    "own MAC address although it is not master (FreeBSD 13 and 15 do so)"
                )
                yield finding("backup-answers-arp", NOTICE, text, claim.frames)
            elif _ucarp(host):
                continue  # ucarp's hosts answer with their physical addresses
            else:
                yield finding(
                    "address-conflict",
                    ERROR,
                    (
                        f"{mac_text(mac)} claims the shared address "
                        f"{address} of vhid {host.vhid} ({claim.count} times)"
                    ),
                    claim.frames,
                )


def _ucarp(host: Host) -> bool:
    return any(mac[:5] == UCARP for speaker in host.speakers() for mac in speaker.macs)


def _stale(session: Session) -> Iterator[Finding]:
    for hood in session.hoods.values():
        for address, binding in hood.bindings.items():
            for mac, frames in binding.stale.items():
                text = (
                    f"clients still send packets for {address} to {mac_text(mac)} although "
                    f"{mac_text(binding.mac)} announced it at {clock(binding.since_ns)}"
                )
                yield finding("stale-clients", WARNING, text, frames)
