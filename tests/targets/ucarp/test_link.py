"""The conversation with an agent, which is a process of this machine here."""

from __future__ import annotations

import os
import signal

import pytest

from conformance.lab.attachment import Attachment
from conformance.lab.shell import HostError
from conformance.segment.trace import Trace
from conformance.targets.pixit import Pixit, PixitHost
from conformance.targets.remote.bench import Lane, RemoteBench
from conformance.targets.ucarp.link import AgentLink

MS = 1_000_000
PROGRAM = """#!/bin/sh
# The agent without namespaces of its own.
exec sh -c "$(printf '%s' "$2" | sed 's/^exec 9.*--mount-proc /exec /')"
"""


@pytest.fixture
def bench():
    made = RemoteBench(Pixit(system="ucarp-vm", hosts=()), Attachment("lo", bytes(6)), Lane(), [])
    made._begin(Trace())
    return made


@pytest.fixture
def heard():
    return []


@pytest.fixture
def link(bench, heard, tmp_path):
    program = tmp_path / "program"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    host = PixitHost(name="a", connection=f"exec://{program}", interface="eth1")
    made = AgentLink(bench, host, lambda word, values: heard.append((word, values)))
    made.ask("clock")
    yield made
    made.close()


def agent(link):
    """The process at the other end: setpriv, env and the shells have all become it."""
    return link._stream.pid


def test_answer_comes_to_who_asked(link):
    assert link.ask("clock") > 1_700_000_000 * 1000 * MS


def test_what_it_says_unasked_is_handed_over(link, heard, bench):
    link.ask("start", 7, ["sh", "-c", "echo said", "{passfile}"], {}, "x", {})
    assert bench.loop.run_until(lambda: len(heard) >= 2, bench.loop.now_ns() + 10_000 * MS)
    assert [(word, values[1:]) for word, values in heard if word != "late"] == [
        ("lines", (7, ["said"])),
        ("ended", (7, 0)),
    ]


def test_refusal_is_one_sentence(link):
    with pytest.raises(
        HostError, match="machine a: its agent could not do signal: 99; it has to be root there"
    ):
        link.ask("signal", 99, "USR1")


def test_refusal_of_what_it_was_told_is_said_at_the_next_request(link, bench):
    link.tell("signal", 99, "USR1")
    bench.loop.run_for(500 * MS)
    with pytest.raises(HostError, match="could not do signal"):
        link.ask("clock")


def test_what_it_was_told_and_has_not_done_is_noise_before_it_answers(link, bench):
    os.kill(agent(link), signal.SIGSTOP)
    began_ns = bench.loop.now_ns()
    link.tell("clock")
    bench.loop.run_for(700 * MS)
    assert bench.loop.worst_lateness_ns(began_ns) >= 500 * MS
    os.kill(agent(link), signal.SIGCONT)
    link.ask("clock")
    later_ns = bench.loop.now_ns()
    bench.loop.run_for(300 * MS)
    assert bench.loop.worst_lateness_ns(later_ns) < 300 * MS


def test_what_is_told_in_time_is_no_noise(link, bench):
    began_ns = bench.loop.now_ns()
    link.tell("clock")
    bench.loop.run_for(1000 * MS)
    assert bench.loop.worst_lateness_ns(began_ns) < 900 * MS


def test_end_of_the_connection_is_one_sentence(link):
    os.kill(agent(link), signal.SIGKILL)
    with pytest.raises(HostError, match="machine a: its agent ended"):
        link.ask("clock")


def test_what_machines_told_of_themselves_adds_up(bench):
    before_ns = bench.stalled_ns()
    for _ in range(3):
        bench.blame_a_machine(1_000_000 * MS)
    assert 3_000_000 * MS <= bench.stalled_ns() - before_ns < 3_060_000 * MS
