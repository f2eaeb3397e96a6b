"""Who can meet on which rung."""

from __future__ import annotations

import pytest

from conformance.interop.participant import NoCommonRung, participants, rung_of
from conformance.interop.predict import Predicted, predict
from conformance.interop.scenarios import chosen
from conformance.targets.registry import UnknownTarget


def rungs(*names: str, rung: str | None = None) -> list[str]:
    return [one.target.profile.rung for one in participants(names, rung)]


def test_models_meet_in_virtual_time() -> None:
    assert rungs("model:openbsd", "model:ucarp") == ["sim", "sim"]


def test_models_follow_a_real_implementation_to_its_rung() -> None:
    assert rungs("ucarp", "model:openbsd") == ["netns", "netns"]


def test_models_meet_in_network_namespaces_when_told_so() -> None:
    assert rungs("model:openbsd", rung="netns") == ["netns"]


def test_a_real_implementation_is_in_virtual_time_in_name_only() -> None:
    ucarp, model = participants(["ucarp", "model:openbsd"], "sim")
    assert (ucarp.absent, model.absent) == ("ucarp cannot run on sim", "")
    assert rung_of([ucarp, model]) == "sim"
    prediction = predict(chosen(("join",))[0], {"A": model, "B": ucarp})
    assert (prediction.outcome, prediction.reason) == (Predicted.NOT_APPLICABLE, ucarp.absent)


def test_alone_it_is_refused_there() -> None:
    with pytest.raises(NoCommonRung, match="ucarp cannot run on sim and cannot meet"):
        participants(["ucarp"], "sim")


def test_machines_and_namespaces_do_not_meet() -> None:
    with pytest.raises(NoCommonRung, match=r"run on different rungs \(netns, vm\)"):
        participants(["ucarp", "freebsd"])


def test_a_driver_that_makes_its_own_machines_stands_alone() -> None:
    (one,) = participants(["model:freebsd@standin"])
    assert one.target.profile.rung == "netns"
    with pytest.raises(NoCommonRung, match=r"model:freebsd@standin without starter\(\)"):
        participants(["model:freebsd@standin", "ucarp"])


def test_a_rung_without_a_way_to_meet_is_refused() -> None:
    with pytest.raises(NoCommonRung):
        participants(["model:openbsd"], "lab")


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UnknownTarget):
        participants(["netbsd"])


def test_the_family_says_where_the_code_comes_from() -> None:
    found = {
        one.name: one.family for one in participants(["model:openbsd", "model:ucarp", "model:freebsd-15"])
    }
    assert all("OpenBSD's code of 2003" in family for family in found.values())
    assert "user space" in found["model:ucarp"]
