"""The command line: assembles the parser, calls a command, turns errors into one sentence and an exit status.

A module of this package for each module of :mod:`conformance.commands`: the options of its commands and what they are
handed to. The commands themselves are imported when they are called, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import conformance
from conformance.cli import (
    diff,
    doctor,
    fidelity,
    judging,
    listing,
    matrix,
    mutants,
    pics,
    report,
    run,
    sign,
    verify,
)
from conformance.commands.errors import UNDECIDED, USAGE, CommandError
from conformance.report.visible import visible
from conformance.targets.registry import UnknownTarget

_IN_ORDER_OF_HELP = (
    run,
    listing,
    doctor,
    mutants,
    matrix,
    fidelity,
    judging,
    report,
    sign,
    verify,
    diff,
    pics,
)


_OBJECTS_BEFORE_COLLECTING = 1_000_000


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status (0 conforms, 1 a requirement failed, 2 usage, 3 undecided or the rig broke)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = _parser().parse_args(arguments)
    with _seldom_collecting(ends=argv is None):
        return _called(options, arguments)


@contextmanager
def _seldom_collecting(*, ends: bool) -> Iterator[None]:
    """Modules, traces and records live until the end of a case or of a command: looking through them for garbage every 700 objects takes a sixth of a simulated run.

    ``ends`` says that the interpreter ends with the command, which leaves nothing to be tidied up.
    """
    before = gc.get_threshold()
    gc.set_threshold(_OBJECTS_BEFORE_COLLECTING, *before[1:])
    try:
        yield
    finally:
        if ends:
            gc.freeze()  # else all of it is looked through at the next object that is made, and once more at the end
        gc.set_threshold(*before)


def _called(options: argparse.Namespace, arguments: list[str]) -> int:
    try:
        status = int(options.command(options, arguments))
        sys.stdout.flush()
    except (CommandError, UnknownTarget) as error:
        # A name that a device chose may be in it.
        print(f"carp-conformance: {visible(str(error))}", file=sys.stderr)
        return getattr(error, "status", USAGE)
    except KeyboardInterrupt:
        print("carp-conformance: interrupted", file=sys.stderr)
        return UNDECIDED
    except BrokenPipeError:
        # What is left in the buffer must go somewhere, or the interpreter complains when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNDECIDED
    except (
        SystemExit
    ):  # rich ends the program with 1, which would say that a requirement failed, when its reader goes away
        return UNDECIDED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="carp-conformance",
        description="Conformance and interoperability tests for CARP.",
        epilog="Exit status: 0 conforms, 1 a requirement failed, 2 usage error, 3 undecided or the rig broke.",
    )
    parser.add_argument("--version", action="version", version=f"carp-conformance {conformance.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in _IN_ORDER_OF_HELP:
        module.add_parser(commands)
    return parser
