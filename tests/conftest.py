"""What tests on a real kernel need: namespaces, ucarp. Without them they are skipped, but fail in CI."""

import os

import pytest

from conformance.lab.netns import may_create, switch
from conformance.targets.ucarp.target import UcarpTarget


def pytest_configure(config):
    for mark in ("covers", "needs", "hosts", "takes"):
        config.addinivalue_line(
            "markers", f"{mark}(*arguments): of the cases, which these tests make and read"
        )
    config.addinivalue_line("markers", "slow: takes more than five seconds")


def lacking(what):
    """Skips, or fails where the environment variable CI says that everything must be there."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}, and CI is set: install it in the job")
    pytest.skip(what)


@pytest.fixture(scope="session")
def namespaces():
    """Network namespaces can be made here."""
    if not may_create():
        lacking("this process may not make network namespaces (run as root or in 'unshare -Urn')")


@pytest.fixture(scope="session")
def ucarp(namespaces):
    """The target ucarp, ready to be run."""
    target = UcarpTarget()
    lacks = target.lacks()
    if lacks:
        lacking("; ".join(f"{what}: {remedy}" for what, remedy in lacks))
    return target


@pytest.fixture
def pair(namespaces):
    """A switch with two stations, ``left`` (192.0.2.1) and ``right`` (192.0.2.2)."""
    with switch() as (plugged, stack):
        left = plugged.plug("left", "192.0.2.1/24", bytes.fromhex("020000000001"), stack)
        right = plugged.plug("right", "192.0.2.2/24", bytes.fromhex("020000000002"), stack)
        plugged.settle()
        yield plugged, left, right
