"""Targets are found by name, through entry points and nothing else."""

import pytest

from conformance.targets import registry
from conformance.targets.pixit import Pixit, PixitError
from conformance.targets.protocol import CAPABILITIES, ConfigurationRefused, Settings
from conformance.targets.registry import UnknownTarget, find, names


def test_every_name_is_found_and_its_profile_uses_the_vocabulary():
    assert "ucarp" in names() == sorted(set(names()))
    for name in names():
        profile = find(name).profile
        assert profile.name == name
        assert set(profile.pics) <= set(CAPABILITIES)
        assert profile.rung in ("sim", "netns", "vm", "lab")


def test_an_unknown_name_shows_those_that_are_known():
    with pytest.raises(UnknownTarget, match=r"there is no target 'nosuch'; known targets: .*ucarp") as raised:
        find("nosuch")
    assert (raised.value.name, raised.value.known) == ("nosuch", names())


def test_a_pixit_for_another_target_is_refused():
    with pytest.raises(PixitError, match=r"it is for the target 'openbsd', not for 'ucarp'; give --target"):
        find("ucarp", Pixit(system="openbsd", hosts=()))


def test_a_target_that_makes_its_own_machines_takes_no_pixit():
    with pytest.raises(PixitError, match=r"'model:ucarp' takes no PIXIT.*; leave --pixit out"):
        find("model:ucarp", Pixit(system="model:ucarp", hosts=()))


def test_without_any_target(monkeypatch):
    monkeypatch.setattr(registry, "entry_points", lambda **_: ())
    with pytest.raises(UnknownTarget, match="known targets: none"):
        find("ucarp")


def test_settings_do_not_show_their_password():
    assert "hunter2" not in repr(Settings(password="hunter2", addresses=()))


@pytest.mark.parametrize(
    ("said", "text"), [(" bad vhid\n", "(exit status 1): bad vhid"), ("", "(exit status 1): it said nothing")]
)
def test_a_refusal_repeats_what_was_said(said, text):
    assert text in str(ConfigurationRefused(1, said))
