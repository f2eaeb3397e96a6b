"""What can be tested on a black box: what its dialect does on the wire, as far as its configuration shows it and somebody can cause it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from conformance.model.dialects import Dialect, UnknownDialect, dialect
from conformance.targets.blackbox.box import SILENCERS
from conformance.targets.model.target import administered, deviations_of, pics
from conformance.targets.pixit import Pixit, PixitError
from conformance.targets.protocol import Profile

NAME, RUNG = "blackbox", "lab"
DEFAULT_DIALECT = "freebsd"


def rules_of(pixit: Pixit) -> Dialect:
    """The rules that the boxes are held against, their timers as coarse as the PIXIT says. Raises :class:`PixitError`."""
    try:
        return pixit.coarsened(dialect(pixit.dialect or DEFAULT_DIALECT))
    except UnknownDialect as error:
        raise PixitError(pixit.path, "dialect", str(error), "give one of them") from error


def capabilities(pixit: Pixit, rules: Dialect) -> dict[str, bool]:
    """The PICS: what needs the host is denied; the rest follows from the dialect, the declared settings and the actions."""
    model, acts = pics(rules) | administered(rules), pixit.actions.keys()
    anyhow = "configure" in acts
    rows = pixit.declared
    vhids = [len([row for row in rows if row.host == host.name]) for host in pixit.hosts]
    return {
        "ipv6": model["ipv6"] and (anyhow or any(one.version == 6 for row in rows for one in row.addresses)),
        "multiple_addresses": model["multiple_addresses"]
        and (anyhow or any(len(row.addresses) > 1 for row in rows)),
        "multiple_vhids": max(vhids) > 1,
        "no_password": model["no_password"] and pixit.password == "",
        "preempt": anyhow or any(row.preempt for row in rows),
        "configured_order": model["configured_order"],
        "dead_ratio": model["dead_ratio"] and any(row.dead_ratio != 3 for row in rows),
        "bow_out": model["bow_out"] and "stop" in acts,
        "kill": "kill" in acts,
        "link": {"link_down", "link_up"} <= acts,
    }


def profile_of(pixit: Pixit, rules: Dialect) -> Profile:
    """The profile of the boxes of ``pixit``."""
    product = pixit.product or "a box"
    return Profile(
        name=NAME,
        dialect=rules,
        rung=RUNG,
        origin=f"{product}, of which only the wire is seen",
        pics=capabilities(pixit, rules),
        deviations=tuple(replace(one, strict=False) for one in deviations_of(rules.key)),
        password=pixit.password,
        max_hosts=len(pixit.hosts),
        max_lanes=1,
    )


def check(pixit: Pixit) -> None:
    """Raises :class:`PixitError` for the first thing that a black box cannot be tested with."""
    for where, what, remedy in _faults(pixit):
        raise PixitError(pixit.path, where, what, remedy)


def _faults(pixit: Pixit) -> Iterator[tuple[str, str, str]]:
    acts = pixit.actions.keys()
    for number, host in enumerate(pixit.hosts):
        where = f"host[{number}]"
        rows = [row for row in pixit.declared if row.host == host.name]
        if not rows:
            yield where, "nothing says how it is configured", f'add [[declared]] with host = "{host.name}"'
        if not any(one.version == 4 for one in host.addresses[:1]):
            yield (
                where,
                "its first address is no IPv4 address",
                "give that first: the tester asks for it by ARP",
            )
        six = any(one.version == 6 for row in rows for one in row.addresses)
        if six and not any(one.is_link_local for one in host.addresses):
            yield (
                where,
                "it advertises over IPv6, and has no link-local address",
                "add it: its advertisements come from it",
            )
    for action in ("stop", "kill", "link_down"):
        ups = [up for down, up in SILENCERS if down == action]
        if action in acts and not acts & set(ups):
            yield f"actions.{action}", "nothing undoes it", f"add [actions.{ups[0]}]"
    if len(pixit.hosts) > 1 and not any({down, up} <= acts for down, up in SILENCERS):
        yield (
            "actions",
            "there are several machines, and nothing silences one of them",
            "add link_down and link_up, or stop and start",
        )
    if pixit.vlans is not None:
        yield "vlans", "a black box is on one wire", "leave it out"
    if any(row.advbase == 0 for row in pixit.declared):
        yield "declared", "nobody can be better than advbase 0", "configure an advbase of at least 1"
