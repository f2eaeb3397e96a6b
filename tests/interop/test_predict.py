"""Predictions: the hazards of pairs by name, with numbers."""

from __future__ import annotations

import pytest

from conformance.interop.expect import bounds
from conformance.interop.participant import participants
from conformance.interop.predict import Predicted, Prediction, predict
from conformance.interop.run import Observed, run
from conformance.interop.scenarios import chosen
from conformance.interop.stage import Cast
from conformance.interop.verdict import cell_verdict
from tests.interop.conftest import Pair

MS, SECOND = 1_000_000, 1_000_000_000


def predicted(name: str, cast: Cast) -> Prediction:
    return predict(chosen((name,))[0], cast)


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
        assert prediction.simulated.faults[0].text == "at the end c is MASTER of vhid 1, not b alone"
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

    def test_a_ucarp_that_times_out_a_moment_after_a_kernel_keeps_the_clients(self, pair: Pair) -> None:
        """Of a (dies), b, c, d and e every second is ucarp: c is the first, and d has not read that when its own time is up."""
        assert "stale-mac" in names(predicted("nodes-5", pair("freebsd-legacy", "ucarp")))
        assert "stale-mac" not in names(predicted("nodes-5", pair("freebsd-legacy", "openbsd")))
        assert "stale-mac" not in names(predicted("kill", pair("freebsd-legacy", "ucarp")))

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

    def test_a_firewall_whose_inside_stays_behind(self, pair: Pair) -> None:
        prediction = predicted("group-failover", pair("openbsd", "freebsd"))
        assert names(prediction) == {"demote-byte"} and prediction.certain
        (hazard,) = prediction.hazards
        assert hazard.looks.vhid == 2 and hazard.looks.ends is not None and hazard.looks.ends.among == {"a"}
        assert predicted("group-failover", pair("freebsd", "openbsd")).outcome is Predicted.CONVERGES

    def test_down_times_closer_than_the_slack_of_freebsd_may_let_a_worse_node_through(
        self, pair: Pair
    ) -> None:
        prediction = predicted("nodes-3", pair("freebsd", "freebsd"))
        assert names(prediction) == {"worse-node-first"} and not prediction.certain
        assert predicted("nodes-3", pair("freebsd-legacy", "freebsd-legacy")).outcome is Predicted.CONVERGES


class TestNotApplicable:
    def test_what_one_of_the_two_cannot_do(self, pair: Pair) -> None:
        prediction = predicted("kill-v6", pair("openbsd", "ucarp"))
        assert (prediction.outcome, prediction.reason) == (
            Predicted.NOT_APPLICABLE,
            "model:ucarp as B has no ipv6",
        )
        assert cell_verdict(prediction, []) == ("not_applicable", prediction.reason, 0)

    def test_what_a_real_one_cannot_do(self) -> None:
        ucarp, model = participants(["ucarp", "model:openbsd"])
        prediction = predict(chosen(("group-failover",))[0], {"A": ucarp, "B": model})
        assert prediction.reason == "ucarp as A has no group failover"


def test_a_bow_out_shortens_the_gap_of_a_stop(pair: Pair) -> None:
    stop = chosen(("stop",))[0]
    assert bounds(stop, pair("openbsd", "freebsd")).no_master_ns == (0, 50 * MS)
    assert bounds(stop, pair("freebsd", "openbsd")).no_master_ns[0] > 4 * SECOND
    assert run(stop, pair("openbsd", "freebsd"), "sim", 1).observed is Observed.CONVERGES


@pytest.mark.parametrize("name", ["group-failover", "demote", "password-shorter"])
def test_firewalls_orders_and_changes_are_played_in_real_time_too(name: str) -> None:
    """In namespaces as on sim: a model process has two interfaces, takes orders and changes while it runs; ucarp is its peer on both segments."""
    freebsd, ucarp = participants(("model:freebsd", "ucarp"), "netns")
    for cast in ({"A": freebsd, "B": freebsd}, {"A": freebsd, "B": ucarp}):
        prediction = predict(chosen((name,))[0], cast)
        assert prediction.outcome is not Predicted.NOT_APPLICABLE, prediction.reason
    hazards = {one.name for one in prediction.hazards}
    assert ("password-tail" in hazards) == (name == "password-shorter")
