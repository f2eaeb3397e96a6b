"""Runs ``carp-conformance mutants`` with planted mutants and few cases, in a process of its own; a script."""

import os
import sys
from dataclasses import replace

from conformance import cli
from conformance.commands import mutants as command
from conformance.model.mutants.making import advertising, mutant, put, rules
from conformance.model.onwire import Source4
from conformance.suite import mutation

TTL_254 = advertising(put(22, b"\xfe"))
PLANTED = {
    one.id: one
    for one in (
        mutant("killed", "advertisements leave with TTL 254", "WIRE-004", "freebsd-13", TTL_254),
        mutant("said-too-much", "the same, and that DF is not set", "WIRE-004 WIRE-005", "freebsd-13", TTL_254),
        mutant("said-wrongly", "the same, said to be a wrong TOS", "WIRE-019", "freebsd-13", TTL_254),
        mutant("not-noticed", "a row that no case looks at", "WIRE-004", "freebsd-13", rules(reaction_ns=1)),
        mutant("of-others", "of no case that there is", "WIRE-018", "freebsd-13", TTL_254),
        mutant("healthy", "fails as the healthy dialect does", "WIRE-016", "ucarp", rules(reaction_ns=1)),
        mutant("broken", "breaks the model", "WIRE-004", "freebsd-13", lambda d: replace(d, source_ipv4=Source4.SUBNET, digest=None)),
    )
}  # fmt: skip


def main(ids, cases, options):
    """The exit status of ``mutants`` for the planted mutants named by ``ids`` with the module ``cases``."""
    command.MUTANTS = tuple(PLANTED[id] for id in ids.split(","))
    command._ARGUMENTS = (*command._ARGUMENTS[:-1], f"{command.SUITE}/{cases}")
    mutation.deviations_of = lambda _: ()
    os.cpu_count = lambda: 1
    return cli.main(["mutants", *options])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
