"""What machines say of themselves, line by line: proven on what real ones said."""

from __future__ import annotations

import re

import pytest

from conformance.segment.trace import HostKind
from conformance.targets.remote.words import Word, hear
from tests.targets.remote.transcripts import CAPTURES, FOLDER

STATE, LOG = HostKind.STATE, HostKind.LOG


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*/*messages.txt")), ids=lambda path: path.stem)
def test_every_recorded_line_of_the_log_is_heard(path):
    for line in path.read_text().splitlines():
        text = line.split(" kernel: ", 1)[1]
        assert hear(line, "devd")[0].text == text


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*/*devctl*.txt")), ids=lambda path: path.stem)
def test_every_recorded_notice_of_carp_is_a_change_of_state_and_no_other_is(path):
    lines = path.read_text().splitlines()
    told = [re.match(r"!system=CARP subsystem=(\d+)@(\w+) type=(\w+)", line) for line in lines]
    heard = [word for line in lines for word in hear(line, "devd")]
    assert heard == [Word(STATE, match[3], match[2], int(match[1])) for match in told if match]


def test_states_come_from_one_source_only():
    line = "Nov 22 14:47:46 a kernel: carp: 1@vtnet0: INIT -> BACKUP (initialization complete)"
    assert [word.kind for word in hear(line, "devd")] == [LOG]
    assert hear(line, "the log")[1] == Word(STATE, "BACKUP", "vtnet0", 1, before="INIT")


def legacy_lines():
    """The console lines of FreeBSD 9.3, as syslogd would write them."""
    for line in (CAPTURES / "freebsd-9.3" / "l-loglevels-statechanges.log").read_text().splitlines():
        match = re.search(r"console: K: <\d>(carp.*)$", line)
        if match:
            yield f"Nov 22 14:28:02 a kernel: {match[1]}", match[1]


def test_states_of_the_legacy_line_from_its_log():
    told = [
        (text, [word.text for word in hear(line, "the log") if word.kind is STATE])
        for line, text in legacy_lines()
    ]
    assert dict(told) == {
        "carp1: INIT -> BACKUP": ["BACKUP"],
        "carp1: MASTER -> BACKUP (more frequent advertisement received)": ["BACKUP"],
        "carp1: BACKUP -> MASTER (master timed out)": ["MASTER"],
        "carp1: BACKUP -> MASTER (preempting a slower master)": ["MASTER"],
        "carp1: link state changed to UP": ["MASTER"],
        "carp1: link state changed to DOWN": [],
    }


def test_only_init_is_told_because_it_was_left():
    """A line of another change can come after the link's, which told the new state already."""
    line = "Nov 22 14:28:02 a kernel: carp1: {} -> MASTER (master timed out)"
    assert [hear(line.format(was), "the log")[1].before for was in ("INIT", "BACKUP")] == ["INIT", None]


def test_link_that_went_down_is_what_ifconfig_shows():
    assert hear("shown carp1 carp: INIT vhid 1 advbase 1 advskew 0", "the log") == [
        Word(STATE, "INIT", "carp1", 1)
    ]


@pytest.mark.parametrize(
    ("link", "state"), [("master", "MASTER"), ("backup", "BACKUP"), ("invalid", "INIT"), ("down", "INIT")]
)
def test_routing_messages_of_openbsd(link, state):
    line = f"RTM_IFINFO: Interface up/down: len 264, if# 5, name: carp1, link: {link}, flags:<UP,BROADCAST,RUNNING>"
    assert hear(line, "the routing socket") == [Word(STATE, state, "carp1")]


def test_kernel_lines_of_openbsd():
    line = "Nov 22 14:00:12 fw1 /bsd: carp0: state transition: BACKUP -> MASTER"
    assert hear(line, "the routing socket") == [
        Word(LOG, "carp0: state transition: BACKUP -> MASTER", "carp0")
    ]


@pytest.mark.parametrize(
    ("text", "device"),
    [
        ("carp_input: received ttl 254 != 255 on em0", "em0"),
        ("carp_input_c: incorrect hash for VHID 1@vtnet0", "vtnet0"),
        ("carp1; invalid version 3", "carp1"),
        ("vtnet0: invalid version 3", "vtnet0"),
        ("carp: demoted by 240 to 240 (interface down)", None),
    ],
)
def test_whose_line_it_is(text, device):
    assert hear(f"Nov 22 14:00:12 fw1 kernel: {text}", "devd")[0].device == device


def test_repetitions_are_counted():
    assert hear("Nov 22 14:00:12 fw1 last message repeated 3 times", "devd")[0].times == 3


@pytest.mark.parametrize(
    "line", ["", "noise", "Nov 22 14:00:12 fw1 sshd[1]: Accepted publickey", "states from devd"]
)
def test_other_lines_mean_nothing(line):
    assert hear(line, "devd") == []
