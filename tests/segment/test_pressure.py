"""Unbroken stretches in which something waited for a CPU."""

from conformance.segment import pressure
from conformance.segment.pressure import Stretches, cpu_stalled_ns

MS = 1_000_000


def sampled(*stalled_ms: float) -> Stretches:
    """Samples 20 ms apart, each with the stalled time since the one before it."""
    stretches, total_ns = Stretches(), 0
    for number, waited_ms in enumerate(stalled_ms):
        total_ns += int(waited_ms * MS)
        stretches.sample(number * 20 * MS, total_ns)
    return stretches


class TestStretches:
    def test_none_without_samples(self):
        assert sampled().longest_ns(0) == 0

    def test_first_sample_tells_nothing(self):
        assert sampled(500).longest_ns(0) == 0

    def test_intervals_that_are_half_stalled_make_one_stretch(self):
        assert sampled(0, 10, 20, 15, 9).longest_ns(0) == 60 * MS

    def test_the_longest_counts(self):
        assert sampled(0, 20, 20, 0, 20, 0).longest_ns(0) == 40 * MS

    def test_stretches_that_ended_before_do_not_count(self):
        assert sampled(0, 20, 20, 20, 0, 20).longest_ns(61 * MS) == 20 * MS

    def test_two_samples_at_one_instant(self):
        stretches = Stretches()
        stretches.sample(0, 0)
        stretches.sample(0, 5)
        assert stretches.longest_ns(0) == 0


class TestSource:
    def test_kernel_that_measures(self, tmp_path, monkeypatch):
        file = tmp_path / "cpu"
        file.write_text(
            "some avg10=1.00 avg60=2.00 avg300=3.00 total=848291445\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"
        )
        monkeypatch.setattr(pressure, "SOURCE", file)
        assert cpu_stalled_ns() == 848_291_445_000

    def test_kernel_that_does_not(self, tmp_path, monkeypatch):
        monkeypatch.setattr(pressure, "SOURCE", tmp_path / "none")
        assert cpu_stalled_ns() == 0
        (tmp_path / "empty").write_text("")
        monkeypatch.setattr(pressure, "SOURCE", tmp_path / "empty")
        assert cpu_stalled_ns() == 0
