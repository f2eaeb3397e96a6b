"""The target ``blackbox``: boxes that are known by a PIXIT file and by their wire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from conformance.model.dialects import Dialect, dialect
from conformance.targets.admission import NotAdmitted
from conformance.targets.blackbox.bench import BlackBoxBench
from conformance.targets.blackbox.live import LiveMedium
from conformance.targets.blackbox.medium import Medium
from conformance.targets.blackbox.operator import has_terminal
from conformance.targets.blackbox.profile import DEFAULT_DIALECT, NAME, RUNG, check, profile_of, rules_of
from conformance.targets.blackbox.rehearsal import RehearsedMedium
from conformance.targets.listening import Heard
from conformance.targets.pixit import Declared, Pixit
from conformance.targets.protocol import Bench, Profile
from conformance.wire.digest import Address, Secret
from conformance.wire.header import Header


class BlackBoxes:
    """A :class:`conformance.targets.protocol.Target` as it is found by name: it knows no box yet."""

    profile = Profile(
        name=NAME,
        dialect=dialect(DEFAULT_DIALECT),
        rung=RUNG,
        origin="a box of which only the wire is seen",
        pics={},
        max_hosts=1,
        max_lanes=1,
    )

    def version(self) -> str:
        return "unknown"

    def lacks(self) -> tuple[tuple[str, str], ...]:
        return (
            (
                "blackbox is a box of yours, and nothing says which",
                "describe it in a PIXIT file (docs/reference/pixit.md) and give --pixit FILE --interface IF --this-segment-is-mine",
            ),
        )

    def bench(self, hosts: int) -> AbstractContextManager[Bench]:
        raise LookupError(f"there is no bench of {hosts} hosts: lacks() says why")

    def configured(self, pixit: Pixit) -> BlackBoxTarget:
        check(pixit)
        return BlackBoxTarget(pixit, rules_of(pixit))


class BlackBoxTarget:
    """A :class:`conformance.targets.protocol.Target` for the boxes of ``pixit``."""

    def __init__(self, pixit: Pixit, rules: Dialect) -> None:
        self._pixit, self._rules = pixit, rules
        self.profile = profile_of(pixit, rules)

    def version(self) -> str:
        return self._pixit.product or "unknown"

    def lacks(self) -> tuple[tuple[str, str], ...]:
        asks = sorted(name for name, action in self._pixit.actions.items() if action.prompt)
        if asks and not has_terminal():
            return (
                (
                    f"a person has to do {', '.join(asks)}, and there is no terminal to ask at",
                    "run it in a terminal, or give commands in the PIXIT",
                ),
            )
        return ()

    def bench(self, hosts: int) -> AbstractContextManager[Bench]:
        return _bench(self._pixit, self._rules, LiveMedium(self._pixit), hosts)

    def rehearsal(self) -> Rehearsal:
        return Rehearsal(self._pixit, self._rules, self.profile)

    def examine(self, heard: Mapping[str, Heard]) -> None:
        """Holds what was heard before the run against what is declared. Raises :class:`NotAdmitted` where they differ."""
        here = heard.get(self._pixit.tester_interface, {})
        for vhid in dict.fromkeys(row.vhid for row in self._pixit.declared):
            rows = [row for row in self._pixit.declared if row.vhid == vhid]
            found = [
                (row, who.source, frame.carp)
                for who, frame in here.items()
                for row in rows
                if frame.carp is not None and who.id == vhid and self._is_of(row, who.source)
            ]
            if not found:
                raise NotAdmitted(
                    f"nobody advertises vhid {vhid} on {self._pixit.tester_interface}: look whether the box runs, is on this wire, "
                    "and is MASTER when nobody else is there"
                )
            for row, source, header in found:
                self._compare(row, str(source), header)

    def _is_of(self, row: Declared, source: Address) -> bool:
        addresses = next(host.addresses for host in self._pixit.hosts if host.name == row.host)
        return source in addresses

    def _compare(self, row: Declared, source: str, header: Header) -> None:
        for name, says, declared in (
            ("advbase", header.advbase, row.advbase),
            ("advskew", header.advskew, row.advskew),
        ):
            if says != declared:
                raise NotAdmitted(
                    f"{source} advertises vhid {row.vhid} with {name} {says}, and the PIXIT declares {declared}: "
                    "mend one of them, or look whether the box is demoted"
                )
        secret = Secret(self._pixit.password, row.addresses, self._rules.address_rule)
        if not secret.verifies(row.vhid, header.counter, header.digest):
            raise NotAdmitted(
                f"the digest of what {source} advertises for vhid {row.vhid} is not that of the PIXIT's password and of "
                f"{', '.join(str(one) for one in row.addresses)}: mend the password or the addresses, or name another dialect"
            )


class Rehearsal:
    """A :class:`conformance.targets.protocol.Target` in virtual time on which is found out what can be decided on the boxes."""

    def __init__(self, pixit: Pixit, rules: Dialect, profile: Profile) -> None:
        self._pixit, self._rules, self.profile = pixit, rules, profile

    def version(self) -> str:
        return "a rehearsal"

    def lacks(self) -> tuple[tuple[str, str], ...]:
        return ()

    def bench(self, hosts: int) -> AbstractContextManager[Bench]:
        medium = RehearsedMedium(self._pixit, self._rules)
        return _bench(self._pixit, self._rules, medium, hosts)


@contextmanager
def _bench(pixit: Pixit, rules: Dialect, medium: Medium, hosts: int) -> Iterator[Bench]:
    bench = BlackBoxBench(pixit, rules, medium, hosts)
    try:
        bench.begin()
        yield bench
    finally:
        bench.release()
