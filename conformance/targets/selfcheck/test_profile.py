"""What a target says of itself before anything is run."""

from __future__ import annotations

import re

from conformance.targets.protocol import CAPABILITIES, Target
from conformance.targets.selfcheck.conftest import Promise

_RUNGS = ("sim", "netns", "vm", "lab")


def test_profile_has_the_name_that_the_target_is_found_by(
    target: Target, promise: Promise, request: object
) -> None:
    name = request.config.getoption("--target")  # type: ignore[attr-defined]  # pytest's own fixture
    said = target.profile.name
    promise(
        said == name, f"its profile is named {said!r}, and it is found as {name!r}: the names must be equal"
    )


def test_profile_uses_the_words_of_the_suite(target: Target, promise: Promise) -> None:
    profile = target.profile
    strange = ", ".join(sorted(set(profile.pics) - set(CAPABILITIES)))
    promise(not strange, f"its PICS names {strange}, which is not in CAPABILITIES")
    promise(profile.rung in _RUNGS, f"its rung {profile.rung!r} is none of {', '.join(_RUNGS)}")
    promise(profile.max_hosts >= 1, "it has no host: max_hosts must be at least 1")
    promise(bool(profile.origin), "it does not say where the implementation comes from: fill in origin")


def test_deviations_say_why_and_can_be_recognised(target: Target, promise: Promise) -> None:
    for one in target.profile.deviations:
        promise(
            bool(one.reason and one.reference), f"the deviation {one.cases} has no reason or no reference"
        )
        try:
            re.compile(one.says)
        except re.error as error:
            promise(False, f"what the deviation {one.cases} says is no regular expression ({error})")


def test_version_is_a_text(target: Target, promise: Promise) -> None:
    version = target.version()
    promise(bool(version), f"its version is {version!r}: give a text, or 'unknown'")


def test_lacks_are_pairs_of_what_and_remedy(target: Target, promise: Promise) -> None:
    for one in target.lacks():
        promise(
            [bool(part) for part in one] == [True, True],
            f"lacks() says {one!r}: give what is missing, and what mends it",
        )
