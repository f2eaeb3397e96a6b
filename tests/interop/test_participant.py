"""Who can meet on which rung."""

from __future__ import annotations

import pytest

from conformance.interop.participant import NoCommonRung, participants
from conformance.targets.registry import UnknownTarget


def rungs(*names: str, rung: str | None = None) -> list[str]:
    return [one.target.profile.rung for one in participants(names, rung)]


def test_models_meet_in_virtual_time() -> None:
    assert rungs("model:openbsd", "model:ucarp") == ["sim", "sim"]


def test_models_follow_a_real_implementation_to_its_rung() -> None:
    assert rungs("ucarp", "model:openbsd") == ["netns", "netns"]


def test_models_meet_in_network_namespaces_when_told_so() -> None:
    assert rungs("model:openbsd", rung="netns") == ["netns"]


def test_a_real_implementation_cannot_meet_in_virtual_time() -> None:
    with pytest.raises(NoCommonRung, match="ucarp, model:openbsd run on different rungs"):
        participants(["ucarp", "model:openbsd"], "sim")


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
