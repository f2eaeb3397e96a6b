"""The cases of the suite as facts."""

import os
from collections import Counter

import pytest

from conformance.catalogue import load
from conformance.commands import collect
from conformance.commands.collect import cases, check_selection, plain_pytest
from conformance.commands.errors import CommandError
from conformance.suite.record import file_name

CATALOGUE = load()


def test_there_are_cases_and_their_ids_are_unique():
    ids = [case.id for case in cases(CATALOGUE)]
    assert len(ids) > 100
    assert [id for id, count in Counter(ids).items() if count > 1] == []


def test_no_two_cases_share_an_evidence_file_even_where_case_does_not_count():
    names = Counter(file_name(case.id).casefold() for case in cases(CATALOGUE))
    assert [name for name, count in names.items() if count > 1] == []


def test_titles_are_sentences():
    assert [case.id for case in cases(CATALOGUE) if not case.title.endswith((".", "?", "!"))] == []


@pytest.mark.parametrize("before", [None, "0"])
def test_plugins_are_kept_out_only_meanwhile(monkeypatch, before):
    if before is None:
        monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", raising=False)
    else:
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", before)
    with pytest.raises(ZeroDivisionError), plain_pytest():
        assert os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] == "1"
        raise ZeroDivisionError
    assert os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD") == before


@pytest.mark.parametrize("prefix", ["", "RX", "rx-001", "CARP-RX-001"])
def test_selections_that_select_something(prefix):
    check_selection([prefix], CATALOGUE, cases(CATALOGUE))


@pytest.mark.parametrize("prefix", ["NOPE", "RX-001.nope", "CARP-NOPE-001"])
def test_selections_that_select_nothing(prefix):
    with pytest.raises(CommandError) as raised:
        check_selection(["RX", prefix], CATALOGUE, cases(CATALOGUE))
    assert raised.value.status == 2
    assert prefix.removeprefix("CARP-") in str(raised.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import nonexistent_module", "nonexistent_module"),
        ("def test_x():\n    'T.'", "covers no requirement"),
    ],
)
def test_a_suite_that_is_broken_says_where(tmp_path, monkeypatch, text, says):
    (tmp_path / "test_broken.py").write_text(text)
    monkeypatch.setattr(collect, "SUITE", tmp_path)
    with pytest.raises(CommandError, match="cannot be collected") as raised:
        cases.__wrapped__(CATALOGUE)
    assert raised.value.status == 3
    assert says in str(raised.value)
