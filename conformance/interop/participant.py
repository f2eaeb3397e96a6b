"""Who takes part in a matrix, and the places where several implementations meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, cast

from conformance.model.dialects import Dialect
from conformance.targets.model.bench import ModelBench
from conformance.targets.model.netns import ModelNetnsTarget
from conformance.targets.netns_bench import Starter, netns_bench
from conformance.targets.protocol import Bench, Target
from conformance.targets.registry import find

FAMILIES: Mapping[str, str] = {
    "openbsd": "OpenBSD's code of 2003: the original",
    "freebsd-legacy": "OpenBSD's code of 2003: ported in 2005",
    "freebsd": "OpenBSD's code of 2003: ported in 2005, rewritten in 2011",
    "ucarp": "OpenBSD's code of 2003: moved to user space in 2004",
}
"""Where the code of a dialect comes from, so that a reader knows how independent two implementations are."""
_MODEL = "model:"


class NoCommonRung(Exception):
    """Implementations that cannot stand on one segment."""

    def __init__(self, names: Sequence[str], rungs: Sequence[str], remedy: str) -> None:
        self.names, self.rungs = tuple(names), tuple(rungs)
        super().__init__(
            f"{', '.join(names)} run on different rungs ({', '.join(sorted(set(rungs)))}) and cannot meet on one segment: {remedy}"
        )


class Mixing(Protocol):
    """A target of which one host can stand beside another implementation's."""

    def starter(self) -> Starter:
        """One host of it."""


@dataclass(frozen=True, slots=True)
class Participant:
    """One implementation on the rung of the matrix. ``machines`` are those that it needs for itself alone."""

    name: str
    target: Target
    version: str
    machines: tuple[str, ...] = ()

    @property
    def dialect(self) -> Dialect:
        """The rules that it is expected to follow."""
        return self.target.profile.dialect

    @property
    def family(self) -> str:
        """Where its code comes from."""
        return FAMILIES[self.dialect.name]


def participants(names: Sequence[str], rung: str | None = None) -> tuple[Participant, ...]:
    """The implementations of these names, all on ``rung`` (default: the one that the real ones among them need).

    A model can stand on ``sim`` and on ``netns``. Raises :class:`UnknownTarget`, :class:`NoCommonRung`.
    """
    targets = [find(name) for name in names]
    real = {one.profile.rung for one in targets if one.profile.rung != "sim"}
    if rung is None:
        rung = real.pop() if len(real) == 1 else "sim" if not real else None
    moved = [one if one.profile.rung == rung else _moved(one, rung) for one in targets]
    if rung not in RIGS or None in moved:
        rungs = [one.profile.rung for one in targets]
        raise NoCommonRung(names, rungs, "give --rung netns, or leave out those that cannot run there")
    return tuple(
        Participant(name, cast("Target", one), cast("Target", one).version())
        for name, one in zip(names, moved, strict=True)
    )


def _moved(target: Target, rung: str | None) -> Target | None:
    """A model as processes in network namespaces; anything else stays where it is."""
    name = target.profile.name
    if rung == "netns" and name.startswith(_MODEL) and target.profile.rung == "sim":
        return cast("Target", ModelNetnsTarget(name, target.profile.dialect))
    return None


Rig = Callable[[Sequence[Target], int], Iterator[Bench]]


@contextmanager
def meeting(rung: str, targets: Sequence[Target], seed: int) -> Iterator[Bench]:
    """A bench whose host a is of the first target, b of the second … ``seed`` counts where time is virtual."""
    yield from RIGS[rung](targets, seed)


def _sim(targets: Sequence[Target], seed: int) -> Iterator[Bench]:
    yield ModelBench(tuple(one.profile.dialect for one in targets), seed)


def _netns(targets: Sequence[Target], _: int) -> Iterator[Bench]:
    with netns_bench([cast("Mixing", one).starter() for one in targets]) as bench:
        yield cast("Bench", bench)


RIGS: Mapping[str, Rig] = {"sim": _sim, "netns": _netns}
"""How implementations meet, by rung."""
