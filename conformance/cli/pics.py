"""``pics`` on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from conformance.cli.options import add_machines, command, machines, print_json


def add_parser(commands: Any) -> None:
    pics = command(commands, "pics", _pics, "draft the declaration of an implementation by probing it")
    pics.add_argument("--target", required=True, metavar="T")
    pics.add_argument("--declared", type=Path, metavar="FILE", help="a declaration to hold against it")
    pics.add_argument(
        "--out", type=Path, metavar="FILE", help="where the draft goes (default: standard output)"
    )
    add_machines(pics)
    pics.add_argument("--form", type=Path, metavar="FILE", help="write the printable form, too")


def _pics(options: argparse.Namespace, arguments: list[str]) -> int:
    from conformance.commands.pics import drafted, exit_status, probed, write
    from conformance.report.certificate.pics import form, toml

    document = probed(options.target, options.declared, arguments, machines(options))
    if options.form is not None:
        write(form(document), options.form)
    if options.json:
        print_json(document)
    elif options.out is not None:
        write(toml(drafted(document)), options.out)
    else:
        print(toml(drafted(document)))
    return exit_status(document)
