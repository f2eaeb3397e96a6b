"""Which machines a run is on: those of a PIXIT file, those that the target brings up, or lanes that it makes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from conformance.commands.ability import be_able
from conformance.commands.errors import UNDECIDED, CommandError
from conformance.targets.admission import LISTEN_S, Examining, NotAdmitted, admit, on_interface
from conformance.targets.pixit import PixitError, load
from conformance.targets.protocol import Machined, MachinesError, Target
from conformance.targets.registry import chosen, find


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """What the command line says about them. ``mine``: nobody else depends on the segment of ``interface``; ``listen_s``: how long to listen there."""

    pixit: Path | None = None
    interface: str | None = None
    mine: bool = False
    listen_s: float = LISTEN_S
    keep: bool = False
    destroy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A target that can be tested now. ``options`` are those with which pytest and its workers find it again; ``asks`` says whether a person at
    the terminal will be asked to do things.
    """

    target: Target
    options: tuple[str, ...] = ()
    asks: bool = False


@contextmanager
def machines(
    name: str, wanted: Machines, arguments: Sequence[str], *, to_be: str = "tested"
) -> Iterator[Ready]:
    """The target ``name``, ready ``to_be`` tested for as long as the context lasts.

    Re-executes the command in a user namespace if it must and may (``arguments`` is the whole command line). Raises :class:`CommandError`
    with usage for what the user has to say, and as undecided for machines that are not there or a segment on which a stranger speaks.
    """
    if wanted.pixit is not None:
        yield _on_the_users(name, wanted, wanted.pixit, arguments, to_be)
        return
    if wanted.interface or wanted.mine:
        raise CommandError(
            "--interface and --this-segment-is-mine are for machines of your own: give --pixit FILE, too"
        )
    target = find(name)
    be_able(target, arguments, to_be=to_be)
    if not isinstance(target, Machined):
        if wanted.keep or wanted.destroy:
            raise CommandError(
                f"target {name} has no machines that --keep or --destroy could mean: leave them out"
            )
        yield Ready(target=target)
        return
    try:
        with target.machines(keep=wanted.keep, destroy=wanted.destroy) as made:
            yield Ready(target=chosen(name, made, None), options=("--pixit", str(made.resolve())))
    except MachinesError as error:
        raise CommandError(str(error), UNDECIDED) from error


def _on_the_users(name: str, wanted: Machines, path: Path, arguments: Sequence[str], to_be: str) -> Ready:
    """The target on the machines of the user's own PIXIT, after the safety rules of the rung ``lab``."""
    if wanted.keep or wanted.destroy:
        raise CommandError(
            "--keep and --destroy are for machines that the suite makes, those of a PIXIT are yours: leave them out"
        )
    try:
        pixit = on_interface(load(path), wanted.interface, mine=wanted.mine)
        target = find(name, pixit)
        be_able(target, arguments, to_be=to_be)
        heard = admit(pixit, wanted.listen_s, _tell)
        if isinstance(target, Examining):
            target.examine(heard)
    except (PixitError, NotAdmitted) as error:
        raise CommandError(str(error)) from error
    return Ready(
        target=target,
        options=("--pixit", str(path.resolve()), "--interface", pixit.tester_interface),
        asks=any(action.prompt for action in pixit.actions.values()),
    )


def _tell(text: str) -> None:
    print(f"carp-conformance: {text}", file=sys.stderr, flush=True)
