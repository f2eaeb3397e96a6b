"""Which machines a run is on: what the user must say, what is refused, and what workers are told."""

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.commands import machines as module
from conformance.commands.errors import CommandError
from conformance.commands.machines import Machines, machines
from conformance.targets.admission import NotAdmitted
from conformance.targets.protocol import MachinesError
from conformance.targets.registry import find

BOX = Path(__file__).parents[2] / "fixtures" / "pixit" / "blackbox.toml"
MODEL = "model:openbsd"


def refused(name, **wanted):
    with pytest.raises(CommandError) as raised, machines(name, Machines(**wanted), ()):
        pass
    assert "\n" not in str(raised.value)
    return raised.value


class TestUsage:
    @pytest.mark.parametrize(
        ("wanted", "says"),
        [
            ({"keep": True}, "has no machines that --keep or --destroy could mean"),
            ({"destroy": True}, "leave them out"),
            ({"interface": "eth1"}, "give --pixit FILE, too"),
            ({"mine": True}, "give --pixit FILE, too"),
            ({"pixit": BOX, "interface": "lo", "mine": True}, "it is for the target 'blackbox', not for"),
            ({"pixit": BOX, "keep": True}, "those of a PIXIT are yours"),
            ({"pixit": BOX}, "--interface IF"),
            ({"pixit": BOX, "interface": "lo"}, "--this-segment-is-mine"),
            ({"pixit": BOX / "nowhere"}, "cannot be read"),
        ],
        ids=str,
    )
    def test_is_one_sentence_with_status_2(self, wanted, says):
        error = refused(MODEL, **wanted)
        assert says in str(error)
        assert error.status == 2

    def test_a_target_that_needs_nothing(self):
        with machines(MODEL, Machines(), ()) as ready:
            assert ready.target.profile.name == MODEL
            assert ready.options == ()
            assert not ready.asks


class TestOfTheUser:
    @pytest.fixture
    def listened(self, monkeypatch):
        """The segment is quiet but for what a test puts here."""
        said = {"for_s": None, "heard": {}}

        def admit(pixit, seconds, tell):
            said["for_s"] = (pixit.tester_interface, seconds)
            return said["heard"]

        monkeypatch.setattr(module, "admit", admit)
        monkeypatch.setattr(module, "be_able", lambda target, arguments, **_: None)
        return said

    def test_what_was_heard_is_held_against_the_file(self, listened):
        error = refused("blackbox", pixit=BOX, interface="eth9", mine=True, listen_s=7)
        assert listened["for_s"] == ("eth9", 7)
        assert "nobody advertises vhid 1 on eth9" in str(error)
        assert error.status == 2

    def test_workers_are_told_the_file_and_the_interface(self, listened, monkeypatch):
        monkeypatch.setattr(module, "Examining", type("Nobody", (), {}))
        wanted = Machines(pixit=BOX, interface="eth9", mine=True)
        with machines("blackbox", wanted, ()) as ready:
            assert ready.options == ("--pixit", str(BOX.resolve()), "--interface", "eth9")
            assert ready.asks, "its reboot is a prompt"
            assert ready.target.profile.name == "blackbox"

    def test_a_stranger_ends_it_with_status_2(self, listened, monkeypatch):
        def admit(*_):
            raise NotAdmitted("eth9 is not free")

        monkeypatch.setattr(module, "admit", admit)
        error = refused("blackbox", pixit=BOX, interface="eth9", mine=True)
        assert (str(error), error.status) == ("eth9 is not free", 2)


class TestBroughtUp:
    """A target whose machines are brought up for a run."""

    @pytest.fixture
    def target(self, monkeypatch, tmp_path):
        honest = find(MODEL)

        class Vagabond:
            profile = replace(honest.profile, name="vagabond")
            seen = []

            def lacks(self):
                return ()

            def configured(self, pixit):
                return self

            @contextmanager
            def machines(self, *, keep, destroy):
                self.seen.append((keep, destroy, "up"))
                path = tmp_path / "made.toml"
                path.write_text(
                    BOX.read_text().replace('"blackbox"', '"vagabond"').replace('"password"', '"../p"')
                )
                (tmp_path.parent / "p").write_text("x\n")
                yield path
                self.seen.append("down")

        made = Vagabond()
        monkeypatch.setattr(module, "find", lambda name: made)
        monkeypatch.setattr(module, "chosen", lambda name, path, interface: made)
        return made

    def test_they_are_there_as_long_as_the_run(self, target, tmp_path):
        with machines("vagabond", Machines(keep=True), ()) as ready:
            assert target.seen == [(True, False, "up")]
            assert ready.options == ("--pixit", str(tmp_path / "made.toml"))
        assert target.seen[-1] == "down"

    def test_that_do_not_come_up_are_one_error_with_status_3(self, target):
        def broken(*, keep, destroy):
            raise MachinesError("the machine a did not boot in 300 s; look at its console")

        target.machines = broken
        error = refused("vagabond")
        assert error.status == 3
        assert "did not boot" in str(error)
