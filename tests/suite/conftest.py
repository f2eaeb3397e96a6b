"""What several tests of the suite ask for."""

import pytest

from conformance.commands.listing import listing


@pytest.fixture(scope="session")
def listed():
    """The document of ``list --json``: every requirement with the cases and monitors that cover it."""
    return listing([], None)
