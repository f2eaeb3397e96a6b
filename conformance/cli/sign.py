"""``sign`` on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from conformance.cli.options import command
from conformance.commands.errors import CONFORMS


def add_parser(commands: Any) -> None:
    sign = command(commands, "sign", _sign, "sign a bundle with an Ed25519 key", json_too=False)
    sign.add_argument("bundle", type=Path, metavar="BUNDLE")
    sign.add_argument("--key", type=Path, required=True, metavar="FILE", help="private key, PEM")


def _sign(options: argparse.Namespace, _: list[str]) -> int:
    from conformance.commands.sign import sign_bundle

    print(sign_bundle(options.bundle, options.key))
    return CONFORMS
