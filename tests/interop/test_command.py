"""The commands: what they write, print and refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance.commands.errors import CommandError
from conformance.commands.matrix import Order, print_matrix, run_matrix, run_nightly, write_site
from conformance.interop.nightly import Part


def order(targets: str, out: Path | None, **more: object) -> Order:
    fields = {"scenarios": None, "rung": None, "runs": 1, "lanes": 1} | more
    return Order.of(
        targets, fields["scenarios"], out, fields["rung"], fields["runs"], fields["lanes"], quiet=True
    )  # type: ignore[arg-type]


def test_a_matrix_lands_in_its_folder_and_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document, folder = run_matrix(
        order("model:openbsd, model:freebsd", tmp_path / "m", scenarios="demote,join"), []
    )
    assert folder == tmp_path / "m" and json.loads((folder / "results.json").read_text()) == document
    assert document["machine"]["kernel"]
    print_matrix(document, folder)
    said = capsys.readouterr().out
    assert "hazard       demote: model:openbsd × model:freebsd: demote-byte: at the end a is MASTER" in said
    assert said.rstrip().endswith(f"7 pass, 1 hazard; {folder}")
    assert (tmp_path / "site/index.html") in write_site([folder], tmp_path / "site")
    with pytest.raises(CommandError, match="holds the results of a matrix already"):
        run_matrix(order("model:openbsd", tmp_path / "m"), [])


@pytest.mark.parametrize(
    ("targets", "more", "said"),
    [
        (" , ", {}, "--targets names nobody"),
        ("model:ucarp,model:ucarp", {}, "names an implementation twice"),
        ("model:ucarp", {"scenarios": "flood"}, "no scenario 'flood'"),
        ("ucarp", {"rung": "sim"}, "cannot meet on one segment"),
        ("model:ucarp,freebsd", {}, "run on different rungs"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    tmp_path: Path, targets: str, more: dict[str, str], said: str
) -> None:
    with pytest.raises(CommandError, match=said):
        run_matrix(order(targets, tmp_path / "m", **more), [])


def test_machines_of_two_systems_need_one_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.lab.hypervisor.answers", lambda: False)
    with pytest.raises(
        CommandError, match="machines of freebsd and openbsd would each come up on a network of their own"
    ) as raised:
        run_matrix(order("freebsd,openbsd", tmp_path / "m"), [])
    assert raised.value.status == 3


def test_a_site_needs_results(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="there is no results.json in it"):
        write_site([tmp_path], tmp_path / "site")


def test_a_night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "conformance.interop.nightly.nightly.__kwdefaults__",
        {"parts": [Part("sim", ("model:ucarp",), ("join",))], "lanes": None, "machine": None, "commit": None},
    )
    assert run_nightly(tmp_path / "nights", tmp_path / "site") == 0
    assert (tmp_path / "site/badges/model_3a_ucarp.svg").is_file()
