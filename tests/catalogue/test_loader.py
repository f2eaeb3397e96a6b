"""The loader: what it reads, and what it says about files that can not be used."""

import dataclasses
from pathlib import Path

import pytest

from conformance.catalogue import Access, CatalogueError, Group, Kind, Level, Requirement, load
from conformance.catalogue.loader import FILES, read

FOLDER = Path(__file__).parents[2] / "conformance" / "catalogue"
GROUP = '[group]\nid = "RX"\ntitle = "Input"\nabout = "What is believed."\n'
ROW = {
    "id": '"CARP-RX-001"',
    "level": '"MUST"',
    "kind": '"requirement"',
    "core": "true",
    "text": '"A wrong TTL is refused."',
    "holds_for": '["openbsd", "ucarp"]',
    "sources": '["measured: openbsd-8.0beta"]',
    "test": '"TTL 254"',
    "access": '"wire"',
}


def rx(*rows: dict[str, str]) -> list[tuple[str, str]]:
    """Return one file rx.toml with these rows, values as they stand in TOML."""
    tables = (
        "\n[[requirement]]\n" + "".join(f"{key} = {value}\n" for key, value in row.items()) for row in rows
    )
    return [("rx.toml", GROUP + "".join(tables))]


class TestReading:
    """A well-formed file becomes frozen facts."""

    def test_a_row_without_options(self) -> None:
        """What a row leaves out reads as empty or absent."""
        assert read(rx(ROW))["CARP-RX-001"] == Requirement(
            id="CARP-RX-001",
            level=Level.MUST,
            kind=Kind.REQUIREMENT,
            core=True,
            text="A wrong TTL is refused.",
            holds_for=frozenset({"openbsd", "ucarp"}),
            notes="",
            sources=("measured: openbsd-8.0beta",),
            test="TTL 254",
            access=Access.WIRE,
            counter=None,
            untestable=None,
            group="RX",
        )

    def test_a_row_with_options(self) -> None:
        """Notes, counter and untestable arrive as they were written."""
        options = {"notes": '"None."', "counter": '"badttl"', "untestable": '"No rung has it."'}
        requirement = read(rx(ROW | options))["CARP-RX-001"]
        assert (requirement.notes, requirement.counter, requirement.untestable) == (
            "None.",
            "badttl",
            "No rung has it.",
        )

    def test_the_group(self) -> None:
        """The group table becomes a Group."""
        assert read(rx(ROW)).groups == (Group("RX", "Input", "What is believed."),)

    def test_facts_are_frozen(self) -> None:
        """Nobody can change a requirement."""
        with pytest.raises(dataclasses.FrozenInstanceError):
            read(rx(ROW))["CARP-RX-001"].core = False  # type: ignore[misc]

    def test_the_packaged_catalogue_is_read_once(self) -> None:
        """The second call returns the same object."""
        assert load() is load()

    def test_every_file_of_the_folder_is_read(self) -> None:
        """A file that the loader does not list would be dead."""
        assert sorted(path.name for path in FOLDER.glob("*.toml")) == sorted(FILES)

    def test_iteration_follows_the_files(self) -> None:
        """Groups come in reading order, and rows of a group stay together."""
        catalogue = load()
        order = list(dict.fromkeys(requirement.group for requirement in catalogue))
        assert (
            order
            == [group.id for group in catalogue.groups]
            == [name.removesuffix(".toml").upper() for name in FILES]
        )


class TestRefusals:
    """A file that can not be used is refused with what, where and how to mend."""

    @pytest.mark.parametrize("key", sorted(ROW.keys() - {"id"}))
    def test_a_missing_key(self, key: str) -> None:
        """The message names the row and the key."""
        row = {name: value for name, value in ROW.items() if name != key}
        with pytest.raises(CatalogueError, match=rf"rx\.toml, CARP-RX-001: {key} is missing; add it\."):
            read(rx(row))

    def test_a_missing_id(self) -> None:
        """Without an id the row is named by its place."""
        row = {name: value for name, value in ROW.items() if name != "id"}
        with pytest.raises(CatalogueError, match=r"\[\[requirement\]\] number 2: id is missing"):
            read(rx(ROW, row))

    @pytest.mark.parametrize(
        ("key", "value", "problem"),
        [
            ("id", "7", "id must be a text"),
            ("id", '"RX-001"', "must read CARP-RX- and three digits"),
            ("id", '"CARP-RX-1"', "must read CARP-RX- and three digits"),
            ("id", '"CARP-ARP-001"', "must read CARP-RX- and three digits"),
            ("level", '"must"', "level is 'must'; use one of MUST, SHOULD, MAY"),
            ("kind", '"wish"', "kind is 'wish'; use one of requirement, dialect, observation, hazard"),
            ("access", '"telnet"', "access is 'telnet'; use one of wire,"),
            ("core", '"yes"', "core must be true or false"),
            ("core", "1", "core must be true or false"),
            ("text", '""', "text must be a text and not empty"),
            ("holds_for", "[]", "holds_for must be a list of texts and not empty"),
            ("holds_for", '["solaris"]', "holds_for names 'solaris'; use only freebsd-legacy,"),
            ("sources", "[1]", "sources must be a list of texts"),
            ("sources", '[""]', "sources must be a list of texts"),
            ("notes", '""', "notes must be a text and not empty"),
            ("counter", '"badluck"', "counter 'badluck' is not in carpstats; use one of ipackets,"),
            ("colour", '"red"', "'colour' is not known"),
        ],
    )
    def test_a_wrong_value(self, key: str, value: str, problem: str) -> None:
        """The problem is said in one sentence, and the file is named."""
        with pytest.raises(CatalogueError) as caught:
            read(rx(ROW | {key: value}))
        assert problem in caught.value.problem
        assert caught.value.file == "rx.toml"
        assert str(caught.value) == f"rx.toml, {caught.value.where}: {caught.value.problem}"

    def test_an_id_given_twice(self) -> None:
        """Ids are never reused, in one file or over two."""
        with pytest.raises(CatalogueError, match=r"CARP-RX-001: the id is already taken in rx\.toml"):
            read(rx(ROW, ROW))

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("[group", "not TOML"),
            (GROUP, "tables are needed"),
            ("[[requirement]]\n", "tables are needed"),
            ("requirement = 3\n" + GROUP, "tables are needed"),
            ("requirement = [3]\n" + GROUP, "this is not a table"),
            ("colour = 1\n" + GROUP, "'colour' is not known"),
            (GROUP.replace("about", "motto") + "[[requirement]]\n", "exactly the texts"),
            (GROUP.replace('"Input"', '""') + "[[requirement]]\n", "exactly the texts"),
            (GROUP.replace('"RX"', '"ARP"') + "[[requirement]]\n", "belongs in arp.toml"),
        ],
    )
    def test_a_file_of_another_shape(self, text: str, problem: str) -> None:
        """Trouble above the rows is located at the top level, the group or the file."""
        with pytest.raises(CatalogueError) as caught:
            read([("rx.toml", text)])
        assert problem in caught.value.problem
