"""What the rows say: evidence, cross references, field incidents and consistency between fields."""

import re

import pytest

from conformance.catalogue import Access, Kind, Level, Requirement, load

MEASURED = {
    "freebsd-9.3",
    "freebsd-13.2",
    "freebsd-15.1",
    "openbsd-8.0beta",
    "ucarp-1.5.2",
    "keepalived-2.2.7",
}
ROWS = load().requirements


def prose(requirement: Requirement) -> str:
    """Return all prose of a requirement."""
    parts = (
        requirement.text,
        requirement.notes,
        requirement.test,
        requirement.untestable or "",
        *requirement.sources,
    )
    return "\n".join(parts)


@pytest.mark.parametrize("incident", range(1, 34))
def test_every_field_incident_is_cited(incident: int) -> None:
    """Each thing that went wrong in the field has a requirement that would have shown it."""
    start = f"field incident {incident}: "
    assert [row.id for row in ROWS if any(source.startswith(start) for source in row.sources)]


def test_an_incident_is_cited_with_one_and_the_same_thread() -> None:
    """The number and the public thread stay together."""
    threads: dict[str, set[str]] = {}
    for row in ROWS:
        for source in row.sources:
            if match := re.fullmatch(r"(field incident \d+): (.+)", source):
                threads.setdefault(match[1], set()).add(match[2])
    assert {incident: found for incident, found in threads.items() if len(found) > 1} == {}


class TestEachRow:
    """Rules that every requirement keeps; each test lists the rows that break one."""

    def test_the_text_is_a_sentence(self) -> None:
        """It starts large or with a name of the protocol, and ends with a full stop."""
        small = ("ucarp", "net.", "carp ", "pfsync", "netstat")
        assert [row.id for row in ROWS if not (row.text[0].isupper() or row.text.startswith(small))] == []
        assert [row.id for row in ROWS if not row.text.endswith(".")] == []

    def test_no_text_is_given_twice(self) -> None:
        """Two ids never ask for the same thing in the same words."""
        assert len({row.text for row in ROWS}) == len(ROWS)

    def test_cross_references_exist(self) -> None:
        """An id that a row mentions is the id of another row."""
        known = {row.id for row in ROWS}
        mentioned = {
            (row.id, other) for row in ROWS for other in re.findall(r"CARP-[A-Z0-9]+-\d+", prose(row))
        }
        assert {pair for pair in mentioned if pair[1] not in known or pair[0] == pair[1]} == set()

    def test_no_short_references(self) -> None:
        """Other rows are named in full, so that a search finds them."""
        groups = "|".join(group.id for group in load().groups)
        short = re.compile(rf"(?<!CARP-)\b(?:{groups})-\d{{3}}\b")
        assert [row.id for row in ROWS if short.search(prose(row))] == []

    def test_measurements_name_recorded_systems(self) -> None:
        """`measured:` lists systems that were recorded, then an optional remark."""
        for row in ROWS:
            for source in row.sources:
                if source.startswith("measured:"):
                    match = re.fullmatch(r"measured: ([^(]+?)(?: \(.+\))?", source)
                    assert match, (row.id, source)
                    assert set(match[1].split(", ")) <= MEASURED, (row.id, source)

    def test_kind_and_level_agree(self) -> None:
        """What is demanded is MUST or SHOULD; a dialect or a hazard is never demanded."""
        free = (Kind.DIALECT, Kind.HAZARD)
        assert [row.id for row in ROWS if row.kind is Kind.REQUIREMENT and row.level is Level.MAY] == []
        assert [row.id for row in ROWS if row.kind in free and row.level is not Level.MAY] == []

    def test_what_is_core_or_must_hold_is_testable(self) -> None:
        """The core set has no untestable rows, and no MUST is untestable."""
        assert [row.id for row in ROWS if row.untestable and (row.core or row.level is Level.MUST)] == []

    def test_what_must_hold_on_the_wire_is_core(self) -> None:
        """A demanded MUST that needs nothing but the wire belongs to the first set to implement."""
        demanded = [row for row in ROWS if row.kind is Kind.REQUIREMENT and row.level is Level.MUST]
        assert [row.id for row in demanded if row.access is Access.WIRE and not row.core] == []
