"""``diff`` on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from conformance.cli.options import command, print_json


def add_parser(commands: Any) -> None:
    diff = command(commands, "diff", _diff, "what changed between two runs, verdict by verdict")
    diff.add_argument("before", type=Path, metavar="DIR")
    diff.add_argument("after", type=Path, metavar="DIR")
    diff.add_argument("--html", type=Path, metavar="FILE", help="write it as a page, too")


def _diff(options: argparse.Namespace, _: list[str]) -> int:
    from conformance.commands.diff import differences, write_page
    from conformance.report.certificate.diff import exit_status, text

    document = differences(options.before, options.after)
    if options.html is not None:
        write_page(document, options.html)
    print_json(document) if options.json else print(text(document))
    return exit_status(document)
