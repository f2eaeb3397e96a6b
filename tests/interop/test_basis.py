"""A run of a pair measured again from nothing but its capture and what the matrix says of it comes to the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance.cli import main
from conformance.interop.basis import measured_again, stated
from conformance.report.certificate.capture import read
from conformance.segment.trace import Trace


def replayed(capture: Path) -> Trace:
    trace = Trace()
    for packet in read(capture.read_bytes()).packets:
        trace.add_frame(packet.time_ns, packet.data, sent=packet.sent)
    return trace


def test_every_run_of_a_matrix_comes_to_what_it_says(tmp_path):
    out = tmp_path / "mx"
    main(["matrix", "--targets", "model:openbsd,model:ucarp", "--scenarios", "join,kill,healed", "--lanes", "1", "--out", str(out), "--json"])  # fmt: skip
    runs = [run for cell in json.loads((out / "results.json").read_text())["cells"] for run in cell["runs"]]
    assert len(runs) == 12
    for run in runs:
        again = measured_again(replayed(out / run["evidence"]), run["basis"])
        assert {name: again[name] for name in ("masters", "no_master_ms", "dual_master_ms")} == {
            name: run[name] for name in ("masters", "no_master_ms", "dual_master_ms")
        }
    assert any(run["no_master_ms"] > 0 for run in runs)
    assert any(run["dual_master_ms"] > 0 for run in runs)


def test_run_without_a_frame_has_no_basis():
    assert stated(Trace(), {}, (1,), 0, 0, 0) is None


def test_capture_without_a_frame_is_refused():
    with pytest.raises(ValueError, match="no frame"):
        measured_again(Trace(), {})
