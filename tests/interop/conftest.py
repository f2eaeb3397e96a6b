"""The pairs that the tests of interop use."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.interop.participant import participants
from conformance.interop.stage import Cast

Pair = Callable[[str, str], Cast]


@pytest.fixture
def pair() -> Pair:
    def paired(a: str, b: str) -> Cast:
        one, two = (participants([f"model:{name}"])[0] for name in (a, b))
        return {"A": one, "B": two}

    return paired
