"""``doctor`` on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from conformance.cli.options import command, print_json
from conformance.commands.errors import CONFORMS, UNDECIDED


def add_parser(commands: Any) -> None:
    doctor = command(commands, "doctor", _doctor, "what this machine has and lacks")
    doctor.add_argument("--target", metavar="T", help="only this target")
    doctor.add_argument(
        "--pixit", type=Path, metavar="FILE", help="the machines of this file (docs/reference/pixit.md)"
    )
    doctor.add_argument("--interface", metavar="IF", help="the tester's interface on their segment")


def _doctor(options: argparse.Namespace, _: list[str]) -> int:
    from conformance.commands.doctor import doctor
    from conformance.commands.summary import print_doctor

    document = doctor(options.target, options.pixit, options.interface)
    print_json(document) if options.json else print_doctor(document)
    return CONFORMS if all(target["ready"] for target in document["targets"]) else UNDECIDED
