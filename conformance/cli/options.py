"""What several commands have in common: how a command is declared, its options for machines, how its document is printed."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conformance.commands.machines import Machines

Called = Callable[[argparse.Namespace, list[str]], int]
"""A command: gets its options and the whole command line, returns the exit status."""


def command(
    commands: Any, name: str, called: Called, help: str, *, json_too: bool = True
) -> argparse.ArgumentParser:
    """Declares the command ``name`` among ``commands`` (what ``add_subparsers`` returned); most have ``--json``."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=help, description=help[0].upper() + help[1:] + "."
    )
    parser.set_defaults(command=called)
    if json_too:
        parser.add_argument(
            "--json", action="store_true", help="one JSON document on standard output and nothing else there"
        )
    return parser


def positive(text: str) -> int:
    """The type of an option that counts something."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def add_machines(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """The options that say which machines are tested; ``several``: machines of more than one implementation."""
    parser.add_argument(
        "--pixit",
        type=Path,
        metavar="FILE",
        action="append" if several else "store",
        help="machines that are already there (docs/reference/pixit.md)"
        + ("; may be given several times" if several else ""),
    )
    parser.add_argument("--interface", metavar="IF", help="the tester's interface on their segment")
    parser.add_argument(
        "--this-segment-is-mine",
        action="store_true",
        help="nobody else depends on that segment: the tester takes addresses over on it",
    )
    parser.add_argument(
        "--listen",
        type=_seconds,
        metavar="S",
        help="how many seconds to listen there before anything is sent (default: 260, no speaker is slower)",
    )
    parser.add_argument(
        "--keep", action="store_true", help="leave the machines that the target brings up running"
    )
    parser.add_argument(
        "--destroy", action="store_true", help="remove the machines that the target brings up afterwards"
    )


def machines(options: argparse.Namespace) -> Machines:
    """The machines that the options of :func:`add_machines` ask for."""
    from conformance.commands.machines import Machines
    from conformance.targets.admission import LISTEN_S

    return Machines(
        pixit=options.pixit,
        interface=options.interface,
        mine=options.this_segment_is_mine,
        listen_s=options.listen or LISTEN_S,
        keep=options.keep,
        destroy=options.destroy,
    )


def print_json(document: Any) -> None:
    """The one document of ``--json``, on standard output."""
    json.dump(document, sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds up to 3600")
    return value
