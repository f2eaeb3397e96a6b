"""``fidelity`` on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from conformance.cli.options import command, print_json


def add_parser(commands: Any) -> None:
    fidelity = command(
        commands, "fidelity", _fidelity, "compare a run of an implementation with one of its model"
    )
    fidelity.add_argument("runs", nargs=2, type=Path, metavar="RUN", help="the folder of a run")


def _fidelity(options: argparse.Namespace, _: list[str]) -> int:
    from conformance.commands.fidelity import exit_status, fidelity, print_fidelity

    document = fidelity(*options.runs)
    print_json(document) if options.json else print_fidelity(document)
    return exit_status(document)
