"""The JSON Schemas of every document that the suite writes, and the one way to check a document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

_LONGEST_MESSAGE = 200
_SUFFIX = ".schema.json"


def _is_instant(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@dataclass(eq=False)
class InvalidDocument(Exception):
    """A document that does not keep its schema: the schema's name, the JSON path, and what is wrong there."""

    name: str
    path: str
    problem: str

    def __str__(self) -> str:
        return (
            f"The {self.name} document is invalid at {self.path}: {self.problem}; "
            f"mend it there or write it again with this version of the suite."
        )


@dataclass(eq=False)
class UnknownSchema(Exception):
    """A schema was asked for that the package does not have."""

    name: str

    def __str__(self) -> str:
        return f"There is no schema {self.name!r}; the schemas are {', '.join(names())}."


def names() -> list[str]:
    """The names of all schemas, sorted."""
    folder = resources.files(__package__) / "schema"
    return sorted(
        entry.name.removesuffix(_SUFFIX) for entry in folder.iterdir() if entry.name.endswith(_SUFFIX)
    )


def schema(name: str) -> dict[str, Any]:
    """The schema of the document `name` (as `results`), a new dict each time.

    Raises `UnknownSchema`.
    """
    if name not in names():
        raise UnknownSchema(name)
    text = (resources.files(__package__) / "schema" / f"{name}{_SUFFIX}").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def validate(document: Mapping[str, Any], name: str) -> None:
    """Checks `document` against the schema `name`.

    Raises `InvalidDocument` for the fault that explains most, `UnknownSchema`.
    """
    from jsonschema.exceptions import best_match  # here: who validates nothing does not wait for it

    fault = best_match(_validator(name).iter_errors(document))
    if fault is not None:
        raise InvalidDocument(name, fault.json_path, _problem(fault))


@cache
def _validator(name: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator, FormatChecker

    formats = FormatChecker(formats=())
    formats.checks("date-time", raises=ValueError)(_is_instant)
    return Draft202012Validator(schema(name), format_checker=formats)


def _problem(fault: ValidationError) -> str:
    message = " ".join(fault.message.split())
    return message if len(message) <= _LONGEST_MESSAGE else message[: _LONGEST_MESSAGE - 1] + "…"
