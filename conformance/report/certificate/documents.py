"""The documents of a bundle: how they are written, and the schemas that they keep."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import jsonschema
from jsonschema.exceptions import best_match

from conformance.report.schema import InvalidDocument

Document = dict[str, Any]


@dataclass(eq=False)
class NotJson(Exception):
    """Bytes that were to be one JSON object: where they are from, and what is wrong."""

    name: str
    problem: str

    def __str__(self) -> str:
        return f"{self.name} is not a JSON object: {self.problem}; write it again with this suite."


def dump(document: Mapping[str, Any]) -> bytes:
    """The one way in which a document is written: UTF-8, indented by one, keys in their order, a line feed at the end."""
    return (json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def parse(data: bytes, name: str) -> Document:
    """The document in ``data``; ``name`` says where it is from. Raises :class:`NotJson`."""
    try:
        loaded = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise NotJson(name, str(error)) from error
    if not isinstance(loaded, dict):
        raise NotJson(name, f"it is a {type(loaded).__name__}")
    return loaded


def validate(document: Mapping[str, Any], name: str) -> None:
    """Checks ``document`` against ``schema/NAME.schema.json`` of this package. Raises :class:`InvalidDocument`."""
    fault = best_match(_validator(name).iter_errors(document))
    if fault is not None:
        raise InvalidDocument(name, fault.json_path, " ".join(fault.message.split())[:200])


@cache
def _validator(name: str) -> jsonschema.Draft202012Validator:
    text = (resources.files(__package__) / "schema" / f"{name}.schema.json").read_text(encoding="utf-8")
    return jsonschema.Draft202012Validator(json.loads(text))
