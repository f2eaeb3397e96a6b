"""What pytest loads wherever this package is installed: nothing, until it is asked for something of this package."""

from __future__ import annotations

import pytest

_PACKAGES = ("conformance.suite", "conformance.targets.selfcheck")


def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> None:
    """``pytest --pyargs conformance.…`` has the options of :mod:`conformance.plugin`; any other pytest has not."""
    if any(argument.startswith(_PACKAGES) for argument in args):
        early_config.pluginmanager.import_plugin("conformance.plugin")
