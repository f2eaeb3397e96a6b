"""What the front page says of the command line is true: its commands can be given, and what it says of --json holds."""

from __future__ import annotations

import argparse
import re
import shlex

import pytest
from blocks import ROOT, blocks

from conformance import cli
from conformance.targets.registry import names

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in blocks("README.md")
    if block.language == "sh"
    for line in block.text.splitlines()
    if line.startswith("carp-conformance ")
]


def test_there_are_commands() -> None:
    assert len(COMMANDS) > 5


@pytest.mark.parametrize("line", COMMANDS)
def test_command_can_be_given(line: str) -> None:
    options = cli._parser().parse_args(shlex.split(line, comments=True)[1:])
    assert callable(options.command)


def test_commands_without_json_are_those_that_it_names() -> None:
    subparsers = next(
        action for action in cli._parser()._actions if isinstance(action, argparse._SubParsersAction)
    )
    without = {
        name for name, parser in subparsers.choices.items() if "--json" not in parser._option_string_actions
    }
    said = re.search(r"All but (.+?) take `--json`", README)
    assert said
    assert set(re.findall(r"`([a-z]+)`", said[1])) == without


def test_every_target_is_in_its_table() -> None:
    table = "\n".join(line for line in README.splitlines() if line.startswith("| `"))
    told = set(re.findall(r"`([a-z0-9:@-]+)`", table))
    assert {name for name in names() if "@" not in name} <= told
    assert {"@" + name.partition("@")[2] for name in names() if "@" in name} <= told
