"""What a matrix is made of, as one small record that another host can make the same cells of."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import permutations
from pathlib import Path

from conformance.interop.cell import Task
from conformance.interop.participant import Participant, participants, rung_of
from conformance.interop.scenarios import chosen
from conformance.targets.pixit import load


@dataclass(frozen=True, slots=True)
class MatrixOrder:
    """Names of implementations and scenarios (none: all), the rung (None: where all of them can stand), how often each cell is run,
    and the PIXIT files of implementations on machines, with the tester's interface where they name none.
    ``pair`` (A and B) leaves out the cells of all other pairs.
    """

    targets: tuple[str, ...]
    scenarios: tuple[str, ...] = ()
    rung: str | None = None
    runs: int = 1
    pixits: tuple[str, ...] = ()
    interface: str | None = None
    pair: tuple[str, ...] = ()

    def dumps(self) -> str:
        """As a text for another host."""
        return json.dumps(asdict(self))

    @classmethod
    def loads(cls, text: str) -> MatrixOrder:
        """What :meth:`dumps` wrote."""
        fields = json.loads(text)
        return cls(
            tuple(fields["targets"]),
            tuple(fields["scenarios"]),
            fields["rung"],
            int(fields["runs"]),
            tuple(fields["pixits"]),
            fields["interface"],
            tuple(fields["pair"]),
        )

    def cast(self) -> tuple[Participant, ...]:
        """Who takes part. Raises :class:`UnknownTarget`, :class:`PixitError`, :class:`NoCommonRung`."""
        files = [load(Path(one)) for one in self.pixits]
        return participants(
            self.targets,
            self.rung,
            [replace(one, tester_interface=one.tester_interface or self.interface or "") for one in files],
        )


def locks() -> Path:
    """The folder of this host's machine locks."""
    return Path(tempfile.gettempdir()) / "carp-conformance-locks"


def tasks(order: MatrixOrder, cast: Sequence[Participant], out: Path | None) -> list[Task]:
    """All cells in the order of the document: by scenario, then by pair or trio. ``out`` is where evidence goes. Raises :class:`UnknownScenario`."""
    where = rung_of(cast)
    return [
        Task(one, a, b, where, order.runs, out, locks(), *c)
        for one in chosen(order.scenarios)
        for a, b, *c in (trios(cast) if "C" in one.roles else pairs(cast))
        if order.pair in ((), (a.name, b.name))
    ]


def pairs(cast: Sequence[Participant]) -> list[tuple[Participant, Participant]]:
    """All ordered pairs of different implementations; each with itself, too, as the control that tells a bad pair from a bad member."""
    return [*((one, one) for one in cast), *permutations(cast, 2)]


def trios(cast: Sequence[Participant]) -> list[tuple[Participant, Participant, Participant]]:
    """All ordered trios of different implementations; none if there are only two."""
    return list(permutations(cast, 3))
