"""RX: what must be refused, and what must not."""

from __future__ import annotations

import pytest

from conformance.segment.segment import Segment
from conformance.segment.tester import Tester
from conformance.suite.marks import covers, takes
from conformance.targets.subject import Subject
from conformance.wire.malformations import Malformation, refused_by


@covers("CARP-RX-001")
@takes(11)
@pytest.mark.parametrize("fault", refused_by("ttl"), ids=str)
def test_backup_ignores_advertisements_from_beyond_the_link(backup: Subject, tester: Tester, wire: Segment, fault: Malformation) -> None:
    """A stream that looks like a live master but fails the TTL check must not hold a BACKUP back."""
    with tester.advertising(backup.better(), fault):
        wire.expect(backup.becomes_master(), within=backup.master_down_window())
    with tester.advertising(backup.better()) as first:
        backup.expect_yields(first)
