"""The requirements with cases of which no mutant can be made, each with the reason: the models have nothing there that a fault could change."""

from __future__ import annotations

from collections.abc import Mapping

_SCRIPTS = (
    "A model starts no scripts: how long one takes shows on a real process only, for which the case is."
)
_COMMAND_LINE = "It is a rule of ucarp's command line, and the model begins behind it."
NO_MUTANT: Mapping[str, str] = {
    "CARP-TIMER-016": _SCRIPTS,
    "CARP-TIMER-022": _SCRIPTS,
    "CARP-CONF-020": _COMMAND_LINE,
    "CARP-CONF-021": _COMMAND_LINE,
    "CARP-ROBUST-012": "An interface of a model cannot be removed, and a model has no exit status.",
    "CARP-ROBUST-013": "A model is no process that the operating system could stop and continue.",
    "CARP-INTEROP-009": (
        "A tie has two sides: whatever a fault makes one of them do, the other settles it; where they do not believe each other, CARP-INTEROP-001 notices."
    ),
    "CARP-INTEROP-013": "A real VRRP router cannot be run in virtual time; the rules of the model behind it have mutants in VRRP3.",
    "CARP-SCENARIO-016": "Group memberships are reported by the host's kernel, of which the models have the CARP part alone.",
}
"""By requirement; none of them is a MUST."""
