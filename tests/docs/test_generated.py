"""The generated pages say what the code says, completely, and in Markdown that cannot break."""

from __future__ import annotations

import json
import re
from pathlib import Path

import generate
import pytest
from blocks import ROOT
from cells import code, family, plain, table
from dialects_page import CHAPTERS

import conformance.report
from conformance.catalogue import load
from conformance.model.dialects import ROWS
from conformance.model.mutants import MUTANTS
from conformance.segment import segment
from conformance.targets.protocol import CAPABILITIES
from conformance.wire.malformations import MALFORMATIONS


@pytest.mark.parametrize("name", generate.COMMITTED)
def test_committed_page_is_what_the_code_says(name: str) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == generate.COMMITTED[name](), (
        "python docs/generate.py writes it again"
    )


@pytest.mark.parametrize(
    "page", [*generate.BUILT.values(), *generate.COMMITTED.values()], ids=lambda page: page.__name__
)
def test_every_row_of_every_table_has_as_many_cells_as_its_head(page) -> None:
    columns = 0
    for line in page().splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert not columns or not cells or cells == columns, line
        columns = cells


def test_requirements_has_each_once_with_an_anchor() -> None:
    page = generate.requirements()
    for one in load():
        assert page.count(f'<span id="{one.id.lower()}"></span>') == 1


def test_each_case_is_linked_to_a_row() -> None:
    anchors = re.findall(r'<span id="([^"]+)"', generate.cases())
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r'cases\.html#([^"]+)"', generate.requirements())) == set(anchors)


def test_malformations_are_counted_once_each() -> None:
    rows = [line for line in generate.malformations().splitlines() if line.startswith("| `")]
    assert sum(
        int(counted[1]) if (counted := re.search(r", (\d+) in all", row)) else 1 for row in rows
    ) == len(MALFORMATIONS)


def test_capabilities_has_each() -> None:
    assert [
        re.match(r"\| `(\w+)`", line)[1]
        for line in generate.capabilities().splitlines()
        if line.startswith("| `")
    ] == list(CAPABILITIES)


def test_mutants_has_each() -> None:
    assert sorted(re.findall(r"^\| `([^`]+)`", generate.mutants(), re.MULTILINE)) == sorted(
        mutant.id for mutant in MUTANTS
    )


def test_untestable_has_each_with_its_reason() -> None:
    page = generate.untestable()
    for one in load():
        assert (one.id.lower() in page) == (one.untestable is not None)


def test_dialects_has_each_rule_in_one_chapter() -> None:
    assert sorted(row.name for _, rows in CHAPTERS for row in rows) == sorted(row.name for row in ROWS)


def test_a_page_is_written_only_when_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    generate.write(tmp_path, {"page.md": lambda: "one"})
    before = path.stat().st_mtime_ns
    generate.write(tmp_path, {"page.md": lambda: "one"})
    assert path.stat().st_mtime_ns == before
    generate.write(tmp_path, {"page.md": lambda: "two"})
    assert path.read_text(encoding="utf-8") == "two"


def test_files_page_names_every_field_of_the_results() -> None:
    """The page is written by hand; the schema is what it describes."""
    schema = json.loads(
        (Path(conformance.report.__file__).parent / "schema" / "results.schema.json").read_text(
            encoding="utf-8"
        )
    )
    page = (ROOT / "docs/reference/files.md").read_text(encoding="utf-8")
    for fields in (
        schema["properties"],
        schema["$defs"]["case"]["properties"],
        schema["$defs"]["requirement"]["properties"],
    ):
        for name in fields:
            assert f"`{name}`" in page, name


def test_the_numbers_of_the_inconclusive_rule_are_the_codes() -> None:
    read = (ROOT / "docs/how-to/read-a-report.md").read_text(encoding="utf-8")
    assert f"{segment.NOISE_FACTOR} times the noise" in read
    assert f"stepped by {segment.CLOCK_STEP_NS // 1_000_000} ms or more" in read
    assert f"looked on for {segment.LOOK_ON_NS // 1_000_000_000} s past its deadline" in read
    design = (ROOT / "docs/design.md").read_text(encoding="utf-8")
    assert f"timers every {segment.HEARTBEAT_NS // 1_000_000} ms" in design


class TestMarkdown:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("a | b", r"a \| b"),
            ("3 * x", r"3 \* x"),
            ("a_b", "a_b"),
            ("_a_", r"\_a\_"),
            ("<7>", r"\<7\>"),
            ("`a|b` *", r"`a\|b` \*"),
            ("a\n b", "a b"),
        ],
    )
    def test_plain_text_stays_text(self, text: str, shown: str) -> None:
        assert plain(text) == shown

    def test_code(self) -> None:
        assert code("a|b") == r"`a\|b`"

    def test_table(self) -> None:
        assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |\n"

    def test_family(self) -> None:
        assert family("digest-bit-19.7") == family("digest-bit-0.0")
