"""Conformance and interoperability test suite for CARP, the Common Address Redundancy Protocol."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("carp-conformance")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0+unknown"
