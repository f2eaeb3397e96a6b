"""Spreads the cells of a matrix over hosts: workers of pytest-xdist behind gateways that the user names (``--tx ssh=root@lab1``)."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import execnet
import pytest

from conformance.commands.collect import plain_pytest
from conformance.commands.errors import UNDECIDED, CommandError
from conformance.interop.cell import Task
from conformance.interop.facts import suite_digest
from conformance.interop.matrix import Take
from conformance.interop.merge import machine_of
from conformance.interop.order import MatrixOrder

ANSWER_S = 60
_ASK = "from conformance.interop.facts import facts\nchannel.send(facts(channel.receive()))"


@dataclass(frozen=True, slots=True)
class Hosts:
    """Gateways that can run an order. ``machine`` is what they run on, each fact once; ``versions`` are those of the implementations there."""

    gateways: tuple[str, ...]
    order: MatrixOrder
    machine: Mapping[str, Any]
    versions: Mapping[str, str]

    def run(self, todo: Sequence[Task], take: Take) -> None:
        """A :data:`conformance.interop.matrix.Runner`; captures go where the tasks want them. Raises :class:`CommandError`."""
        # xdist looks for paths among the arguments, and takes each for a test of its own.
        arguments = [
            "--config-file=/dev/null",
            *["-p", "no:cacheprovider", "-p", "xdist", "-p", "conformance.interop.items"],
        ]
        arguments += ["--matrix", self.order.dumps(), "--dist", "worksteal", "--max-worker-restart", "8"]
        for one in self.gateways:
            arguments += ["--tx", one]
        inbox, said = _Inbox(todo, take), io.StringIO()
        with plain_pytest(), contextlib.redirect_stdout(said):
            status = pytest.main(arguments, plugins=[inbox])
        if status == pytest.ExitCode.INTERRUPTED:
            raise CommandError("interrupted", UNDECIDED)
        if inbox.broken or status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            raise CommandError(f"the hosts broke off: {inbox.broken or _line(said.getvalue())}", UNDECIDED)


def hosts(specifications: Sequence[str], order: MatrixOrder) -> Hosts:
    """Asks each host once whether it can run ``order``, with the same suite and the same implementations as the others.

    ``specifications`` are those of pytest-xdist's ``--tx``. Raises :class:`CommandError` with the host and what it lacks.
    """
    own = suite_digest()
    answers = {one: _ask(one, order) for one in dict.fromkeys(map(_single, specifications))}
    for one, answer in answers.items():
        if answer["lacks"]:
            raise CommandError(f"{one}: {'; '.join(answer['lacks'])}", UNDECIDED)
        if answer["suite"] != own:
            raise CommandError(
                f"{one} has another carp-conformance than this host: install the same version there",
                UNDECIDED,
            )
    first, *others = answers.items()
    for one, answer in others:
        if answer["versions"] != first[1]["versions"]:
            raise CommandError(
                f"{first[0]} and {one} have different implementations ({first[1]['versions']} and {answer['versions']}): a cell must mean the same everywhere",
                UNDECIDED,
            )
    machine = machine_of([answer["machine"] for answer in answers.values()])
    return Hosts(tuple(specifications), order, machine, first[1]["versions"])


def _single(specification: str) -> str:
    """Without the number of workers in front (``4*ssh=…``)."""
    return re.sub(r"^\d+\*", "", specification)


def _ask(specification: str, order: MatrixOrder) -> dict[str, Any]:
    try:
        gateway = execnet.makegateway(specification)
    except Exception as error:  # execnet raises what it meets: ValueError, OSError, HostNotFound, EOFError …
        raise CommandError(
            f"--tx {specification}: no python could be started there ({_line(str(error)) or type(error).__name__}); try the same connection by hand",
            UNDECIDED,
        ) from error
    try:
        channel = gateway.remote_exec(_ASK)
        channel.send(order.dumps())
        answer: dict[str, Any] = channel.receive(ANSWER_S)
    except (execnet.RemoteError, channel.TimeoutError, EOFError) as error:
        raise CommandError(
            f"--tx {specification}: carp-conformance does not answer there ({_line(str(error)) or type(error).__name__}); install it for that python, with pytest-xdist",
            UNDECIDED,
        ) from error
    finally:
        gateway.exit()
    return answer


def _line(said: str) -> str:
    """The last line: of a traceback from far away that is the error."""
    return (said.strip().splitlines() or [""])[-1]


def _keep(evidence: Mapping[str, bytes], out: Path) -> None:
    for name, data in evidence.items():
        path = out / "evidence" / Path(name).name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


class _Inbox:
    """The controller's side of the run: hands rows over as reports come."""

    def __init__(self, todo: Sequence[Task], take: Take) -> None:
        self._todo, self._take = todo, take
        self._places = {task.id: place for place, task in enumerate(todo)}
        self.broken = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        found = getattr(report, "carp_cell", None)
        if found is None:
            return
        place = self._places[found["id"]]
        out = self._todo[place].out
        if out is not None:
            _keep(found["evidence"], out)
        self._take(place, json.loads(found["row"]))

    def pytest_internalerror(self, excrepr: object) -> None:
        self.broken = _line(str(excrepr))
