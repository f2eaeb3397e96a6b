"""What a device said is printed so that no terminal obeys it: no escape sequence, no reversed line, no second line of its own making."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from conformance.commands import diff as diff_command
from conformance.commands import matrix, summary, verify
from conformance.commands.progress import LiveProgress
from conformance.report.certificate.diff import Side, diff, text

# Clears the screen, sets the title, reports the cursor's position as typed text, turns the line around, rings.
HOSTILE = "\x1b[2J\x1b]0;owned\x07\x1b[6n\x9b31m\u202eesrever\r\x08[red]"
OBEYED = ("\x1b", "\x9b", "\x07", "\x08", "\r", "\u202e")


def case(verdict: str) -> dict[str, Any]:
    return {
        "id": f"LOG-001.{HOSTILE}", "group": "LOG", "title": HOSTILE, "requirements": ["CARP-LOG-001"], "verdict": verdict, "reason": HOSTILE,
        "frames": [1], "evidence": f"evidence/{HOSTILE}", "detail": f"{HOSTILE}\n{HOSTILE}", "reproduce": HOSTILE, "nodeid": "n", "duration_s": 1.0,
        "deviation": None, "expected": [HOSTILE], "actual": HOSTILE, "source": "",
    }  # fmt: skip


def run_with(*verdicts: str) -> dict[str, Any]:
    cases = [case(verdict) for verdict in verdicts]
    counts = {
        verdict: verdicts.count(verdict)
        for verdict in ("pass", "fail", "inconclusive", "not_applicable", "known_deviation", "error")
    }
    return {
        "cases": cases, "summary": counts, "verdict": "fails", "duration_s": 1.0, "cases_duration_s": 1.0, "requirements": [], "invariants": [], "lanes": 1,
        "suite": {"version": "1", "commit": HOSTILE, "catalogue": "c"}, "arguments": [],
        "target": {"name": HOSTILE, "version": HOSTILE, "dialect": "ucarp", "rung": "netns", "pics": {}}, "started": "2026-11-22T16:00:00Z",
        "rig": {"lateness_max_ms": 1, "lateness_p99_ms": 1, "frames_dropped": 0},
    }  # fmt: skip


def harmless(printed: str) -> None:
    assert [character for character in OBEYED if character in printed] == []
    assert "\\x1b[2J" in printed
    assert "[red]" in printed


def test_summary_of_a_run(capsys):
    summary.print_run(run_with("fail", "error", "inconclusive", "known_deviation", "pass"), Path("report"))
    harmless(capsys.readouterr().out)


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_of_a_run(terminal):
    said = io.StringIO()
    console = Console(file=said, force_terminal=terminal, color_system=None, highlight=False)
    progress = LiveProgress([], 1, console)
    progress.ended(case("fail"))
    harmless(said.getvalue())


def test_matrix(capsys):
    cell = {"verdict": "fail", "scenario": HOSTILE, "a": HOSTILE, "b": "b", "reason": HOSTILE}
    document = {
        "cells": [cell],
        "implementations": [{"name": HOSTILE, "fails_against_everyone": [HOSTILE]}],
        "summary": {"fail": 1},
    }
    matrix.print_matrix(document, Path("folder"))
    harmless(capsys.readouterr().out)


def test_progress_of_a_matrix(capsys):
    matrix._tell({"verdict": "fail", "id": HOSTILE}, 2, 2)
    printed = capsys.readouterr().err
    assert printed.startswith("\r\x1b[K")
    harmless(printed.removeprefix("\r\x1b[K"))


def test_diff():
    document = diff(Side(HOSTILE, run_with("pass"), None), Side("b", run_with("fail"), None))
    harmless(text(document))


def test_verification():
    document = {
        "bundle": HOSTILE, "verified": False, "signature": "none", "claims_conformance": False, "notes": [HOSTILE],
        "problems": [{"file": HOSTILE, "problem": HOSTILE}], "basis": dict.fromkeys(("monitor", "window", "frames", "host", "none"), 0),
        "invariants": dict.fromkeys(("again", "locked", "untold", "nothing"), 1), "interop": dict.fromkeys(("again", "untold", "without"), 1),
        "cases": [{"id": HOSTILE, "basis": "host"}],
    }  # fmt: skip
    harmless(verify.text(document))


@pytest.mark.parametrize("command", [["verify"], ["report"], ["sign", "--key", "k"], ["diff", "b"]])
def test_an_error_about_a_hostile_name_is_one_harmless_line(command, capsys, tmp_path, monkeypatch):
    from conformance.cli import main

    monkeypatch.chdir(tmp_path)
    assert main([command[0], HOSTILE, *command[1:]]) == 2
    printed = capsys.readouterr().err
    harmless(printed)
    assert len(printed.strip().splitlines()) == 1


def test_folder_is_said_as_it_is_called(tmp_path):
    with pytest.raises(Exception, match="neither results"):
        diff_command.differences(tmp_path, tmp_path)
