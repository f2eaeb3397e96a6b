"""``matrix``, ``report matrix`` and ``nightly``: implementations in pairs, and the site of what became of them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from conformance.commands.ability import enter_namespace
from conformance.commands.environment import commit
from conformance.commands.errors import UNDECIDED, CommandError
from conformance.commands.machines import Machines, machines
from conformance.commands.spread import Hosts, hosts
from conformance.interop.facts import machine
from conformance.interop.legs import legs
from conformance.interop.matrix import exit_status, matrix, write
from conformance.interop.merge import DoNotMerge, merged, take_evidence
from conformance.interop.nightly import nightly
from conformance.interop.order import MatrixOrder
from conformance.interop.participant import NoCommonRung, Participant, rung_of
from conformance.interop.scenarios import UnknownScenario, chosen
from conformance.lab import hypervisor
from conformance.report.schema import validate
from conformance.report.site import NoMatrix, build
from conformance.report.site import load as load_nights
from conformance.report.visible import visible
from conformance.targets.pixit import PixitError, load
from conformance.targets.protocol import Machined
from conformance.targets.registry import find, names

__all__ = ["Order", "exit_status", "print_matrix", "run_matrix", "run_nightly", "write_site"]


@dataclass(frozen=True, slots=True)
class Order:
    """What the command line asks for. ``targets`` and ``scenarios`` are names; ``out`` is the folder (default: a new one under reports/)."""

    targets: tuple[str, ...]
    scenarios: tuple[str, ...] = ()
    out: Path | None = None
    rung: str | None = None
    runs: int = 1
    lanes: int | None = None
    quiet: bool = False
    gateways: tuple[str, ...] = ()
    pixits: tuple[Path, ...] = ()
    machines: Machines = field(default_factory=Machines)
    pair: tuple[str, ...] = ()

    @property
    def asked(self) -> MatrixOrder:
        """What the cells are made of."""
        files = tuple(str(one.resolve()) for one in self.pixits)
        return MatrixOrder(
            self.targets, self.scenarios, self.rung, self.runs, files, self.machines.interface, self.pair
        )

    @classmethod
    def of(
        cls,
        targets: str,
        scenarios: str | None,
        out: Path | None,
        rung: str | None,
        runs: int,
        lanes: int | None,
        *,
        quiet: bool,
        gateways: Sequence[str] = (),
        pixits: Sequence[Path] = (),
        machines: Machines | None = None,
        pair: str | None = None,
    ) -> Order:
        """From the options of the command line, where names are parted by commas. Raises :class:`CommandError`."""
        listed = _names(targets)
        if not listed:
            raise CommandError(
                "--targets names nobody; give at least one, as in --targets ucarp,model:openbsd",
            )
        if len(set(listed)) < len(listed):
            raise CommandError(
                "--targets names an implementation twice; give each once: it is paired with itself anyway",
            )
        if gateways and lanes is not None:
            raise CommandError(
                "--lanes is for this host alone: with --tx say how many workers a host has, as in --tx 4*ssh=root@lab1"
            )
        chosen_pair = _names(pair or "")
        if pair is not None and (len(chosen_pair) != 2 or not set(chosen_pair) <= set(listed)):
            raise CommandError(
                f"--pair {pair} does not name two of --targets, A first; give it as in --pair {listed[0]},{listed[-1]}"
            )
        if gateways and pixits:
            raise CommandError(
                "machines of a PIXIT are driven from the host on their segment: leave --tx or --pixit out"
            )
        return cls(
            listed, _names(scenarios or ""), out, rung, runs, lanes, quiet, tuple(gateways), tuple(pixits), machines or Machines(), chosen_pair,
        )  # fmt: skip


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def run_matrix(order: Order, arguments: Sequence[str]) -> tuple[dict[str, Any], Path]:
    """Runs the matrix and returns its document and folder; ``arguments`` is the whole command line, for a new start in a user namespace.

    Raises :class:`CommandError`, :class:`UnknownTarget`.
    """
    with ExitStack() as stack:
        try:
            # Before any machine is brought up: who can meet at all, in what.
            replace(order.asked, pixits=()).cast()
            chosen(order.scenarios)
            order = replace(order, pixits=_pixits(order, stack, arguments))
            cast = order.asked.cast()
        except (NoCommonRung, UnknownScenario, PixitError) as error:
            raise CommandError(str(error)) from error
        folder = order.out or Path("reports") / f"{datetime.now(UTC).strftime('%Y%m%dT%H%M%SZ')}-matrix"
        if (folder / "results.json").exists():
            raise CommandError(f"{folder} holds the results of a matrix already; give another --out")
        others: Hosts | None = None
        if order.gateways:
            others = hosts(order.gateways, order.asked)
        else:
            _be_able(cast, arguments)
        document = matrix(
            order.asked, folder, lanes=order.lanes, commit=commit(),
            run=others.run if others else None, machine=others.machine if others else machine(), versions=others.versions if others else None,
            progress=_silent if order.quiet or not sys.stderr.isatty() else _tell,
        )  # fmt: skip
    validate(document, "matrix")
    return document, folder


def _pixits(order: Order, stack: ExitStack, arguments: Sequence[str]) -> tuple[Path, ...]:
    """The PIXIT files of all that runs on machines: the user's, after the safety rules of the rung ``lab``, and those of machines that are brought up until ``stack`` ends."""
    try:
        files = {load(path).system: path for path in order.pixits}
    except PixitError as error:
        raise CommandError(str(error)) from error
    strangers = sorted(files.keys() - set(order.targets))
    if strangers:
        raise CommandError(
            f"--pixit {files[strangers[0]]} is for {strangers[0]}, which --targets does not name: name it there, or leave the file out"
        )
    made_here = [name for name in order.targets if name not in files and isinstance(find(name), Machined)]
    if len(made_here) > 1 and not hypervisor.answers():
        raise CommandError(
            f"no libvirt of this machine answers, so the machines of {' and '.join(made_here)} would each come up on a network of their own and never "
            "hear the others: start it (systemctl start libvirtd), or give --pixit FILE for machines on one segment",
            UNDECIDED,
        )
    found = []
    for name in order.targets:
        if name in files or name in made_here:
            wanted = replace(order.machines, pixit=files.get(name))
            if name not in files:
                wanted = replace(wanted, interface=None, mine=False)
            ready = stack.enter_context(machines(name, wanted, arguments))
            found.append(Path(ready.options[ready.options.index("--pixit") + 1]))
    return tuple(found)


def _be_able(cast: Sequence[Participant], arguments: Sequence[str]) -> None:
    enter_namespace(rung_of(cast), arguments)
    present = [one for one in cast if not one.absent]
    lacks = [f"{one.name}: {what}: {remedy}" for one in present for what, remedy in one.target.lacks()]
    if lacks:
        raise CommandError("; ".join(lacks), UNDECIDED)


def merge_matrices(folders: Sequence[Path], out: Path | None) -> tuple[dict[str, Any], Path]:
    """``matrix --merge``: one matrix out of parts in ``folders``, or anywhere below them. Raises :class:`CommandError`."""
    if out is None:
        raise CommandError("--merge needs a folder for the whole: give --out DIR")
    if (out / "results.json").exists():
        raise CommandError(f"{out} holds the results of a matrix already; give another --out")
    try:
        parts = [(night.folder, night.document) for night in load_nights(folders)]
        document = merged(parts)
    except (NoMatrix, DoNotMerge) as error:
        raise CommandError(str(error)) from error
    validate(document, "matrix")
    out.mkdir(parents=True, exist_ok=True)
    take_evidence(parts, out)
    write(document, out)
    return document, out


def write_site(folders: Sequence[Path], out: Path) -> list[Path]:
    """``report matrix``: the site of these folders. Raises :class:`CommandError`."""
    try:
        return build(folders, out)
    except NoMatrix as error:
        raise CommandError(str(error)) from error


def night_legs() -> list[dict[str, Any]]:
    """``nightly --plan``: the jobs of a night on hosted runners."""
    return legs((name, find(name)) for name in names())


def run_nightly(nights: Path, out: Path, lanes: int | None = None) -> int:
    """One night: into ``nights``, site in ``out``, ``lanes`` cells side by side; prints what was skipped; returns the exit status. Raises :class:`CommandError`."""
    try:
        status, skipped = nightly(nights, out, build, lanes=lanes, machine=machine(), commit=commit())
    except NoMatrix as error:
        raise CommandError(str(error)) from error
    for one in skipped:
        print(
            f"skipped {', '.join(one.part.targets)} on {one.part.rung}: {'; '.join(one.remedies)}",
            file=sys.stderr,
        )
    return status


def print_matrix(document: Mapping[str, Any], folder: Path) -> None:
    """The summary for a terminal: what is red, what was predicted and shown, counts."""
    for verdict in ("fail", "surprise", "error", "inconclusive", "hazard"):
        for cell in document["cells"]:
            if cell["verdict"] == verdict:
                told = f"{cell['scenario']}: {cell['a']} × {cell['b']}: {cell['reason']}"
                print(f"{verdict:12} {visible(told)}")
    for one in document["implementations"]:
        for scenario in one["fails_against_everyone"]:
            print(visible(f"{one['name']} fails with everyone: {scenario}"))
    print(
        ", ".join(
            f"{count} {verdict.replace('_', ' ')}" for verdict, count in document["summary"].items() if count
        )
        + f"; {folder}",
    )


def _silent(_cell: Mapping[str, Any], _done: int, _total: int) -> None:
    pass


def _tell(cell: Mapping[str, Any], done: int, total: int) -> None:
    print(
        f"\r\x1b[K{done} of {total}: {cell['verdict']} {visible(cell['id'])}"[:110],
        end="\n" if done == total else "",
        file=sys.stderr,
        flush=True,
    )
