"""``pics``: drafts a PICS declaration by probing a target, or holds a declaration against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from conformance.commands.errors import CONFORMS, FAILED, CommandError
from conformance.commands.machines import Machines, machines
from conformance.report.certificate import pics
from conformance.targets.protocol import CAPABILITIES, Target

Document = dict[str, Any]


def declaration(path: Path) -> Document:
    """A vendor's declaration. Raises :class:`CommandError`."""
    try:
        return pics.load(path.read_text(encoding="utf-8"), str(path), CAPABILITIES)
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path}: cannot be read ({error}); give a declaration in TOML") from error
    except pics.BadDeclaration as error:
        raise CommandError(str(error)) from error


def probed(
    name: str, declared: Path | None, arguments: Sequence[str], wanted: Machines | None = None
) -> Document:
    """The document ``pics`` of the target ``name`` (on the machines ``wanted``): what ``declared`` claims, or the target's own profile, beside what probing found.

    Re-executes the command in a user namespace if it must and may (``arguments`` is the whole command line). Raises :class:`CommandError`.
    """
    from conformance.commands.probing import probe

    declares = declaration(declared) if declared else None
    if declares is not None and declares["target"] != name:
        raise CommandError(
            f"{declared} is about the target {declares['target']!r}, not {name!r}; give the declaration of this one"
        )
    with machines(name, wanted or Machines(), arguments, to_be="probed") as ready:
        target = ready.target
        return pics.pics(declares or own(target), CAPABILITIES, target.profile.dialect.key, probe(target))


def own(target: Target) -> Document:
    """What a target's profile declares, as a declaration without a product."""
    profile = target.profile
    return {
        "schema": 1,
        "target": profile.name,
        "product": {"name": "", "vendor": "", "version": target.version()},
        "capabilities": {name: bool(profile.pics.get(name, False)) for name in CAPABILITIES},
    }


def drafted(document: Mapping[str, Any]) -> Document:
    """The document with each claim that was probed set to what probing found."""
    found = {"yes": True, "no": False}
    rows = [
        dict(row) | {"claimed": found.get(row["probed"], row["claimed"])} for row in document["capabilities"]
    ]
    return dict(document) | {"capabilities": rows}


def write(text: str, path: Path) -> None:
    """Writes a draft or a form. Raises :class:`CommandError`."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path}: cannot be written ({error.strerror}); give another file") from error


def exit_status(document: Mapping[str, Any]) -> int:
    """0: probing contradicts no claim; 1: it does."""
    return FAILED if pics.findings(document) else CONFORMS
