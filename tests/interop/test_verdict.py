"""The verdict of a run and of a cell: predicted against observed, in both directions, and whether a hazard looks as it should."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.interop.expect import Bounds
from conformance.interop.fault import Fault, Measure
from conformance.interop.looks import Ends, Looks
from conformance.interop.measure import Measured
from conformance.interop.plan import Plan
from conformance.interop.predict import Named, Predicted, Prediction
from conformance.interop.run import Observed, Ran, _observed
from conformance.interop.verdict import cell_verdict, judged

S = 1_000_000_000
BOTH, A = frozenset("ab"), frozenset("a")
SPLIT = Looks(ends=Ends(BOTH, 2, 2), dual_master_ns=(7 * S, 9 * S))
TIE = Looks(no_master_ns=(2 * S, 4 * S), flapping=True)


def may(looks: Looks, name: str = "tie") -> Named:
    return Named(name, "", "", certain=False, looks=looks)


def must(looks: Looks, name: str = "split") -> Named:
    return Named(name, "", "", certain=True, looks=looks)


def expecting(*hazards: Named) -> Prediction:
    outcome = Predicted.HAZARD if hazards else Predicted.CONVERGES
    return Prediction(outcome, "", hazards, Bounds((0, S), S, S), None, Plan((0,), 12 * S, 0))


def ran(
    *faults: Fault,
    no_master: float = 0,
    dual: float = 0,
    ends: frozenset[str] = A,
    noise: float = 0,
    lasted: float = 12,
    service: float | None = None,
) -> Ran:
    times = Measured(int(no_master * S), int(dual * S), 1, flapping=False, frames=())
    return Ran(
        Observed.FAILS if faults else Observed.CONVERGES,
        faults,
        None if service is None else int(service * S),
        times,
        noise_ns=int(noise * S),
        ends={1: ends},
        lasted_ns=int(lasted * S),
    )


def at_end(hosts: str) -> Fault:
    return Fault(Measure.ENDS, f"at the end {hosts}")


def dual(seconds: float) -> Fault:
    return Fault(Measure.DUAL_MASTER, f"two for {seconds}", int(seconds * S), int((seconds - 1) * S))


def split(seconds: float, **more: Any) -> Ran:
    """Both are MASTER at the end, for so long."""
    return ran(at_end("a and b"), dual(seconds), dual=seconds, ends=BOTH, **more)


NOBODY = Fault(Measure.NO_MASTER, "nobody for 3", 3 * S, 2 * S)


class TestWithoutHazards:
    def test_what_converges_passes(self) -> None:
        assert judged(expecting(), ran()).verdict == "pass"

    def test_what_does_not_fails(self) -> None:
        one = judged(expecting(), ran(NOBODY, no_master=3))
        assert (one.verdict, one.reason) == ("fail", "no hazard is known, and nobody for 3")

    @pytest.mark.parametrize("observed", [Observed.INCONCLUSIVE, Observed.ERROR])
    def test_a_rig_that_cannot_tell_decides_nothing(self, observed: Observed) -> None:
        one = judged(expecting(must(SPLIT)), Ran(observed, (Fault(Measure.RIG, "busy"),)))
        assert (one.verdict, one.reason) == (str(observed), "busy")


class TestPossibleHazards:
    def test_one_that_shows_as_it_looks(self) -> None:
        one = judged(expecting(may(TIE)), ran(NOBODY, no_master=3))
        assert (one.verdict, one.reason, one.seen) == ("hazard", "tie: nobody for 3", {"tie"})

    def test_one_that_does_not_show(self) -> None:
        assert judged(expecting(may(TIE)), ran()).reason == "tie may show, and did not"

    @pytest.mark.parametrize("seconds", [1.5, 4.5])
    def test_a_time_outside_of_its_range_is_a_surprise(self, seconds: float) -> None:
        fault = Fault(Measure.NO_MASTER, f"nobody for {seconds}", int(seconds * S), S)
        one = judged(expecting(may(TIE)), ran(fault, no_master=seconds))
        assert one.verdict == "surprise"
        assert one.reason == f"nobody for {seconds}, and tie does not look so (2.000 s to 4.000 s)"

    @pytest.mark.parametrize(
        ("fault", "measured"),
        [
            (dual(3), {"dual": 3}),
            (Fault(Measure.SERVICE, "no service", 9 * S, 8 * S), {"service": 9}),
            (at_end("b"), {"ends": frozenset("b")}),
            (Fault(Measure.REFUSED, "no"), {}),
        ],
        ids=lambda one: one.measure.name if isinstance(one, Fault) else "",
    )
    def test_another_measure_than_its_own_is_a_surprise(self, fault: Fault, measured: dict[str, Any]) -> None:
        assert judged(expecting(may(TIE)), ran(fault, **measured)).verdict == "surprise"

    def test_each_fault_needs_a_hazard_that_looks_like_it(self) -> None:
        stale = may(Looks(service_ns=(0, 20 * S)), "stale")
        service = Fault(Measure.SERVICE, "no service for 9", 9 * S, 8 * S)
        one = judged(expecting(may(TIE), stale), ran(NOBODY, service, no_master=3, service=9))
        assert (one.verdict, one.seen) == ("hazard", {"tie", "stale"})
        one = judged(expecting(may(TIE), stale), ran(service, service=9))
        assert (one.verdict, one.seen) == ("hazard", {"stale"})


class TestCertainHazards:
    def test_one_that_shows_as_it_looks(self) -> None:
        assert judged(expecting(must(SPLIT)), split(8)).verdict == "hazard"

    def test_convergence_is_a_surprise(self) -> None:
        one = judged(expecting(must(SPLIT)), ran())
        assert one.verdict == "surprise"
        assert one.reason.startswith("split was predicted, and at the end a is MASTER; split was predicted")

    @pytest.mark.parametrize("seconds", [6.9, 9.1])
    def test_too_short_and_too_long_are_surprises(self, seconds: float) -> None:
        one = judged(expecting(must(SPLIT)), split(seconds))
        assert one.verdict == "surprise" and "not 7.000 s to 9.000 s" in one.reason

    def test_a_late_driver_makes_it_longer(self) -> None:
        assert judged(expecting(must(SPLIT)), split(9.1, lasted=12.5)).verdict == "hazard"

    def test_what_a_busy_rig_may_have_done_is_inconclusive(self) -> None:
        one = judged(expecting(must(SPLIT)), split(9.1, noise=0.06))
        assert one.verdict == "inconclusive" and one.reason.endswith("but this machine was busy")

    def test_a_refusal(self) -> None:
        refusing = must(Looks(refused=True), "too-long")
        refused = Ran(Observed.REFUSED, (Fault(Measure.REFUSED, "no"),))
        assert judged(expecting(refusing), refused).verdict == "hazard"
        assert (
            judged(expecting(refusing), ran()).reason
            == "too-long was predicted, and nothing refused its settings"
        )
        assert judged(expecting(must(SPLIT)), refused).verdict == "surprise"


class TestCells:
    def test_the_worst_run_decides_and_is_counted(self) -> None:
        prediction = expecting(may(TIE))
        bad = Fault(Measure.NO_MASTER, "nobody for 9", 9 * S, 8 * S)
        runs = [judged(prediction, one) for one in (ran(), ran(bad, no_master=9), ran(NOBODY, no_master=3))]
        assert [one.verdict for one in runs] == ["pass", "surprise", "hazard"]
        verdict, reason, place = cell_verdict(prediction, runs)
        assert (verdict, place) == ("surprise", 1) and reason.endswith(" (1 of 3 runs)")

    def test_an_undecided_run_leaves_the_cell_undecided(self) -> None:
        undecided = Ran(Observed.INCONCLUSIVE, (Fault(Measure.RIG, "busy"),))
        prediction = expecting()
        verdict, reason, place = cell_verdict(
            prediction, [judged(prediction, one) for one in (ran(), undecided)]
        )
        assert (verdict, reason, place) == ("inconclusive", "busy (1 of 2 runs)", 1)


class TestNoise:
    """What the run itself makes of a rig that was busy: :func:`conformance.interop.run._observed`."""

    def test_a_miss_within_the_noise_decides_nothing(self) -> None:
        assert _observed([dual(2)], S // 2, 0, 3 * S) is Observed.INCONCLUSIVE
        assert _observed([dual(2)], S // 3, 0, 3 * S) is Observed.FAILS

    def test_who_is_master_is_no_matter_of_noise(self) -> None:
        assert _observed([at_end("b")], S, 0, 3 * S) is Observed.FAILS

    def test_unless_the_machine_stood_still_for_longer_than_a_backup_waits(self) -> None:
        assert _observed([at_end("b")], 3 * S, 0, 3 * S) is Observed.INCONCLUSIVE
        assert _observed([], 3 * S, 0, 3 * S) is Observed.CONVERGES

    def test_lost_frames_decide_nothing(self) -> None:
        assert _observed([at_end("b")], 0, 1, 3 * S) is Observed.INCONCLUSIVE
