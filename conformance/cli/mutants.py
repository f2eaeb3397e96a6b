"""``mutants`` on the command line."""

from __future__ import annotations

import argparse
from typing import Any

from conformance.cli.options import command, print_json
from conformance.commands.errors import CONFORMS, FAILED


def add_parser(commands: Any) -> None:
    mutants = command(commands, "mutants", _mutants, "run the suite against deliberate faults of the model")
    mutants.add_argument(
        "select", nargs="*", metavar="SELECT", help="beginnings of mutant ids or groups (default: all)"
    )
    mutants.add_argument(
        "--exhaustive", action="store_true", help="find every case that kills a mutant, not only the first"
    )


def _mutants(options: argparse.Namespace, _: list[str]) -> int:
    from conformance.commands.mutants import mutants
    from conformance.commands.summary import print_mutants

    document = mutants(options.select, exhaustive=options.exhaustive)
    print_json(document) if options.json else print_mutants(document)
    return FAILED if document["summary"]["survived"] or document["summary"]["unproven"] else CONFORMS
