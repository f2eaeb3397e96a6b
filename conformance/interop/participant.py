"""Who takes part in a matrix, and the places where several implementations meet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, cast, runtime_checkable

from conformance.interop.machines import OnMachines, machines_bench, machines_of
from conformance.lab.shell import HostError
from conformance.model.dialects import Dialect
from conformance.targets.model.bench import ModelBench
from conformance.targets.model.netns import ModelNetnsTarget
from conformance.targets.netns_bench import Starter, netns_bench
from conformance.targets.pixit import Pixit
from conformance.targets.protocol import Bench, Examined, Target
from conformance.targets.registry import find

FAMILIES: Mapping[str, str] = {
    "openbsd": "OpenBSD's code of 2003: the original",
    "freebsd-legacy": "OpenBSD's code of 2003: ported in 2005",
    "freebsd": "OpenBSD's code of 2003: ported in 2005, rewritten in 2011",
    "ucarp": "OpenBSD's code of 2003: moved to user space in 2004",
}
"""Where the code of a dialect comes from, so that a reader knows how independent two implementations are."""
_MODEL = "model:"


MACHINES = frozenset({"vm", "lab"})
"""The rungs on which hosts are machines."""


class NoCommonRung(Exception):
    """Implementations that cannot stand on one segment."""

    def __init__(self, names: Sequence[str], why: str, remedy: str) -> None:
        self.names, self.why, self.remedy = tuple(names), why, remedy
        super().__init__(f"{', '.join(names)} {why} and cannot meet on one segment: {remedy}")


@runtime_checkable
class Mixing(Protocol):
    """A target of which one host can stand beside another implementation's."""

    def starter(self) -> Starter:
        """One host of it."""


@dataclass(frozen=True, slots=True)
class Participant:
    """One implementation on the rung of the matrix. ``machines`` are those that it needs for itself alone; ``absent`` says why it cannot be there."""

    name: str
    target: Target
    version: str
    machines: tuple[str, ...] = ()
    absent: str = ""

    @property
    def dialect(self) -> Dialect:
        """The rules that it is expected to follow."""
        return self.target.profile.dialect

    @property
    def family(self) -> str:
        """Where its code comes from."""
        return FAMILIES[self.dialect.name]

    def examined(self) -> Mapping[str, Any] | None:
        """What its machines say of themselves (system, kernel, packages), by their names; None if it has none, or they do not answer any more."""
        if not self.machines or not isinstance(self.target, Examined):
            return None
        try:
            return self.target.environment()
        except HostError:
            return None


def participants(
    names: Sequence[str], rung: str | None = None, pixits: Sequence[Pixit] = ()
) -> tuple[Participant, ...]:
    """The implementations of these names, all on ``rung`` (default: the one that the real ones among them need); ``pixits`` are for those on machines.

    A model can stand on ``sim`` and on ``netns``. What cannot stand on a rung that was asked for is there in name only: its cells are not applicable.
    Raises :class:`UnknownTarget`, :class:`PixitError`, :class:`NoCommonRung`.
    """
    files = {one.system: one for one in pixits}
    targets = [find(name, files.get(name)) for name in names]
    where = rung or _common(names, targets)
    moved = [_moved(one, where) for one in targets]
    if not any(moved):
        raise NoCommonRung(names, f"cannot run on {where}", "give another --rung")
    if len(names) > 1:
        _can_mix(names, [one for one in moved if one is not None], where)
    return tuple(
        Participant(name, own, own.version(), machines_of(own))
        if own is not None
        else Participant(name, target, target.version(), absent=f"{name} cannot run on {where}")
        for name, target, own in zip(names, targets, moved, strict=True)
    )


def rung_of(cast: Sequence[Participant]) -> str:
    """The rung that they stand on; machines of one's own decide among machines."""
    rungs = {one.target.profile.rung for one in cast if not one.absent}
    return "lab" if "lab" in rungs else next(iter(rungs))


def _common(names: Sequence[str], targets: Sequence[Target]) -> str:
    """The rung that the real implementations need; ``sim`` if there are models alone."""
    real = {one.profile.rung for one in targets if one.profile.rung != "sim"}
    if not real:
        return "sim"
    if real <= MACHINES and not any(one.profile.rung == "sim" for one in targets):
        return "lab" if "lab" in real else "vm"
    if len(real) == 1 and not real & MACHINES:
        return real.pop()
    rungs = ", ".join(sorted({one.profile.rung for one in targets}))
    raise NoCommonRung(
        names,
        f"run on different rungs ({rungs})",
        "give --rung netns, or leave out those that cannot run there",
    )


def _moved(target: Target, rung: str) -> Target | None:
    """The target on that rung: a model as processes in network namespaces, anything else where it is at home; None if it cannot be there."""
    own = target.profile.rung
    if own == rung or {own, rung} == MACHINES:
        return target
    name = target.profile.name
    if rung == "netns" and name.startswith(_MODEL) and own == "sim":
        return cast("Target", ModelNetnsTarget(name, target.profile.dialect))
    return None


def _can_mix(names: Sequence[str], targets: Sequence[Target], rung: str) -> None:
    needed = OnMachines if rung in MACHINES else Mixing
    alone = [one.profile.name for one in targets if rung != "sim" and not isinstance(one, needed)]
    if alone:
        method = "makers()" if rung in MACHINES else "starter()"
        raise NoCommonRung(
            names,
            f"have drivers that stand alone ({', '.join(alone)} without {method})",
            f"pair {alone[0]} with itself alone: --targets {alone[0]}",
        )


@contextmanager
def meeting(rung: str, targets: Sequence[Target], seed: int) -> Iterator[Bench]:
    """A bench whose host a is of the first target, b of the second … ``seed`` counts where time is virtual. Raises :class:`MachinesDoNotMeet`."""
    first = targets[0]
    if rung == "sim":
        yield ModelBench(tuple(one.profile.dialect for one in targets), seed)
    elif all(one is first for one in targets):
        with first.bench(len(targets)) as bench:
            yield bench
    elif rung in MACHINES:
        with machines_bench([cast("OnMachines", one) for one in targets]) as remote:
            yield cast("Bench", remote)
    else:
        with netns_bench([cast("Mixing", one).starter() for one in targets]) as local:
            yield cast("Bench", local)
