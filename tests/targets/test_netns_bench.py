"""Making a bench in namespaces."""

import fcntl
from contextlib import contextmanager
from pathlib import Path

import pytest

from conformance.targets import netns_bench as module


class Stop(Exception):
    """Ends the making of a bench."""


def test_namespaces_are_made_by_one_process_at_a_time(monkeypatch):
    def locked():
        with Path(module.__file__).open("rb") as other:
            try:
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False

    seen = []

    @contextmanager
    def switch():
        seen.append(locked())
        raise Stop
        yield

    monkeypatch.setattr(module, "switch", switch)
    with pytest.raises(Stop), module.netns_bench([]):
        pass
    assert (seen, locked()) == ([True], False)
