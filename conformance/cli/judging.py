"""``judge`` and ``watch`` on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.cli.options import command, print_json

if TYPE_CHECKING:
    from conformance.commands.judging import Question


def add_parser(commands: Any) -> None:
    judge = command(commands, "judge", _judge, "say what is wrong in captures from anywhere")
    judge.add_argument(
        "captures",
        nargs="+",
        metavar="CAPTURE",
        help="pcap or pcapng files, also gzipped; - is standard input",
    )
    judge.add_argument("--html", type=Path, metavar="FILE", help="write the judgement as a page, too")
    _add_question(judge)
    watch = command(commands, "watch", _watch, "the same live, strictly passive", json_too=False)
    watch.add_argument("--interface", required=True, metavar="IF")
    watch.add_argument(
        "--json-lines", action="store_true", help="one JSON document a line for each thing that happens"
    )
    _add_question(watch)


def _add_question(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--vhid", type=int, metavar="N", help="only this virtual host")
    parser.add_argument(
        "--pass",
        dest="passwords",
        action="append",
        default=[],
        metavar="P",
        help="a password to try; may be given several times (whoever lists the processes sees it: --pass-file is safer)",
    )
    parser.add_argument("--pass-file", type=Path, metavar="F", help="a file with one password to try a line")
    parser.add_argument(
        "--address",
        dest="addresses",
        action="append",
        default=[],
        metavar="A",
        help="a shared address; may be given several times",
    )
    parser.add_argument(
        "--dialect", metavar="D", help="freebsd, freebsd-legacy, openbsd or ucarp (default: guessed)"
    )


def _question(options: argparse.Namespace) -> Question:
    from conformance.commands.judging import Question

    return Question.of(options.vhid, options.passwords, options.pass_file, options.addresses, options.dialect)


def _judge(options: argparse.Namespace, _: list[str]) -> int:
    from conformance.commands.judging import exit_status, judged, summary_text, write_page

    document = judged(options.captures, _question(options))
    if options.html is not None:
        write_page(document, options.html)
    print_json(document) if options.json else print(summary_text(document), end="")
    return exit_status(document)


def _watch(options: argparse.Namespace, _: list[str]) -> int:
    from conformance.commands.judging import watched

    return watched(options.interface, _question(options), json_lines=options.json_lines)
