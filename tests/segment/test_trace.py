"""The time line: numbering, listeners, comments."""

from conformance.segment.trace import HostEvent, HostKind, TesterAction, Trace


def test_frames_are_numbered_from_one_as_wireshark_does():
    trace = Trace()
    trace.add(TesterAction(1, "before"))
    numbers = [trace.add_frame(t, bytes(20)).number for t in (5, 6, 7)]
    assert numbers == [1, 2, 3]
    assert len(trace.events) == 4
    assert trace.frames == trace.events[1:]


def test_a_frame_is_decoded_and_keeps_its_direction():
    trace = Trace()
    seen = trace.add_frame(5, bytes(12) + b"\x88\xcc", sent=True)
    assert (seen.time_ns, seen.sent, seen.frame.ethertype) == (5, True, 0x88CC)
    assert not trace.add_frame(6, b"").sent


def test_listeners_hear_each_event_once_and_in_order():
    trace, heard = Trace(), []
    trace.listeners.append(lambda e: heard.append(("first", e.time_ns)))
    trace.listeners.append(lambda e: heard.append(("second", e.time_ns)))
    trace.add(HostEvent(1, "a", HostKind.LOG, "x"))
    trace.add_frame(2, b"")
    assert heard == [("first", 1), ("second", 1), ("first", 2), ("second", 2)]


def test_a_listener_may_leave_or_add_another_while_it_is_called():
    trace, heard = Trace(), []

    def once(event):
        heard.append(event.time_ns)
        trace.listeners.remove(once)
        trace.listeners.append(lambda e: heard.append(-e.time_ns))

    trace.listeners.append(once)
    trace.listeners.append(lambda e: heard.append(e.time_ns * 10))
    trace.add(TesterAction(1, ""))
    trace.add(TesterAction(2, ""))
    assert heard == [1, 10, 20, -2]


def test_since_includes_its_moment():
    trace = Trace()
    for time_ns in (1, 3, 2, 4):
        trace.add(TesterAction(time_ns, ""))
    assert [event.time_ns for event in trace.since(2)] == [3, 2, 4]


def test_several_comments_on_one_frame():
    trace = Trace()
    seen = trace.add_frame(1, b"")
    trace.cite(seen, "one")
    trace.cite(seen, "two")
    assert trace.comments == {1: ["one", "two"]}
