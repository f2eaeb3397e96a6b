"""How long processes have waited for a CPU."""

import os

from conformance.segment import stalls
from conformance.segment.stalls import Family, Stalls, stalled_ns

MS = 1_000_000


def sampled(*totals_ms: int) -> Stalls:
    """Samples 50 ms apart of the stalled time so far."""
    taken = Stalls()
    for number, total_ms in enumerate(totals_ms):
        taken.sample(number * 50 * MS, total_ms * MS)
    return taken


class TestStalls:
    def test_none_without_samples(self):
        assert sampled().since_ns(0) == 0

    def test_what_was_stalled_before_the_first_sample_does_not_count(self):
        assert sampled(500).since_ns(0) == 0

    def test_it_counts_from_the_last_sample_that_is_not_younger(self):
        assert sampled(0, 10, 30, 70).since_ns(50 * MS) == 60 * MS
        assert sampled(0, 10, 30, 70).since_ns(99 * MS) == 60 * MS
        assert sampled(0, 10, 30, 70).since_ns(100 * MS) == 40 * MS

    def test_before_the_first_sample_everything_counts(self):
        assert sampled(5, 10, 30).since_ns(-1) == 25 * MS

    def test_after_the_last_sample_nothing_does(self):
        assert sampled(5, 10, 30).since_ns(1000 * MS) == 0


class TestSpan:
    def test_the_worst_span_counts_and_not_their_sum(self):
        taken = sampled(0, 10, 30, 70, 75, 80, 120)
        assert taken.worst_ns(0, 50 * MS) == 40 * MS
        assert taken.worst_ns(0, 100 * MS) == 60 * MS
        assert taken.worst_ns(0, 1000 * MS) == taken.since_ns(0) == 120 * MS

    def test_nothing_before_it_began(self):
        assert sampled(0, 90, 100, 110).worst_ns(50 * MS, 1000 * MS) == 20 * MS

    def test_none_without_samples(self):
        assert sampled().worst_ns(0, 50 * MS) == 0
        assert sampled(5).worst_ns(0, 50 * MS) == 0

    def test_samples_further_apart_than_the_span(self):
        assert sampled(0, 10, 30).worst_ns(0, 1 * MS) == 20 * MS


class TestSource:
    def test_it_is_the_second_field_of_the_kernel(self, tmp_path, monkeypatch):
        (tmp_path / "17").mkdir()
        (tmp_path / "17" / "schedstat").write_text("158055 133467 2\n")
        monkeypatch.setattr(stalls, "PROC", tmp_path)
        assert stalled_ns(17) == 133_467

    def test_a_process_that_is_gone_or_a_kernel_that_does_not_count(self, tmp_path, monkeypatch):
        (tmp_path / "18").mkdir()
        (tmp_path / "18" / "schedstat").write_text("")
        monkeypatch.setattr(stalls, "PROC", tmp_path)
        assert stalled_ns(17) == stalled_ns(18) == 0

    def test_this_kernel_counts(self):
        before = stalled_ns(os.getpid())
        assert stalled_ns(os.getpid()) >= before >= 0


class TestHypervisor:
    def test_it_is_the_eighth_number_of_all_cpus_in_ticks(self, tmp_path, monkeypatch):
        monkeypatch.setattr(stalls, "PROC", tmp_path)
        (tmp_path / "stat").write_text("cpu  1 2 3 4 5 6 7 30 9 10\ncpu0 1 1 1 1 1 1 1 12 1 1\n")
        assert stalls.stolen_ns() == 30 * 1_000 * MS // os.sysconf("SC_CLK_TCK")

    def test_a_kernel_that_does_not_count_it(self, tmp_path, monkeypatch):
        monkeypatch.setattr(stalls, "PROC", tmp_path)
        assert stalls.stolen_ns() == 0
        (tmp_path / "stat").write_text("cpu  1 2 3 4\n")
        assert stalls.stolen_ns() == 0


class TestFamily:
    def test_a_child_and_a_grandchild_count_and_are_remembered(self, tmp_path, monkeypatch):
        monkeypatch.setattr(stalls, "PROC", tmp_path)
        process(tmp_path, 1, stalled=100, children="2")
        process(tmp_path, 2, stalled=20, children="3")
        process(tmp_path, 3, stalled=3)
        family = Family(1)
        assert family.stalled_ns() == 123
        process(tmp_path, 1, stalled=150)  # the script has ended
        assert family.stalled_ns() == 173

    def test_a_kernel_that_does_not_list_children(self, tmp_path, monkeypatch):
        monkeypatch.setattr(stalls, "PROC", tmp_path)
        (tmp_path / "1").mkdir()
        (tmp_path / "1" / "schedstat").write_text("0 100 2\n")
        assert Family(1).stalled_ns() == 100


def process(proc, pid, *, stalled, children=""):
    task = proc / str(pid) / "task" / str(pid)
    task.mkdir(parents=True, exist_ok=True)
    (task / "children").write_text(children)
    (proc / str(pid) / "schedstat").write_text(f"0 {stalled} 2\n")
