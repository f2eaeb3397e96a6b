"""What a case says of itself: the requirements that it covers and the capabilities that it needs."""

from __future__ import annotations

import pytest


def covers(*requirements: str) -> pytest.MarkDecorator:
    """The case decides these requirements (``CARP-RX-002``)."""
    return pytest.mark.covers(*requirements)


def needs(*capabilities: str) -> pytest.MarkDecorator:
    """The case is not applicable without these capabilities (:data:`conformance.targets.protocol.CAPABILITIES`)."""
    return pytest.mark.needs(*capabilities)


def hosts(count: int) -> pytest.MarkDecorator:
    """The case runs on ``count`` hosts at once (one, unless said)."""
    return pytest.mark.hosts(count)


def takes(seconds: float) -> pytest.MarkDecorator:
    """About how long the case lasts on a live rung, for the order of the first run (6 s, unless said)."""
    return pytest.mark.takes(seconds)
