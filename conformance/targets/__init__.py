"""Implementations: one small driver each, with its profile (PICS, PIXIT defaults, known deviations)."""
