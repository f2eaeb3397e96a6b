"""Predictions: the hazards of pairs by name, with numbers."""

from __future__ import annotations

import pytest

from conformance.interop.cell import verdict_of
from conformance.interop.expect import bounds
from conformance.interop.predict import Predicted, Prediction, predict
from conformance.interop.run import Observed, run
from conformance.interop.scenarios import chosen
from conformance.interop.stage import Cast
from tests.interop.conftest import Pair

MS, SECOND = 1_000_000, 1_000_000_000


def predicted(name: str, cast: Cast) -> Prediction:
    return predict(chosen((name,))[0], cast, "sim")


def names(prediction: Prediction) -> set[str]:
    return {one.name for one in prediction.hazards}


class TestTwoFormulas:
    """Down time: 3 * advbase + advskew/256 s with FreeBSD, 3 * (advbase + advskew/256) s with OpenBSD, looked at once a period with ucarp."""

    @pytest.mark.parametrize(
        ("heir", "nominal_ms"),
        [("freebsd", 3781), ("freebsd-legacy", 3781), ("openbsd", 5344), ("ucarp", 5343)],
    )
    def test_the_survivor_decides_the_gap(self, pair: Pair, heir: str, nominal_ms: int) -> None:
        for former in ("freebsd", "openbsd", "ucarp"):
            prediction = predicted("kill-skew-200", pair(former, heir))
            assert prediction.outcome is Predicted.CONVERGES
            assert prediction.limits is not None and prediction.simulated is not None
            low_ns, high_ns = prediction.limits.no_master_ns
            assert prediction.simulated.measured is not None
            gap_ns = prediction.simulated.measured.no_master_ns
            assert low_ns <= gap_ns <= high_ns
            assert (nominal_ms - 20) * MS <= gap_ns <= (nominal_ms + (1100 if heir == "ucarp" else 60)) * MS

    def test_it_lets_a_worse_node_take_over(self, pair: Pair) -> None:
        prediction = predicted("nodes-3", pair("freebsd", "openbsd"))
        assert names(prediction) == {"worse-node-first"}
        assert prediction.simulated is not None
        assert prediction.simulated.faults[0] == "at the end c is MASTER of vhid 1, not b alone"
        assert predicted("nodes-3", pair("openbsd", "freebsd")).outcome is Predicted.CONVERGES


class TestNamed:
    def test_different_addresses_make_two_masters_for_good(self, pair: Pair) -> None:
        prediction = predicted("alias-on-a", pair("freebsd", "ucarp"))
        assert names(prediction) == {"different-addresses"} and prediction.certain
        assert prediction.simulated is not None and prediction.simulated.measured is not None
        assert prediction.simulated.measured.dual_master_ns > 8 * SECOND

    def test_equal_timers_of_ucarp_and_a_lower_kernel_leave_nobody_for_a_down_time(self, pair: Pair) -> None:
        prediction = predicted("equal-healed", pair("openbsd", "ucarp"))
        assert "equal-timers-ucarp" in names(prediction) and not prediction.certain
        assert prediction.simulated is not None and prediction.simulated.measured is not None
        assert 2.9 * SECOND < prediction.simulated.measured.no_master_ns < 3.5 * SECOND
        assert "equal-timers-ucarp" not in names(predicted("equal-healed", pair("ucarp", "openbsd")))

    def test_clients_stay_with_a_ucarp_that_has_yielded(self, pair: Pair) -> None:
        prediction = predicted("healed", pair("openbsd", "ucarp"))
        assert names(prediction) == {"stale-mac"}
        assert prediction.simulated is not None and prediction.simulated.service_ns is not None
        assert prediction.simulated.service_ns > 10 * SECOND
        assert predicted("healed", pair("openbsd", "freebsd")).outcome is Predicted.CONVERGES

    def test_a_shorter_password_leaves_two_masters_with_freebsd(self, pair: Pair) -> None:
        prediction = predicted("password-shorter", pair("openbsd", "freebsd"))
        assert {"password-tail", "different-passwords"} == names(prediction) and prediction.certain
        assert "password-tail" not in names(predicted("password", pair("openbsd", "freebsd")))
        assert "password-tail" not in names(predicted("password-shorter", pair("freebsd", "freebsd")))

    def test_a_demoted_openbsd_is_not_relieved_by_others(self, pair: Pair) -> None:
        assert names(predicted("demote", pair("openbsd", "freebsd"))) == {"demote-byte"}
        assert predicted("demote", pair("openbsd", "openbsd")).outcome is Predicted.CONVERGES

    def test_a_stranger_can_draw_traffic_away_from_a_virtual_mac(self, pair: Pair) -> None:
        assert names(predicted("forged-mac", pair("ucarp", "freebsd"))) == {"mac-capture"}
        assert predicted("forged", pair("ucarp", "freebsd")).outcome is Predicted.CONVERGES


class TestNotApplicable:
    def test_what_one_of_the_two_cannot_do(self, pair: Pair) -> None:
        prediction = predicted("kill-v6", pair("openbsd", "ucarp"))
        assert (prediction.outcome, prediction.reason) == (
            Predicted.NOT_APPLICABLE,
            "model:ucarp as B has no ipv6",
        )
        assert verdict_of(prediction, []) == ("not_applicable", prediction.reason)

    def test_what_the_rung_cannot_do(self, pair: Pair) -> None:
        prediction = predict(chosen(("one-way",))[0], pair("openbsd", "freebsd"), "netns")
        assert prediction.reason == "the rung netns cannot make a segment deaf in one direction"


def test_a_bow_out_shortens_the_gap_of_a_stop(pair: Pair) -> None:
    stop = chosen(("stop",))[0]
    assert bounds(stop, pair("openbsd", "freebsd")).no_master_ns == (0, 50 * MS)
    assert bounds(stop, pair("freebsd", "openbsd")).no_master_ns[0] > 4 * SECOND
    assert run(stop, pair("openbsd", "freebsd"), "sim", 1).observed is Observed.CONVERGES
