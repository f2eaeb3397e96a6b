"""Behaviour: CARP as a state machine without I/O, its dialects as data. Imports nothing of the suite but
:mod:`conformance.wire`.
"""
