"""Proves a driver: ``pytest --pyargs conformance.targets.selfcheck --target X``.

Each promise of :mod:`conformance.targets.protocol` and each capability that the target's PICS claims is held against the wire. A driver that
promises what it cannot do fails with a sentence that says which promise, and what was seen.
"""
