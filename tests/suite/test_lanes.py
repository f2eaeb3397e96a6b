"""The lanes of a worker: made once each, and not tried again where a machine is not there."""

from contextlib import ExitStack, contextmanager

import pytest

from conformance.lab.shell import HostError
from conformance.suite.conftest import lanes


class Target:
    """Its benches are numbers; ``fails`` is what making one raises."""

    def __init__(self, fails=None):
        self.fails, self.asked, self.ended = fails, [], []

    @contextmanager
    def bench(self, hosts):
        self.asked.append(hosts)
        if self.fails is not None:
            raise self.fails
        yield f"bench of {hosts}"
        self.ended.append(hosts)


def test_each_is_made_once_and_ended_at_the_end():
    target = Target()
    with ExitStack() as stack:
        bench = lanes(target, stack)
        assert [bench(1), bench(2), bench(1)] == ["bench of 1", "bench of 2", "bench of 1"]
    assert (target.asked, target.ended) == ([1, 2], [2, 1])


def test_machine_that_is_not_there_is_asked_once():
    target = Target(HostError("a", "it did not answer in 20 s", "look"))
    with ExitStack() as stack:
        bench = lanes(target, stack)
        for _ in range(3):
            with pytest.raises(HostError, match="it did not answer"):
                bench(1)
    assert target.asked == [1]


def test_what_may_be_better_the_next_time_is_tried_again():
    target = Target(OSError("no memory just now"))
    with ExitStack() as stack:
        bench = lanes(target, stack)
        for _ in range(2):
            with pytest.raises(OSError, match="no memory"):
                bench(1)
    assert target.asked == [1, 1]
