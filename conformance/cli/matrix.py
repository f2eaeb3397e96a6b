"""``matrix`` and ``nightly`` on the command line."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from conformance.cli.options import add_machines, command, machines, positive, print_json
from conformance.commands.errors import CONFORMS, CommandError


def add_parser(commands: Any) -> None:
    matrix = command(
        commands,
        "matrix",
        _matrix,
        "run implementations in pairs: who takes over from whom, and how long is nobody there",
    )
    matrix.add_argument(
        "--targets",
        metavar="A,B,…",
        help="the implementations; each is paired with each, itself included",
    )
    matrix.add_argument("--scenarios", metavar="S,…", help="only these scenarios")
    matrix.add_argument(
        "--rung",
        choices=("sim", "netns", "vm", "lab"),
        help="where all stand (default: where all of them can)",
    )
    matrix.add_argument("--runs", type=positive, default=1, metavar="N", help="how often each cell is run")
    matrix.add_argument("--lanes", type=positive, metavar="N", help="how many cells run side by side")
    matrix.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="the folder of the matrix (default: reports/<UTC time>-matrix)",
    )
    matrix.add_argument(
        "--tx",
        action="append",
        default=[],
        metavar="SPEC",
        help="spread the cells over hosts by gateways of pytest-xdist: 4*ssh=root@lab1//python=/opt/carp/bin/python; may be given several times",
    )
    matrix.add_argument("--pair", metavar="A,B", help="only the cells of this ordered pair of --targets")
    matrix.add_argument(
        "--merge",
        nargs="+",
        type=Path,
        metavar="DIR",
        help="run nothing: make one matrix out of parts that were run apart",
    )
    add_machines(matrix, several=True)
    nightly = command(
        commands, "nightly", _nightly, "run a night of the matrix and build its site", json_too=False
    )
    nightly.add_argument(
        "--plan",
        action="store_true",
        help="run nothing: print the legs of a night as JSON, one for each job of a CI",
    )
    nightly.add_argument("--lanes", type=positive, metavar="N", help="how many cells run side by side")
    nightly.add_argument(
        "--nights", type=Path, default=Path("reports/nights"), metavar="DIR", help="where the nights are kept"
    )
    nightly.add_argument("--out", type=Path, default=Path("site"), metavar="DIR", help="where the site goes")


def _matrix(options: argparse.Namespace, arguments: list[str]) -> int:
    from conformance.commands.matrix import Order, exit_status, merge_matrices, print_matrix, run_matrix

    if (options.targets is None) == (options.merge is None):
        raise CommandError("give --targets A,B,… for a new matrix, or --merge DIR… for parts of one")
    if options.merge is not None:
        document, folder = merge_matrices(options.merge, options.out)
    else:
        order = Order.of(
            options.targets,
            options.scenarios,
            options.out,
            options.rung,
            options.runs,
            options.lanes,
            quiet=options.json,
            gateways=options.tx,
            pixits=options.pixit or (),
            machines=replace(machines(options), pixit=None),
            pair=options.pair,
        )
        document, folder = run_matrix(order, arguments)
    print_json(document) if options.json else print_matrix(document, folder)
    return exit_status(document)


def _nightly(options: argparse.Namespace, _: list[str]) -> int:
    from conformance.commands.matrix import night_legs, run_nightly

    if options.plan:
        print_json(night_legs())
        return CONFORMS
    return run_nightly(options.nights, options.out, options.lanes)
