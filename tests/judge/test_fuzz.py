"""Broken input never breaks ``judge``: no exception, no hang, no unbounded memory, always a valid document.

``python -m tests.judge.fuzz_readers`` runs the same on a million inputs.
"""

import io
import json
import random

import jsonschema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.judge.document import schema
from conformance.judge.judge import exit_status, html, judge, summary_text
from conformance.judge.readers import packets
from tests.judge.fuzz_readers import judged, mutate, seeds
from tests.judge.making import SECOND, Member, pcap

VALIDATOR = jsonschema.Draft202012Validator(schema())


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([b"", pcap([])[:24], b"\x0a\x0d\x0d\x0a", b"\x1f\x8b\x08\0"]))
def test_arbitrary_bytes(data, head):
    complaints = []
    found = list(packets(io.BytesIO(head + data), 0, complaints.append))
    assert len(found) <= len(head + data)
    assert all(len(one) < 400 for one in complaints)


def test_mutated_captures():
    generator, corpus = random.Random(20261122), seeds()
    for _ in range(150):
        judged(mutate(generator, generator.choice(corpus)))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(0, 20 * SECOND), st.integers(0, 89), st.integers(0, 255)), max_size=40),
    st.booleans(),
)
def test_damaged_frames_make_a_valid_document(tmp_path_factory, damage, six):
    """Any byte of any advertisement may be anything; both ways through the capture still agree."""
    member = Member(source="fe80::1" if six else "192.0.2.11", tos=0)
    frames = []
    for time_ns, at, value in damage:
        frame = bytearray(member.frame(time_ns // SECOND))
        frame[at % len(frame)] = value
        frames.append((time_ns, bytes(frame)))
    path = tmp_path_factory.mktemp("fuzz") / "damaged.pcap"
    path.write_bytes(pcap([*frames, *member.run(0, 12)]))
    document = judge([path], passwords=("secret",), addresses=("192.0.2.1",))
    VALIDATOR.validate(json.loads(json.dumps(document)))
    assert document == judge([path], passwords=("secret",), addresses=("192.0.2.1",), exact=True)
    assert exit_status(document) in (0, 1, 3)
    assert summary_text(document)
    assert html(document)
