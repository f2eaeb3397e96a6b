"""ucarp on other machines: their clock, and the agent that runs there."""

import ast
import os
import select
import signal
import subprocess
import sys
from importlib import resources

import pytest

from conformance.targets.ucarp.clock import Offset, closest, stamped_ns
from conformance.targets.ucarp.link import BOOTSTRAP

MS = 1_000_000


class TestClock:
    def test_the_quickest_exchange_decides(self):
        tries = [(0, 500 * MS, 40 * MS), (100 * MS, 606 * MS, 110 * MS), (200 * MS, 700 * MS, 230 * MS)]
        assert closest(tries) == Offset(501 * MS, 5 * MS)

    def test_half_of_its_duration_can_be_wrong(self):
        offset = closest([(0, 500 * MS, 10 * MS)])
        for real_ms in range(11):  # the answer was written at any moment of it
            error = abs(offset.here_ns(500 * MS) - real_ms * MS)
            assert error <= offset.uncertainty_ns

    def test_an_event_is_never_told_before_it_can_have_happened(self):
        assert Offset(100, 7).latest_ns(1000) == 907

    def test_a_log_line_has_its_own_time(self):
        assert stamped_ns("1970-01-01T00:00:02.000003: [WARNING] Switching to state: MASTER") == 2_000_003_000

    def test_a_line_of_a_script_has_none(self):
        assert stamped_ns("script up eth0 192.0.2.100") is None


class Talk:
    """The agent as a process of this machine."""

    def __init__(self):
        self.lines = []
        self.process = subprocess.Popen(
            [sys.executable, "-ISu", "-c", BOOTSTRAP],
            bufsize=0,  # select() knows nothing of what a buffer holds
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        source = resources.files("conformance.targets.ucarp").joinpath("agent.py").read_bytes()
        # The first request comes in the same write: what follows the agent's text is not lost.
        self.process.stdin.write(b"%d\n%b(0, 'clock', ())\n" % (len(source), source))
        self.process.stdin.flush()
        assert self.next("answer")[1] == 0

    def ask(self, number, method, *values):
        self.process.stdin.write(repr((number, method, values)).encode() + b"\n")
        self.process.stdin.flush()

    def next(self, *words):
        while True:
            ready, _, _ = select.select([self.process.stdout], [], [], 10)
            assert ready, f"nothing of {words} came"
            told = ast.literal_eval(self.process.stdout.readline().decode())
            if told[0] in words:
                return told

    def line(self):
        """The next line that the program has written."""
        if not self.lines:
            self.lines += self.next("lines")[3]
        return self.lines.pop(0)

    def start(self, script, secret="hunter2"):
        self.ask(1, "start", 7, ["sh", "-c", script, "{passfile}"], {"A": "b"}, secret, {})
        return self.next("answer", "refused")


@pytest.fixture
def talk():
    one = Talk()
    yield one
    one.process.kill()
    one.process.wait()
    one.process.stdin.close()
    one.process.stdout.close()


class TestAgent:
    def test_tells_lines_and_the_end_with_times(self, talk):
        talk.start("echo $A; exit 3")
        _, line_ns, run, texts = talk.next("lines")
        assert (run, texts) == (7, ["b"])
        _, end_ns, run, status = talk.next("ended")
        assert (run, status) == (7, 3)
        assert line_ns <= end_ns

    def test_the_password_is_in_a_file_that_goes_when_it_has_been_read(self, talk):
        talk.start('cat "$0"; echo "$0"; sleep 60')
        assert talk.line() == "hunter2"
        path = talk.line()
        talk.ask(2, "clock")
        talk.next("answer")
        assert not os.path.exists(path)
        assert "hunter2" not in " ".join(talk.process.args)

    def test_a_signal_reaches_it(self, talk):
        talk.start("trap 'echo got; exit 0' USR1; echo ready; while :; do sleep 0.1; done")
        talk.line()
        talk.ask(2, "signal", 7, "USR1")
        assert talk.line() == "got"

    def test_many_lines_at_once_are_told_at_once(self, talk):
        """Each message is work for a machine that may be an emulated one."""
        talk.start('i=0; while [ $i -lt 50 ]; do l=$l"line $i\n"; i=$((i+1)); done; printf "$l"; sleep 60')
        assert talk.next("lines")[3] == [f"line {i}" for i in range(50)]

    def test_what_was_written_comes_before_the_answer_to_catch_up(self, talk, tmp_path):
        go = tmp_path / "go"
        os.mkfifo(go)
        talk.start(f"echo $$; read word <{go}; echo $word")
        watched = os.pidfd_open(int(talk.line()))
        talk.process.send_signal(signal.SIGSTOP)
        talk.ask(2, "catch_up")
        go.write_text("said\n")
        assert select.select([watched], [], [], 10)[0]  # it has ended, and so has written it
        os.close(watched)
        talk.process.send_signal(signal.SIGCONT)
        first = talk.next("lines", "answer")
        assert first[-1] == ["said"]
        assert talk.next("answer")[1:] == (2, None)

    def test_what_it_cannot_do_is_refused_with_a_reason(self, talk):
        talk.ask(2, "signal", 99, "USR1")
        assert talk.next("refused")[1:] == (2, "signal: 99")

    def test_the_end_of_the_connection_ends_all_that_it_started(self, talk):
        talk.start("echo $$; exec sleep 60")
        watched = os.pidfd_open(int(talk.line()))
        talk.process.stdin.close()
        assert select.select([watched], [], [], 10)[0]
        os.close(watched)
        talk.process.wait(10)
