"""The journal of changes."""

from __future__ import annotations

import pytest

from conformance.lab import journal as journals
from conformance.lab.journal import InUse, folder, name_of

OPEN = []


def Journal(path):  # noqa: N802  # stands in for the class, and closes what a test leaves open
    OPEN.append(journals.Journal(path))
    return OPEN[-1]


@pytest.fixture
def path(tmp_path):
    yield tmp_path / "journals" / "a.jsonl"
    for journal in OPEN:
        crash(journal)
    OPEN.clear()


def crash(journal):
    """What the end of a process does to it."""
    journal._file.close()


def test_last_change_is_undone_first(path):
    journal = Journal(path)
    for undo in ("first", "second", "third"):
        journal.will_change(undo)
    assert journal.pending == ("third", "second", "first")
    journal.forget(1)
    assert journal.pending == ("second", "first")


def test_next_run_finds_what_a_crash_left(path):
    journal = Journal(path)
    journal.will_change("ifconfig em0 inet 192.0.2.1 -alias")
    journal.will_change("sysctl net.inet.carp.preempt=0")
    journal.forget(1)
    crash(journal)
    after = Journal(path)
    assert after.pending == ("ifconfig em0 inet 192.0.2.1 -alias",)
    after.will_change("new")
    assert after.pending == ("new", "ifconfig em0 inet 192.0.2.1 -alias")


def test_change_is_on_the_disk_before_it_is_made(path):
    Journal(path).will_change("undo")
    assert '"undo"' in path.read_text()


@pytest.mark.parametrize("cut", range(1, 30, 4))
def test_line_that_the_crash_cut_short_spoils_nothing(path, cut):
    journal = Journal(path)
    journal.will_change("whole")
    journal.will_change("never made")
    crash(journal)
    text = path.read_text()
    path.write_text(text[:-cut])
    after = Journal(path)
    assert after.pending[-1] == "whole"
    after.will_change("next")
    crash(after)
    assert Journal(path).pending[0] == "next"


def test_empty_journal_leaves_nothing(path):
    journal = Journal(path)
    journal.will_change("undo")
    journal.forget(1)
    journal.close()
    assert path.read_text() == ""


def test_two_runs_do_not_share_one(path):
    first = Journal(path)
    with pytest.raises(InUse, match="another run uses the same machine"):
        Journal(path)
    first.close()
    Journal(path).close()


def test_nobody_else_can_read_them(path):
    Journal(path).close()
    assert path.parent.stat().st_mode & 0o077 == 0


def test_machines_and_lanes_have_their_own(monkeypatch, tmp_path):
    names = {name_of(machine, lane) for machine in ("ssh://a", "ssh://b") for lane in ("lane0", "lane1")}
    assert len(names) == 4
    monkeypatch.setenv("CARP_CONFORMANCE_STATE", str(tmp_path))
    assert folder() == tmp_path
