"""Whether a target can be run here; where a user namespace is all that is missing, the command goes on in one."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from conformance.commands.errors import UNDECIDED, CommandError
from conformance.targets.protocol import Target


def enter_namespace(rung: str, arguments: Sequence[str]) -> None:
    """Re-executes the command line ``arguments`` in a user namespace if ``rung`` needs one and this process may not make network namespaces; returns if not.

    Raises :class:`CommandError` where the kernel does not allow it.
    """
    if rung != "netns":
        return
    from conformance.lab.netns import IN_USER_NAMESPACE, NamespaceError, enter_user_namespace, may_create

    if IN_USER_NAMESPACE not in os.environ and not may_create():
        try:
            enter_user_namespace([sys.executable, "-m", "conformance", *arguments])
        except NamespaceError as error:
            raise CommandError(str(error), UNDECIDED) from error


def be_able(target: Target, arguments: Sequence[str], *, to_be: str = "tested") -> None:
    """Returns if ``target`` can be run here (see :func:`enter_namespace`); raises :class:`CommandError` with what is missing and the remedy for it."""
    enter_namespace(target.profile.rung, arguments)
    lacks = target.lacks()
    if lacks:
        what = "; ".join(f"{lack}: {remedy}" for lack, remedy in lacks)
        raise CommandError(f"target {target.profile.name} cannot be {to_be} here: {what}", UNDECIDED)
