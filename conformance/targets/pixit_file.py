"""From the document of a PIXIT file to a :class:`conformance.targets.pixit.Pixit`: its schema, then what a schema cannot say."""

from __future__ import annotations

import json
import string
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import resources
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import jsonschema
from jsonschema.exceptions import best_match

from conformance.report.private import cleaner_of
from conformance.targets.pixit import Action, Declared, KnownSpeaker, Pixit, PixitError, PixitHost
from conformance.targets.protocol.profile import PUBLIC_PASSWORD
from conformance.wire.digest import Address

COMMAND_SECONDS, PROMPT_SECONDS = 60.0, 300.0
_PASSWORDS = ("password", "password_file", "password_env")
_SETTINGS = ("vhid", "advbase", "advskew", "preempt", "addresses")
_LONGEST_MESSAGE = 160

Fault = Callable[[str, str, str], PixitError]


@cache
def schema() -> Mapping[str, Any]:
    """The JSON Schema of the file."""
    text = (resources.files(__package__) / "schema" / "pixit.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def pixit_of(document: Mapping[str, Any], path: Path, environment: Mapping[str, str]) -> Pixit:
    """The PIXIT that ``document`` (TOML values) holds; paths in it are relative to ``path``'s folder. Raises :class:`PixitError`."""

    def fault(where: str, what: str, remedy: str) -> PixitError:
        return PixitError(path, where, what, remedy)

    wrong = best_match(jsonschema.Draft202012Validator(schema()).iter_errors(document))
    if wrong is not None:
        said = " ".join(wrong.message.split())
        if "password" in wrong.absolute_path:
            said = "a password is a text"  # the message would quote it
        where = wrong.json_path.removeprefix("$").removeprefix(".") or "the file"
        raise fault(where, said[:_LONGEST_MESSAGE], "see docs/reference/pixit.md for what belongs there")
    tester = document["tester"]
    declared = tuple(
        _declared(row, f"declared[{i}]", fault) for i, row in enumerate(document.get("declared", ()))
    )
    shared = _addresses(document, "shared_addresses", "", fault) or tuple(
        dict.fromkeys(one for row in declared for one in row.addresses)
    )
    made = Pixit(
        path=path,
        system=document["system"],
        hosts=tuple(_host(row, f"host[{i}]", path.parent, fault) for i, row in enumerate(document["host"])),
        tester_interface=tester.get("interface", ""),
        tester_addresses=_addresses(tester, "addresses", "tester", fault),
        tester_inner_interface=tester.get("inner_interface", ""),
        tester_inner_addresses=_addresses(tester, "inner_addresses", "tester", fault),
        vhids=_range(document, "vhids", fault) or range(0),
        password=_password(document, path.parent, environment, fault),
        shared_addresses=shared,
        shared_inner_addresses=_addresses(document, "shared_inner_addresses", "", fault),
        granularity_ms=document.get("granularity_ms"),
        may_change=frozenset(document.get("may_change", ())),
        vlans=_range(document, "vlans", fault),
        actions={name: _action(name, row, fault) for name, row in document.get("actions", {}).items()},
        speakers=tuple(
            _speaker(row, f"speaker[{i}]", fault) for i, row in enumerate(document.get("speaker", ()))
        ),
        declared=declared,
        dialect=document.get("dialect", ""),
        product=document.get("product", ""),
    )
    for where, what, remedy in _contradictions(made):
        raise fault(where, what, remedy)
    return made


def _address(text: str, where: str, fault: Fault) -> Address:
    try:
        return ip_address(text)
    except ValueError as error:
        raise fault(where, f"{text!r} is no IP address", "write it as 192.0.2.1 or 2001:db8::1") from error


def _addresses(row: Mapping[str, Any], key: str, where: str, fault: Fault) -> tuple[Address, ...]:
    place = f"{where}.{key}".lstrip(".")
    return tuple(_address(text, place, fault) for text in row.get(key, ()))


def _range(row: Mapping[str, Any], key: str, fault: Fault) -> range | None:
    if key not in row:
        return None
    first, last = row[key]["first"], row[key]["last"]
    if first > last:
        raise fault(key, f"the first one ({first}) is greater than the last ({last})", "swap them")
    return range(first, last + 1)


def _password(row: Mapping[str, Any], folder: Path, environment: Mapping[str, str], fault: Fault) -> str:
    given = [key for key in _PASSWORDS if key in row]
    if len(given) != 1:
        what = f"{' and '.join(given)} are given" if given else "it names no password"
        raise fault("password", what, f'give one of {", ".join(_PASSWORDS)} (password = "" for none)')
    value: str = row[given[0]]
    if given == ["password"]:
        return value
    if given == ["password_env"]:
        if value not in environment:
            raise fault("password_env", f"the environment has no variable {value}", f"export {value}=…")
        return environment[value]
    try:
        lines = (folder / value).expanduser().read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not a text in UTF-8"
        raise fault(
            "password_file", f"{value} cannot be read ({why})", "write the password into its first line"
        ) from error
    return lines[0] if lines else ""


def _host(row: Mapping[str, Any], where: str, folder: Path, fault: Fault) -> PixitHost:
    return PixitHost(
        name=row["name"],
        connection=row.get("connection", ""),
        ssh_config=_path(row, "ssh_config", folder),
        identity=_path(row, "identity", folder),
        sudo=row.get("sudo", False),
        interface=row.get("interface", ""),
        inner_interface=row.get("inner_interface", ""),
        addresses=_addresses(row, "addresses", where, fault),
        inner_addresses=_addresses(row, "inner_addresses", where, fault),
        mac=bytes.fromhex(row["mac"].replace(":", "")) if "mac" in row else None,
    )


def _path(row: Mapping[str, Any], key: str, folder: Path) -> Path | None:
    return folder / Path(row[key]).expanduser() if key in row else None


def _declared(row: Mapping[str, Any], where: str, fault: Fault) -> Declared:
    return Declared(**dict(row) | {"addresses": _addresses(row, "addresses", where, fault)})


def _speaker(row: Mapping[str, Any], where: str, fault: Fault) -> KnownSpeaker:
    source = _address(row["source"], f"{where}.source", fault) if "source" in row else None
    return KnownSpeaker(protocol=row["protocol"], id=row["id"], source=source)


def _action(name: str, row: Mapping[str, Any], fault: Fault) -> Action:
    where = f"actions.{name}"
    command, prompt = tuple(row.get("command", ())), row.get("prompt", "")
    if bool(command) == bool(prompt):
        what = "it has a command and a prompt" if command else "it has neither a command nor a prompt"
        raise fault(where, what, "give one of them")
    known = {"host", *(_SETTINGS if name == "configure" else ())}
    known |= {"password_file"} if name == "configure" and command else set()
    for text in (*command, prompt):
        for used in _placeholders(text, where, fault):
            if used not in known:
                shown = ", ".join(f"{{{one}}}" for one in sorted(known))
                raise fault(where, f"there is no placeholder {{{used}}} here", f"there are {shown}")
    seconds = row.get("seconds", COMMAND_SECONDS if command else PROMPT_SECONDS)
    return Action(command=command, prompt=prompt, limit_ns=round(seconds * 1_000_000_000))


def _placeholders(text: str, where: str, fault: Fault) -> list[str]:
    try:
        return [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
    except ValueError as error:
        raise fault(
            where, f"{text!r} has a brace without its partner", "write {{ or }} for a brace"
        ) from error


def _contradictions(pixit: Pixit) -> Iterator[tuple[str, str, str]]:
    """Where, what and remedy of each thing in it that cannot be together with another."""
    names = [host.name for host in pixit.hosts]
    wanted = list(string.ascii_lowercase[: len(names)])
    if names != wanted:
        yield "host", f"the machines are named {', '.join(names)}", f"name them {', '.join(wanted)}"
    yield from _shown_password(pixit)
    yield from _address_contradictions(pixit)
    for number, row in enumerate(pixit.declared):
        where = f"declared[{number}]"
        if row.host not in names:
            yield where, f"there is no host {row.host}", f"the machines are {', '.join(names)}"
        if row.vhid not in pixit.vhids:
            first, last = pixit.vhids.start, pixit.vhids.stop - 1
            yield where, f"its vhid {row.vhid} is none of vhids ({first} to {last})", "widen vhids"
        if any((row.host, row.vhid) == (one.host, one.vhid) for one in pixit.declared[:number]):
            yield where, f"vhid {row.vhid} of host {row.host} is declared twice", "keep one of them"
        if not row.addresses:
            yield where, "it has no address", "give the addresses that it shares"
        foreign = [str(one) for one in row.addresses if one not in pixit.shared_addresses]
        if foreign:
            yield where, f"{', '.join(foreign)} is none of shared_addresses", "add it there"


def _shown_password(pixit: Pixit) -> Iterator[tuple[str, str, str]]:
    """A name that the password stands in: it could not be told any more without telling the password, or what is tested would be unreadable."""
    hidden = cleaner_of(pixit.password, PUBLIC_PASSWORD)
    if hidden is None:
        return
    names = {"system": pixit.system, "product": pixit.product, "tester.interface": pixit.tester_interface}
    names["tester.inner_interface"] = pixit.tester_inner_interface
    for number, host in enumerate(pixit.hosts):
        for key in ("name", "connection", "interface", "inner_interface"):
            names[f"host[{number}].{key}"] = getattr(host, key)
    for where, name in names.items():
        if hidden(name) != name:
            yield (
                "password",
                f"it stands in {where}, which results and messages tell",
                "give the virtual hosts a password that is in no name of the file",
            )


def _address_contradictions(pixit: Pixit) -> Iterator[tuple[str, str, str]]:
    if not pixit.shared_addresses:
        yield "shared_addresses", "there is no address for a virtual host", "give one that nobody has"
    if not pixit.tester_addresses:
        yield "tester.addresses", "the tester has no address", "give one of the segment that nobody has"
    owners: dict[Address, str] = {}
    for owner, addresses in (
        ("the tester", pixit.tester_addresses + pixit.tester_inner_addresses),
        *((f"host {host.name}", host.addresses + host.inner_addresses) for host in pixit.hosts),
        ("the virtual hosts", pixit.shared_addresses + pixit.shared_inner_addresses),
    ):
        for address in addresses:
            if address in owners:
                yield (
                    "addresses",
                    f"{address} is given to {owners[address]} and to {owner}",
                    "give each its own",
                )
            owners[address] = owner
