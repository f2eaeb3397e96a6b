"""``judge`` and ``watch``: what is wrong on a segment, from captures or live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_interface
from pathlib import Path
from typing import Any

from conformance.commands.errors import CommandError
from conformance.judge.judge import exit_status, html, judge, summary_text
from conformance.judge.listener import WatchError
from conformance.judge.packets import CaptureError
from conformance.judge.watch import watch
from conformance.model.dialects import UnknownDialect
from conformance.wire.digest import Address

__all__ = ["Question", "exit_status", "judged", "summary_text", "watched", "write_page"]

_MAX_VHID = 255


@dataclass(frozen=True, slots=True)
class Question:
    """What the operator knows of the virtual hosts: all of it may be missing. ``passwords`` are candidates."""

    vhid: int | None
    passwords: tuple[str, ...] = field(repr=False)
    addresses: tuple[Address, ...]
    dialect: str | None

    @classmethod
    def of(
        cls,
        vhid: int | None,
        given: Sequence[str],
        file: Path | None,
        addresses: Sequence[str],
        dialect: str | None,
    ) -> Question:
        """From the options of the command line; ``file`` holds one candidate password a line. Raises :class:`CommandError`."""
        if vhid is not None and not 1 <= vhid <= _MAX_VHID:
            raise CommandError(
                f"--vhid {vhid}: there is no such virtual host; give a number from 1 to {_MAX_VHID}"
            )
        lines: list[str] = []
        if file is not None:
            try:
                lines = file.read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError) as error:
                raise CommandError(
                    f"--pass-file {file}: cannot be read ({error}); give a text file with one password a line"
                ) from error
        shared = tuple(_address(text) for text in addresses)
        return cls(vhid, (*given, *(line for line in lines if line)), shared, dialect)


def _address(text: str) -> Address:
    """As ``ifconfig`` prints it, too: with a prefix length, or with the interface of a link-local address."""
    try:
        address = ip_interface(text).ip
    except ValueError as error:
        raise CommandError(
            f"--address {text}: this is no IP address; give one such as 192.0.2.1 or 2001:db8::1"
        ) from error
    return IPv4Address(int(address)) if address.version == 4 else IPv6Address(int(address))


def judged(captures: Sequence[str], question: Question) -> dict[str, Any]:
    """The document of ``judge --json``. Raises :class:`CommandError`."""
    try:
        return judge(
            captures,
            vhid=question.vhid,
            passwords=question.passwords,
            addresses=question.addresses,
            dialect=question.dialect,
        )
    except (CaptureError, UnknownDialect) as error:
        raise CommandError(str(error)) from error


def write_page(document: dict[str, Any], path: Path) -> None:
    """Writes the page of a judgement. Raises :class:`CommandError`."""
    try:
        path.write_text(html(document), encoding="utf-8")
    except OSError as error:
        raise CommandError(
            f"--html {path}: cannot be written ({error.strerror}); give another file"
        ) from error


def watched(interface: str, question: Question, *, json_lines: bool) -> int:
    """Watches ``interface`` until it is interrupted; returns the exit status. Raises :class:`CommandError`."""
    try:
        seen = watch(
            interface,
            vhid=question.vhid,
            passwords=question.passwords,
            addresses=question.addresses,
            dialect=question.dialect,
            json_lines=json_lines,
        )
    except (WatchError, UnknownDialect) as error:
        raise CommandError(str(error)) from error
    return exit_status(seen)
