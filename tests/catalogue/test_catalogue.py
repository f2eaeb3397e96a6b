"""The catalogue object: look up, select by prefix, fingerprint."""

import pytest

from conformance.catalogue import Catalogue, UnknownSelection, load
from conformance.catalogue.loader import read

TOML = """
[group]
id = "RX"
title = "Input"
about = "What is believed."

[[requirement]]
id = "CARP-RX-001"
level = "MUST"
kind = "requirement"
core = true
text = "A wrong TTL is refused."
holds_for = ["openbsd", "ucarp"]
sources = ["one", "two"]
test = "TTL 254"
access = "wire"
"""

SAME = """
requirement = [{access='wire', test='TTL 254', sources=['one', 'two'], holds_for=['ucarp', 'openbsd'],
text='A wrong TTL is refused.', core=true, kind='requirement', level='MUST', id='CARP-RX-001'}]  # one line
group = {about='What is believed.', title='Input', id='RX'}
""".replace(",\n", ", ")


def ids(catalogue: Catalogue, *prefixes: str) -> list[str]:
    """Return the ids that these prefixes select."""
    return [requirement.id for requirement in catalogue.select(prefixes)]


class TestLookUp:
    """Access by exact id."""

    def test_by_id(self) -> None:
        """Indexing returns the row of that id."""
        assert load()["CARP-AUTH-003"].id == "CARP-AUTH-003"

    def test_only_exact_ids_are_members(self) -> None:
        """A prefix is not a member, and looking it up fails."""
        catalogue = load()
        assert "CARP-AUTH-003" in catalogue
        assert "AUTH-003" not in catalogue
        with pytest.raises(KeyError):
            catalogue["AUTH-003"]

    def test_length_and_iteration_agree(self) -> None:
        """Iterating yields every requirement once."""
        catalogue = load()
        assert tuple(catalogue) == catalogue.requirements
        assert len(catalogue) == len({requirement.id for requirement in catalogue}) > 150


class TestSelection:
    """Any prefix of an id selects."""

    @pytest.mark.parametrize(
        "prefix", ["AUTH-003", "CARP-AUTH-003", "auth-003", "Carp-Auth-003", " AUTH-003 "]
    )
    def test_one_row(self, prefix: str) -> None:
        """With or without CARP-, in any case."""
        assert ids(load(), prefix) == ["CARP-AUTH-003"]

    def test_a_group(self) -> None:
        """A group's name selects its rows and no others."""
        assert {requirement.group for requirement in load().select(["AUTH"])} == {"AUTH"}

    def test_a_decade(self) -> None:
        """AUTH-01 selects 010 to 019."""
        assert ids(load(), "AUTH-01") == [f"CARP-AUTH-{number:03}" for number in range(10, 20)]

    def test_a_letter_may_name_several_groups(self) -> None:
        """A selects ARP and AUTH."""
        assert {requirement.group for requirement in load().select(["A"])} == {"ARP", "AUTH"}

    def test_several_prefixes_select_each_row_once_in_catalogue_order(self) -> None:
        """The order and the overlap of the prefixes do not show."""
        assert ids(load(), "ELECT-001", "AUTH-002", "AUTH-00", "WIRE-001") == [
            "CARP-WIRE-001",
            *(f"CARP-AUTH-{number:03}" for number in range(1, 10)),
            "CARP-ELECT-001",
        ]

    @pytest.mark.parametrize("prefixes", [(), ("CARP",), ("carp-",)])
    def test_everything(self, prefixes: tuple[str, ...]) -> None:
        """No prefix, or the part that all ids share, selects all."""
        assert load().select(prefixes) == load().requirements

    @pytest.mark.parametrize(
        ("prefix", "near"),
        [
            ("ATUH", ("AUTH",)),
            ("ATUH-003", ("AUTH-003",)),
            ("ELEC-001", ("ELECT-001",)),
            ("CARP-ELCET", ("ELECT",)),
            ("QQQQ", ()),
            ("", ()),
        ],
    )
    def test_unknown(self, prefix: str, near: tuple[str, ...]) -> None:
        """What selects nothing is refused, with what it may have meant first."""
        with pytest.raises(UnknownSelection) as caught:
            load().select(["AUTH", prefix])
        assert caught.value.selection == prefix
        assert caught.value.near[: len(near) or None] == near
        assert repr(prefix) in str(caught.value)
        assert all(word in str(caught.value) for word in (near or ("AUTH-003",)))

    def test_a_number_that_the_group_lacks_offers_numbers_of_that_group(self) -> None:
        """AUTH-999 does not exist; the offers do."""
        with pytest.raises(UnknownSelection) as caught:
            load().select(["AUTH-999"])
        assert caught.value.near
        assert all(load().select([id]) for id in caught.value.near)


class TestDigest:
    """The fingerprint depends on the content only."""

    def test_layout_does_not_matter(self) -> None:
        """Order of keys, quoting, comments and the order of holds_for leave it alone."""
        assert read([("rx.toml", TOML)]).digest() == read([("rx.toml", SAME)]).digest()

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("A wrong TTL", "A bad TTL"),
            ('"MUST"', '"SHOULD"'),
            ('"requirement"\ncore', '"observation"\ncore'),
            ("core = true", "core = false"),
            ('["openbsd", "ucarp"]', '["openbsd"]'),
            ('["one", "two"]', '["two", "one"]'),
            ('"TTL 254"', '"TTL 1"'),
            ('"wire"', '"netstat"'),
            ("CARP-RX-001", "CARP-RX-002"),
            ('"Input"', '"Output"'),
            ("believed", "doubted"),
            ('"wire"\n', '"wire"\ncounter = "badttl"\n'),
            ('"wire"\n', '"wire"\nuntestable = "No."\n'),
            ('"wire"\n', '"wire"\nnotes = "No."\n'),
        ],
    )
    def test_content_matters(self, old: str, new: str) -> None:
        """Every field takes part."""
        assert old in TOML
        assert read([("rx.toml", TOML)]).digest() != read([("rx.toml", TOML.replace(old, new))]).digest()

    def test_it_is_sha256_and_repeatable(self) -> None:
        """64 hexadecimal digits, the same each time."""
        digest = load().digest()
        assert len(bytes.fromhex(digest.removeprefix("sha256:"))) == 32
        assert load().digest() == digest

    def test_a_known_value(self) -> None:
        """The digest of one small catalogue is pinned, so that certificates stay comparable."""
        assert (
            read([("rx.toml", TOML)]).digest()
            == "sha256:e9431be278f7bb6a60a8327444fdb529c1d8560e1b128c52d9ee6ffc355e2786"
        )
