"""The committed list of ids: given once, never renumbered, never reused."""

from pathlib import Path

from conformance.catalogue import load

LIST = Path(__file__).parents[2] / "conformance" / "catalogue" / "ids.txt"
ORIGINAL = Path(__file__).with_name("original-ids.txt")


def given() -> list[tuple[str, str]]:
    """Return (id, remark) for each line of the list."""
    parts = (line.partition(" ") for line in LIST.read_text("utf-8").splitlines())
    return [(id, remark) for id, _, remark in parts]


def test_every_requirement_is_listed() -> None:
    """A new requirement is added to the list; a withdrawn id is not taken again."""
    living = {id for id, remark in given() if not remark}
    assert {requirement.id for requirement in load()} - living == set()


def test_every_listed_id_lives_or_is_withdrawn() -> None:
    """A requirement does not vanish silently: its line then says withdrawn."""
    assert {remark for _, remark in given()} <= {"", "withdrawn"}
    assert {id for id, remark in given() if not remark} - {requirement.id for requirement in load()} == set()


def test_the_list_is_sorted_and_has_no_duplicates() -> None:
    """So that two branches that add ids meet in the same place."""
    ids = [id for id, _ in given()]
    assert ids == sorted(set(ids))


def test_numbers_of_a_group_have_no_holes() -> None:
    """The next number is the last one plus one, withdrawn ones counted."""
    for group in load().groups:
        numbers = [int(id[-3:]) for id, _ in given() if id.startswith(f"CARP-{group.id}-")]
        assert numbers == list(range(1, len(numbers) + 1)), group.id


def test_rows_stand_in_the_order_of_their_numbers() -> None:
    """Within a file the reader finds a number by its place."""
    for group in load().groups:
        ids = [requirement.id for requirement in load() if requirement.group == group.id]
        assert ids == sorted(ids), group.id


def test_the_first_catalogue_is_kept() -> None:
    """All ids of the first catalogue are known still."""
    assert set(ORIGINAL.read_text("utf-8").split()) - {id for id, _ in given()} == set()


def test_the_first_catalogue_had_347_rows() -> None:
    """The list that the test above walks is whole."""
    assert len(set(ORIGINAL.read_text("utf-8").split())) == 347
