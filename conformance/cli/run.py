"""``run`` on the command line."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from conformance.cli.options import add_machines, command, machines, positive, print_json
from conformance.commands.errors import CommandError


def add_parser(commands: Any) -> None:
    run = command(commands, "run", _run, "run the cases of a target")
    run.add_argument(
        "select",
        nargs="*",
        metavar="SELECT",
        help="ID prefixes: AUTH, AUTH-011, AUTH-011.wrong (default: all cases)",
    )
    run.add_argument("--target", metavar="T", help="what to test ('carp-conformance targets' lists them)")
    run.add_argument(
        "--lanes",
        type=positive,
        metavar="N",
        help="how many cases run side by side (default: 48 for each core)",
    )
    run.add_argument(
        "--out", type=Path, metavar="DIR", help="the folder of the run (default: reports/<UTC time>-<target>)"
    )
    run.add_argument(
        "--resume",
        type=Path,
        metavar="DIR",
        help="complete a run that was interrupted; takes target and selection from it",
    )
    run.add_argument(
        "--seed",
        type=int,
        metavar="N",
        help="draw what is sent at random from N, as a report says it was (default: CARP_CONFORMANCE_SEED, or 112)",
    )
    add_machines(run)


def _run(options: argparse.Namespace, arguments: list[str]) -> int:
    from conformance.commands.run import Order, run
    from conformance.commands.summary import print_run
    from conformance.report.results import EXIT_STATUS
    from conformance.suite.fuzzing import SEED_VARIABLE, BadSeed, seed_of

    if (options.target is None) == (options.resume is None):
        raise CommandError("give --target T for a new run, or --resume DIR for one that was interrupted")
    if options.seed is not None:
        os.environ[SEED_VARIABLE] = str(options.seed)  # for the lanes, which are processes
    try:
        seed_of()
    except BadSeed as error:
        raise CommandError(str(error)) from error
    document, folder = run(
        Order(
            options.target or "",
            tuple(options.select),
            options.lanes,
            options.out,
            options.resume,
            machines=machines(options),
        ),
        arguments,
    )
    if options.json:
        print_json(document)
    else:
        print_run(document, folder)
    return EXIT_STATUS[document["verdict"]]
