"""What a process says, with the kernel's time of it."""

import os
import time

import pytest

from conformance.targets.process import Mouth


@pytest.fixture
def mouth():
    made = Mouth()
    yield made
    made.theirs.close()
    made.close()


def test_what_is_read_late_keeps_the_time_at_which_it_was_written(mouth):
    before_ns = time.time_ns()
    os.write(mouth.theirs.fileno(), b"one\n")
    between_ns = time.time_ns()
    os.write(mouth.theirs.fileno(), b"two\nthree\n")
    after_ns = time.time_ns()
    (one_ns, one), (two_ns, two), (three_ns, three) = mouth.lines()
    assert (one, two, three) == (b"one", b"two", b"three")
    assert before_ns <= one_ns <= between_ns <= two_ns == three_ns <= after_ns


def test_a_line_in_pieces_has_the_time_of_its_end(mouth):
    os.write(mouth.theirs.fileno(), b"in ")
    assert list(mouth.lines()) == []
    between_ns = time.time_ns()
    os.write(mouth.theirs.fileno(), b"pieces\n")
    ((time_ns, line),) = mouth.lines()
    assert line == b"in pieces"
    assert time_ns >= between_ns


def test_last_words_are_heard_when_nobody_is_left_to_end_the_line(mouth):
    before_ns = time.time_ns()
    os.write(mouth.theirs.fileno(), b"last words")
    assert list(mouth.lines()) == []
    mouth.theirs.close()
    ((time_ns, line),) = mouth.lines()
    assert (line, mouth.ended) == (b"last words", True)
    assert before_ns <= time_ns <= time.time_ns()
    assert list(mouth.lines()) == []


def test_a_daemon_that_talks_much_is_not_held_up(mouth):
    os.set_blocking(mouth.theirs.fileno(), False)
    for number in range(500):
        os.write(mouth.theirs.fileno(), b"%0100d\n" % number)
    assert len(list(mouth.lines())) == 500


def test_nothing_is_said_after_it_was_closed(mouth):
    mouth.close()
    assert mouth.closed
    assert list(mouth.lines()) == []
