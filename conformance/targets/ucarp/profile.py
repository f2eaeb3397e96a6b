"""What is known of ucarp 1.5.2 (Debian's 1.5.2+git) before anything is run."""

from __future__ import annotations

from conformance.model.dialects import dialect
from conformance.targets.protocol import Deviation, Profile

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
        "partition": True,
        "service": True,
        "process": True,
        "dead_ratio": True,
        "multiple_vhids": True,
    },
    max_hosts=8,
    deviations=(
        Deviation(
            cases="WIRE-016",
            says=r"expected: Ethernet source is 00:00:5e:00:01:(..)\n +actual: Ethernet source is 00:00:5e:00:00:\1",
            reason="ucarp sends from 00:00:5e:00:00:VHID, whose fifth byte is 0 in place of 1.",
            reference="ucarp src/carp.c:248-253 (carp_send_ad); jedisct1/UCarp#19",
        ),
    ),
)
