"""``list`` and ``targets`` on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from conformance.cli.options import command, print_json
from conformance.commands.errors import CONFORMS


def add_parser(commands: Any) -> None:
    listing = command(commands, "list", _list, "requirements and the cases that cover them")
    listing.add_argument("select", nargs="*", metavar="SELECT", help="ID prefixes (default: all)")
    listing.add_argument("--target", metavar="T", help="only the cases that apply to this target")
    listing.add_argument(
        "--pixit",
        type=Path,
        metavar="FILE",
        help="that target on the machines of this file (docs/reference/pixit.md)",
    )
    command(commands, "targets", _targets, "the targets that can be tested")


def _list(options: argparse.Namespace, _: list[str]) -> int:
    from conformance.commands.listing import listing
    from conformance.commands.summary import print_list

    document = listing(options.select, options.target, options.pixit)
    print_json(document) if options.json else print_list(document)
    return CONFORMS


def _targets(options: argparse.Namespace, _: list[str]) -> int:
    from conformance.commands.listing import targets
    from conformance.commands.summary import print_targets

    document = targets()
    print_json(document) if options.json else print_targets(document)
    return CONFORMS
