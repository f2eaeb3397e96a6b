"""Whatever mix of dialects and whatever faults: once all is mended, one host is MASTER, within the time that the
dialects' own rules promise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

import pytest
from hypothesis import HealthCheck, assume, event, example, given, settings
from hypothesis import strategies as st

from conformance.model.actions import State
from conformance.model.hazards import hazards_of
from conformance.model.rows import ALL_FREEBSD, BSD, KEYS, LEGACY_6, UCARP
from conformance.segment.simulated import Weather
from tests.model.mixing import (
    MS,
    PAYLOAD,
    SECOND,
    SHARED,
    SHARED6,
    Node,
    Village,
    convergence_ns,
    mix_of,
    slowest_take_over_ns,
)
