"""``report DIR``: the pages that were asked for, and one sentence for everything that cannot be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from conformance.cli import main
from conformance.commands.errors import USAGE, CommandError
from conformance.commands.report import report

OLD = Path(__file__).parents[1] / "report/certificate/fixtures/run-version-0"
PAGES = ("index.html", "junit.xml", "ctrf.json")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run that an older suite recorded, to be changed at will."""
    return Path(shutil.copytree(OLD, tmp_path / "run"))


def pages(folder: Path) -> list[str]:
    return [name for name in PAGES if (folder / name).exists()]


@pytest.mark.parametrize(
    ("options", "made"),
    [
        ([], PAGES),
        (["--html"], PAGES[:1]),
        (["--junit"], PAGES[1:2]),
        (["--ctrf"], PAGES[2:]),
        (["--junit", "--ctrf"], PAGES[1:]),
        (["--html", "--junit", "--ctrf"], PAGES),
    ],
)
def test_what_is_asked_for_is_made_and_nothing_else(run, capsys, options, made):
    assert main(["report", str(run), *options]) == 0
    assert tuple(pages(run)) == made
    assert capsys.readouterr().out.split() == [str(run / name) for name in made]


@pytest.mark.parametrize(
    "options",
    [
        ["--out", "x.zip"],
        ["--product", "Balancer"],
        ["--pics", "p.toml"],
        ["--interop", "matrix"],
        ["--secret-file", "s"],
        ["--certificate"],
        ["--certificate", "--product", "Balancer", "--vendor", "Muster"],
        ["other"],
    ],
)
def test_an_option_that_would_do_nothing_is_a_usage_error_in_one_sentence(run, capsys, options):
    assert main(["report", str(run), *options]) == USAGE
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.strip().splitlines()) == 1
    assert pages(run) == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "Expecting value"),
        ("[]", "not a JSON object"),
        ('{"schema": 99}', "schema version 99"),
        ('{"schema": 0}', "schema version 0 says: there is no 'suite'"),
        ('{"schema": 1}', "invalid"),
    ],
)
def test_results_that_cannot_be_read_are_said_in_one_sentence(run, capsys, content, told):
    (run / "results.json").write_text(content)
    with pytest.raises(CommandError, match=told):
        report(run, html_too=True, junit_too=True, ctrf_too=True)
    assert main(["report", str(run)]) == USAGE
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_a_place_that_cannot_be_written_is_said(run):
    (run / "junit.xml").mkdir()
    with pytest.raises(CommandError, match=r"junit\.xml cannot be written"):
        report(run, html_too=False, junit_too=True, ctrf_too=False)
