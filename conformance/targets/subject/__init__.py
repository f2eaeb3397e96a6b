"""IUTs as cases see them: where a case needs one it gets it there, sees what it does, and knows when it has to."""

from conformance.targets.subject.subject import Subject

__all__ = ["Subject"]
