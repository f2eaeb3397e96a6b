"""What the operator does: commands that end, fail, hang or are not there; a person who answers, refuses, or is away."""

import os
import pty
import select
import stat
import threading
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

import pytest

from conformance.segment.loop import Loop, RealClock
from conformance.targets.blackbox import operator as module
from conformance.targets.blackbox.medium import ActionFailed
from conformance.targets.blackbox.operator import Operator, has_terminal
from conformance.targets.pixit import Action
from conformance.targets.protocol import Settings

SECOND = 1_000_000_000
SETTINGS = Settings(
    vhid=7,
    password="open sesame",
    addresses=(ip_address("10.0.0.1"), ip_address("10.0.0.2")),
    advskew=3,
    preempt=True,
)


def act(tmp_path, *command, name="configure", limit_ns=20 * SECOND, loop=None, **action):
    actions = {name: Action(command=command, limit_ns=limit_ns, **action)}
    Operator(actions, tmp_path).act(name, "a", SETTINGS, loop or Loop(RealClock()))


class TestCommands:
    def test_run_in_the_folder_of_the_pixit_with_what_is_wanted(self, tmp_path):
        act(
            tmp_path,
            "sh",
            "-c",
            'echo "$@" > done',
            "sh",
            "{host}",
            "{vhid}",
            "{advbase}/{advskew}",
            "{preempt}",
            "{addresses}",
        )
        assert (tmp_path / "done").read_text() == "a 7 1/3 on 10.0.0.1,10.0.0.2\n"

    def test_get_the_password_in_a_file_that_is_gone_afterwards(self, tmp_path):
        act(tmp_path, "sh", "-c", 'cp -p "$1" key; echo "$1" > where', "sh", "{password_file}")
        assert (tmp_path / "key").read_text() == "open sesame\n"
        assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
        assert not Path((tmp_path / "where").read_text().strip()).exists()

    def test_no_shell_reads_them(self, tmp_path):
        act(tmp_path, "touch", "$HOME; {host}")
        assert [path.name for path in tmp_path.iterdir()] == ["$HOME; a"]

    def test_the_loop_goes_on_meanwhile(self, tmp_path):
        loop, ran = Loop(RealClock()), []
        loop.at(loop.now_ns() + SECOND // 10, lambda: ran.append(True))
        act(tmp_path, "sleep", "0.3", loop=loop)
        assert ran == [True]

    @pytest.mark.parametrize(
        ("command", "says"),
        [
            (
                ("sh", "-c", "echo first; echo 'no such port' >&2; exit 3"),
                r"sh ended with status 3 \(no such port\)",
            ),
            (("false",), r"false ended with status 1 \(it said nothing\)"),
            (("./not-there",), r"./not-there cannot be run \(No such file or directory\)"),
        ],
        ids=["status", "silent", "missing"],
    )
    def test_that_fail_are_told_in_one_sentence(self, tmp_path, command, says):
        with pytest.raises(
            ActionFailed, match=rf"^kill of a was not done: {says}\. Mend it in the PIXIT's actions$"
        ):
            act(tmp_path, *command, name="kill")

    def test_that_hang_are_ended_with_all_that_they_started(self, tmp_path):
        with pytest.raises(ActionFailed, match=r"sh did not end in 0.300 s"):
            act(tmp_path, "sh", "-c", "sleep 60 & echo $! > child; wait", limit_ns=3 * SECOND // 10)
        child = int((tmp_path / "child").read_text())
        with suppress(ProcessLookupError):  # an init may have reaped it already
            end = os.pidfd_open(child)
            ended, _, _ = select.select([end], [], [], 5)
            os.close(end)
            assert ended


@pytest.fixture
def person(monkeypatch, tmp_path):
    """The other end of a terminal: what the person reads and types."""
    ours, theirs = pty.openpty()
    monkeypatch.setattr(module, "TERMINAL", Path(os.ttyname(theirs)))
    yield ours
    os.close(ours)
    os.close(theirs)


class TestPerson:
    def ask(self, tmp_path, limit_ns=10 * SECOND):
        act(tmp_path, name="link_down", prompt="pull the cable of {host}", limit_ns=limit_ns)

    def answer(self, person, text):
        said = []

        def read():
            while b"Enter" not in b"".join(said):
                said.append(os.read(person, 1000))
            os.write(person, text)

        thread = threading.Thread(target=read)
        thread.start()
        return thread, said

    def test_is_there(self, person):
        assert has_terminal()

    def test_is_asked_and_presses_enter(self, tmp_path, person):
        thread, said = self.answer(person, b"\n")
        self.ask(tmp_path)
        thread.join()
        assert b">>> pull the cable of a" in b"".join(said)
        assert b"10.000 s left" in b"".join(said)

    def test_what_was_typed_before_is_no_answer(self, tmp_path, person):
        os.write(person, b"\n\n")
        with pytest.raises(ActionFailed, match=r"nobody pressed Enter in 0.300 s"):
            self.ask(tmp_path, 3 * SECOND // 10)

    def test_may_say_that_it_cannot_be_done(self, tmp_path, person):
        thread, _ = self.answer(person, b"n\n")
        with pytest.raises(ActionFailed, match="said that it cannot be done"):
            self.ask(tmp_path)
        thread.join()

    def test_is_not_there(self, tmp_path, monkeypatch):
        monkeypatch.setattr(module, "TERMINAL", tmp_path / "nothing")
        assert not has_terminal()
        with pytest.raises(ActionFailed, match="there is no terminal to ask at"):
            self.ask(tmp_path)
