"""``list``: which cases apply, to a target and to the machines of a PIXIT."""

from pathlib import Path

import pytest

from conformance.commands.errors import CommandError
from conformance.commands.listing import listing

BOX = Path(__file__).parents[2] / "fixtures" / "pixit" / "blackbox.toml"


def test_cases_of_a_box_are_those_that_its_pixit_makes_possible():
    """It has actions for its link, which a box of which nothing is known has not."""
    with_pixit = {case["id"] for case in listing(["ELECT"], "blackbox", BOX)["cases"]}
    without = {case["id"] for case in listing(["ELECT"], "blackbox")["cases"]}
    assert without < with_pixit
    assert any("link" in id for id in with_pixit - without)


@pytest.mark.parametrize(
    ("target", "path", "says"),
    [
        (None, BOX, "give --target, too"),
        ("ucarp", BOX, "not for 'ucarp'"),
        ("blackbox", BOX / "x", "cannot be read"),
    ],
)
def test_pixit_that_cannot_be_used_is_one_sentence(target, path, says):
    with pytest.raises(CommandError, match=says):
        listing([], target, path)
