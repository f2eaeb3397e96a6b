"""Passive verdicts: monitors and the history of a cluster over any trace, live or from a capture file."""
