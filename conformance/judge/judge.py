"""``judge``: verdicts on captures, as a document, as a summary for people, as a page, and as an exit
status.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from conformance.judge import fast
from conformance.judge.document import build
from conformance.judge.lane import Options
from conformance.judge.packets import Unreadable
from conformance.judge.page import html
from conformance.judge.readers import read
from conformance.judge.session import Session
from conformance.judge.summary import summary_text
from conformance.wire.digest import Address

__all__ = ["exit_status", "html", "judge", "summary_text"]


def judge(
    captures: Sequence[str | Path],
    *,
    vhid: int | None = None,
    passwords: Sequence[str] = (),
    addresses: Iterable[Address | str] = (),
    dialect: str | None = None,
    exact: bool = False,
) -> dict[str, Any]:
    """Judges captures (several are merged by time; ``-`` is standard input) and returns the document of
    ``judge --json``.

    ``passwords`` are candidates, tried in order; ``addresses`` the shared ones, if the operator knows them;
    ``dialect`` is guessed if not given;
    ``exact`` takes the slow way for each frame. Raises :class:`conformance.judge.packets.CaptureError` for
    a file that cannot be opened,
    :class:`conformance.model.dialects.UnknownDialect`, and ValueError for what is no address. Passwords are
    in no part of the document.
    """
    given = tuple(ip_address(one) if isinstance(one, str) else one for one in addresses)
    session, unreadable = Session(Options(tuple(passwords), given, vhid, dialect)), Unreadable()
    with ExitStack() as stack:
        fast.run(session, read(captures, unreadable, stack), exact=exact)
    session.finish()
    return build(session, [str(capture) for capture in captures], unreadable.all())


def exit_status(document: dict[str, Any]) -> int:
    """0: nothing wrong; 1: a requirement failed or a finding is an error; 2: nothing could be read; 3: no
    advertisement to judge.
    """
    if not document["frames"] and document["unreadable"]:
        return 2
    if not any(host["advertisements"] for host in document["vhids"]):
        return 3
    findings = [one for host in document["vhids"] for one in host["findings"]] + document["findings"]
    wrong = any(one["severity"] == "error" for one in findings) or any(
        one["verdict"] == "fail" for one in document["requirements"]
    )
    return 1 if wrong else 0
