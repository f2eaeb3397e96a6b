"""What the monitors were told can be written down and told again: they then see the same."""

from __future__ import annotations

from ipaddress import ip_address

from conformance.judge.basis import asked_again, stated
from conformance.judge.invariants import Given, Side
from conformance.judge.lane import Witness
from conformance.segment.trace import HostEvent, HostKind, TesterAction, Trace

PUBLIC = "conformance"
WITNESS = Witness(noise_ns=5_000, lossy=False)


def side(password: str = PUBLIC) -> Side:
    return Side({ip_address("192.0.2.1"): "a"}, (Given(1, password, (ip_address("192.0.2.100"),)),))


def trace() -> Trace:
    """Two frames with actions before, between and after them, and words of a host that the monitors do not hear."""
    made = Trace()
    made.add(TesterAction(100, "early"))
    made.add_frame(1_000, bytes(60))
    made.add(TesterAction(1_200, "first"))
    made.add(HostEvent(1_250, "a", HostKind.LOG, "hello"))
    made.add(TesterAction(1_300, "last of the gap"))
    made.add_frame(2_000, bytes(60), sent=True)
    return made


def test_only_the_last_action_of_each_gap_is_kept_with_its_place():
    basis = stated(trace().events, (side(),), WITNESS, PUBLIC)
    assert basis is not None
    assert basis["actions"] == [[0, -900], [1, 300]]
    assert (basis["noise_ns"], basis["lossy"]) == (5_000, False)


def test_password_is_never_written():
    basis = stated(trace().events, (side("hunter2-secret"),), WITNESS, PUBLIC)
    assert basis is not None
    assert "hunter2" not in str(basis)
    assert basis["sides"][0]["given"] == [{"vhid": 1, "public": False, "addresses": ["192.0.2.100"]}]


def test_without_a_frame_there_is_nothing_to_ask_about():
    empty = Trace()
    empty.add(TesterAction(1, "x"))
    assert stated(empty.events, (side(),), WITNESS, PUBLIC) is None


def test_password_that_is_not_known_leaves_the_question_open():
    seen = trace()
    basis = stated(seen.events, (side("other"),), WITNESS, PUBLIC)
    assert basis is not None
    assert asked_again(seen.frames, basis, "ucarp", [PUBLIC]) is None
    assert asked_again(seen.frames, basis, "ucarp", [PUBLIC, "other"]) is not None
