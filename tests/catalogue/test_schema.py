"""The JSON Schema: every file satisfies it, it refuses what it should, and shares its words with the code."""

import copy
import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from conformance.catalogue import COUNTERS, IMPLEMENTATIONS, Access, Kind, Level
from conformance.catalogue.loader import FILES

FOLDER = Path(__file__).parents[2] / "conformance" / "catalogue"
SCHEMA: dict[str, Any] = json.loads((FOLDER / "schema" / "catalogue.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
PROPERTIES: dict[str, Any] = SCHEMA["$defs"]["requirement"]["properties"]


def document(name: str) -> dict[str, Any]:
    """Return one catalogue file as TOML values."""
    return tomllib.loads((FOLDER / name).read_text("utf-8"))


def words(key: str) -> list[str]:
    """Return the values that the schema explains for one key."""
    return [choice["const"] for choice in PROPERTIES[key]["oneOf"]]


def test_the_schema_is_a_schema() -> None:
    """It satisfies JSON Schema 2020-12 itself."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", FILES)
def test_every_file_satisfies_it(name: str) -> None:
    """No file has a defect that the schema can see."""
    assert [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(document(name))] == []


@pytest.mark.parametrize(("key", "vocabulary"), [("level", Level), ("kind", Kind), ("access", Access)])
def test_the_words_are_those_of_the_code(
    key: str, vocabulary: type[Level] | type[Kind] | type[Access]
) -> None:
    """One vocabulary: the enum's members, each with an explanation."""
    assert words(key) == [word.value for word in vocabulary]
    assert all(choice["description"] for choice in PROPERTIES[key]["oneOf"])


def test_the_names_are_those_of_the_code() -> None:
    """Implementations and counters are listed once more in the schema, in the same order."""
    assert PROPERTIES["holds_for"]["items"]["enum"] == list(IMPLEMENTATIONS)
    assert PROPERTIES["counter"]["enum"] == list(COUNTERS)


@pytest.mark.parametrize(
    "change",
    [
        {"colour": "red"},
        {"id": "RX-001"},
        {"level": "MAY"},
        {"level": "must"},
        {"kind": "dialect"},
        {"kind": "hazard"},
        {"core": "yes"},
        {"text": " padded "},
        {"text": ""},
        {"holds_for": []},
        {"holds_for": ["solaris"]},
        {"holds_for": ["ucarp", "ucarp"]},
        {"sources": []},
        {"access": "telnet"},
        {"counter": "badluck"},
        {"notes": ""},
        {"untestable": ""},
    ],
    ids=str,
)
def test_it_refuses(change: dict[str, Any]) -> None:
    """A file that is sound but for one value is refused for it."""
    sound = document("rx.toml")
    assert sound["requirement"][0]["kind"] == "requirement"
    assert sound["requirement"][0]["level"] == "MUST"
    broken = copy.deepcopy(sound)
    broken["requirement"][0].update(change)
    assert VALIDATOR.is_valid(sound)
    assert not VALIDATOR.is_valid(broken)


@pytest.mark.parametrize("place", ["top", "group"])
def test_it_refuses_unknown_keys(place: str) -> None:
    """Neither the top level nor the group takes more than it needs."""
    broken = document("rx.toml")
    (broken if place == "top" else broken["group"])["colour"] = "red"
    assert not VALIDATOR.is_valid(broken)
