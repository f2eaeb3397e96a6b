"""How a command ends: the exit status and, if it did not work, one sentence."""

from __future__ import annotations

CONFORMS, FAILED, USAGE, UNDECIDED = 0, 1, 2, 3


class CommandError(Exception):
    """A command that cannot be carried out: ``status`` is the exit status, the text says what was wrong, where, and what to do."""

    def __init__(self, text: str, status: int = USAGE) -> None:
        self.status = status
        super().__init__(text)
