"""One matrix out of parts, and the legs of a night that make them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.commands.errors import CommandError
from conformance.commands.matrix import Order, merge_matrices
from conformance.interop.legs import legs
from conformance.interop.matrix import matrix
from conformance.interop.merge import DoNotMerge, machine_of, merged
from conformance.interop.order import MatrixOrder, tasks
from conformance.report.schema import validate
from conformance.report.site import build
from conformance.targets.registry import find, names

NAMES = ("model:openbsd", "model:freebsd", "model:ucarp")
ORDER = MatrixOrder(NAMES, ("join", "demote", "trio"))
TIMES = ("started", "ended")


def without_times(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in TIMES}


@pytest.fixture
def parts(tmp_path: Path) -> list[tuple[Path, dict[str, Any]]]:
    """The matrix as nine jobs make it, one for each ordered pair."""
    made = []
    for a in NAMES:
        for b in NAMES:
            folder = tmp_path / "parts" / f"{a}-{b}".replace(":", "-")
            made.append((folder, matrix(replace(ORDER, pair=(a, b)), folder, lanes=1)))
    return made


def test_parts_in_any_order_make_the_whole(parts: list[tuple[Path, dict[str, Any]]], tmp_path: Path) -> None:
    whole = matrix(ORDER, tmp_path / "whole", lanes=1)
    document, folder = merge_matrices([tmp_path / "parts"], tmp_path / "merged")
    validate(document, "matrix")
    assert without_times(document) == without_times(whole)
    assert json.loads((folder / "results.json").read_text()) == document
    assert {path.name for path in (folder / "evidence").iterdir()} == {
        path.name for path in (tmp_path / "whole/evidence").iterdir()
    }
    assert document["started"] == min(part["started"] for _, part in parts)
    order = {one["name"]: one for one in whole["implementations"]}
    assert {one["name"]: one for one in merged(parts[::-1])["implementations"]} == order


def test_a_missing_part_leaves_its_cells_out(
    parts: list[tuple[Path, dict[str, Any]]], tmp_path: Path
) -> None:
    document = merged(parts[1:])
    assert len(document["cells"]) == sum(len(part["cells"]) for _, part in parts[1:])
    folder = tmp_path / "night"
    folder.mkdir()
    (folder / "results.json").write_text(json.dumps(document))
    build([folder], tmp_path / "site")
    assert "not run" in (tmp_path / "site/index.html").read_text()


class TestRefusals:
    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"rung": "netns"}, "its rung is netns, not sim"),
            ({"suite": {"name": "x", "version": "9", "commit": None}}, "its suite is"),
            ({}, "another part has its cell join--model-openbsd--model-openbsd already"),
        ],
    )
    def test_parts_of_different_matrices(
        self, parts: list[tuple[Path, dict[str, Any]]], change: dict[str, Any], said: str
    ) -> None:
        with pytest.raises(DoNotMerge, match=said):
            merged([parts[0], (Path("other"), parts[0][1] | change)])

    def test_different_versions(self, parts: list[tuple[Path, dict[str, Any]]]) -> None:
        other = parts[1][1]
        other["implementations"][0]["version"] = "9.9"
        with pytest.raises(DoNotMerge, match=r"its model:openbsd is 9\.9, and another part's is"):
            merged([parts[0], (Path("other"), other)])

    def test_nothing_to_merge_and_nowhere_to_put_it(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="no results"):
            merge_matrices([tmp_path], tmp_path / "out")
        with pytest.raises(CommandError, match="--merge needs a folder"):
            merge_matrices([tmp_path], None)

    @pytest.mark.parametrize("pair", ["model:openbsd", "ucarp,model:openbsd", "a,b,c"])
    def test_a_pair_that_is_none(self, pair: str) -> None:
        with pytest.raises(CommandError, match=f"--pair {pair} does not name two of --targets"):
            Order.of(",".join(NAMES), None, None, None, 1, None, quiet=True, pair=pair)


def test_a_fact_is_told_once_or_for_all() -> None:
    assert machine_of([{"kernel": "6.1", "cores": 2}, {"kernel": "6.8", "cores": 2}]) == {
        "kernel": "6.1 / 6.8",
        "cores": 2,
    }


class TestLegs:
    def test_they_make_every_cell_once(self) -> None:
        found = legs((name, find(name)) for name in names())
        assert len({leg["name"] for leg in found}) == len(found)
        assert [leg["rung"] for leg in found].count("sim") == 1
        mixed = [leg for leg in found if leg["rung"] == "netns"]
        assert len(mixed) == 9 and "ucarp,model:openbsd" in {leg["pair"] for leg in mixed}
        ids: list[str] = []
        for leg in mixed:
            order = MatrixOrder(
                tuple(leg["targets"].split(",")), ("join",), "netns", 1, pair=tuple(leg["pair"].split(","))
            )
            ids += [task.id for task in tasks(order, order.cast(), None)]
        assert len(set(ids)) == len(ids) == 9

    def test_machines_meet_in_ordered_pairs(self) -> None:
        class Machines:
            profile = find("ucarp").profile

            def machines(self, *, keep: bool, destroy: bool) -> None: ...

        class Guest:
            profile = find("model:openbsd").profile

        found = legs([("a", Machines()), ("b", Machines()), ("c", Guest())])  # type: ignore[list-item]
        assert [leg["pair"] for leg in found if leg["rung"] == "vm"] == ["a,a", "a,b", "b,a", "b,b"]
        assert [leg["targets"] for leg in found if leg["rung"] == "vm"] == ["a", "a,b", "b,a", "b"]
