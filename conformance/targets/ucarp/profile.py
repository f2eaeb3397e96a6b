"""What is known of ucarp 1.5.2 (Debian's 1.5.2+git) before anything is run."""

from __future__ import annotations

from conformance.model.dialects import dialect
from conformance.targets.protocol import Profile

PROFILE = Profile(
    name="ucarp",
    dialect=dialect("ucarp"),
    rung="netns",
    origin="OpenBSD 2003",
    pics={
        "preempt": True,
        "log": True,
        "state_read": True,
        "signals": True,
        "scripts": True,
        "exit_status": True,
        "kill": True,
        "link": True,
        "service": True,
        "process": True,
        "dead_ratio": True,
        "multiple_vhids": True,
    },
    deviations=(),
)
