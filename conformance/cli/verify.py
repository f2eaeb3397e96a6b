"""``verify`` on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from conformance.cli.options import command, print_json


def add_parser(commands: Any) -> None:
    verify = command(commands, "verify", _verify, "check a bundle that somebody made, trusting nobody")
    verify.add_argument("bundle", type=Path, metavar="BUNDLE")
    verify.add_argument("--key", type=Path, metavar="FILE", help="public key, PEM")
    verify.add_argument(
        "--pass-file", type=Path, metavar="FILE", help="a file with one password to try a line"
    )


def _verify(options: argparse.Namespace, _: list[str]) -> int:
    from conformance.commands.certificate import secrets_in
    from conformance.commands.verify import exit_status, text, verify_bundle

    document = verify_bundle(options.bundle, options.key, secrets_in(options.pass_file))
    print_json(document) if options.json else print(text(document))
    return exit_status(document)
