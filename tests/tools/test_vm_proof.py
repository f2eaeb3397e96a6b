"""The recorded proof of the path through virtual machines: it holds for the files that it was made with, and for no others."""

import importlib.util
import json
from pathlib import Path

import pytest

_SPEC = importlib.util.spec_from_file_location("vm_proof", Path(__file__).parents[2] / "tools/vm_proof.py")
vm_proof = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(vm_proof)


def run(**summary):
    counts = {"pass": 3, "fail": 0, "inconclusive": 1, "error": 0} | summary
    return {
        "target": {"name": "ucarp-vm", "rung": "vm"},
        "summary": counts,
        "started": "then",
        "ended": "now",
        "lanes": 2,
    }


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "vagrant").mkdir()
    (tmp_path / "vagrant/Vagrantfile").write_text("one")
    return tmp_path


class TestProof:
    def test_without_a_record_the_path_is_run(self, tree):
        assert vm_proof._check(tree) == 1

    def test_holds_for_the_files_that_it_was_made_with(self, tree, capsys):
        assert vm_proof._judge(tree, run(), record=True) == 0
        assert vm_proof._check(tree) == 0
        assert "skipped" in capsys.readouterr().out

    def test_ends_with_a_change_of_one_of_them(self, tree):
        vm_proof._judge(tree, run(), record=True)
        (tree / "vagrant/Vagrantfile").write_text("two")
        assert vm_proof._check(tree) == 1

    def test_judging_alone_records_nothing(self, tree):
        assert vm_proof._judge(tree, run(), record=False) == 0
        assert not (tree / vm_proof.PROOF).exists()

    @pytest.mark.parametrize("change", [{"fail": 1}, {"error": 1}, {"pass": 0}], ids=str)
    def test_a_run_that_shows_nothing_is_no_proof(self, tree, change):
        assert vm_proof._judge(tree, run(**change), record=True) == 1
        assert not (tree / vm_proof.PROOF).exists()

    def test_a_run_elsewhere_is_no_proof(self, tree):
        assert vm_proof._judge(tree, run() | {"target": {"name": "ucarp", "rung": "netns"}}, record=True) == 1

    def test_every_pattern_names_a_file_of_the_project(self):
        root = Path(__file__).parents[2]
        assert [pattern for pattern in vm_proof.INPUTS if not list(root.glob(pattern))] == []
