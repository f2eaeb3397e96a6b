"""The reader of fenced blocks does what the pages rely on."""

from __future__ import annotations

from pathlib import Path

import pytest
from blocks import Block, agrees, environment, packed, run_console, steps


def console(text: str) -> Block:
    return Block("page.md", 1, "console", text)


class TestSteps:
    def test_a_step_is_a_command_with_its_output(self) -> None:
        assert [(s.command, s.output) for s in steps(console("$ one\na\nb\n$ two\n"))] == [
            ("one", ("a", "b")),
            ("two", ()),
        ]

    def test_a_backslash_continues_a_command(self) -> None:
        assert [s.command for s in steps(console("$ one \\\n    --more\nout\n"))] == ["one  --more"]

    def test_output_before_any_command_is_refused(self) -> None:
        with pytest.raises(AssertionError, match="begins with"):
            list(steps(console("output\n$ one\n")))


class TestAgrees:
    @pytest.mark.parametrize(
        ("said", "expected"),
        [
            ("", ()),
            ("a\n", ("a",)),
            ("a 1.2 s b\n", ("a … b",)),
            ("a\nx\ny\nb\n", ("a", "…", "b")),
            ("a\nb\n", ("a", "…", "b")),
            ("a  \n", ("a",)),
        ],
    )
    def test_the_same(self, said: str, expected: tuple[str, ...]) -> None:
        assert agrees(said, expected)

    @pytest.mark.parametrize(
        ("said", "expected"),
        [("a\n", ()), ("", ("a",)), ("a\nb\n", ("a",)), ("axb\n", ("a.b",)), ("a\nc\n", ("a", "…", "b"))],
    )
    def test_something_else(self, said: str, expected: tuple[str, ...]) -> None:
        assert not agrees(said, expected)


class TestConsole:
    def test_a_status_is_passed_on_to_the_next_command(self, tmp_path: Path) -> None:
        run_console(console("$ (exit 3)\n$ echo $?\n3\n"), tmp_path, environment(tmp_path))

    def test_a_failure_that_is_not_announced_is_one(self, tmp_path: Path) -> None:
        with pytest.raises(AssertionError, match="status 3"):
            run_console(console("$ (exit 3)\n$ echo on\non\n"), tmp_path, environment(tmp_path))

    def test_other_output_is_a_failure(self, tmp_path: Path) -> None:
        with pytest.raises(AssertionError, match="the page says"):
            run_console(console("$ echo one\ntwo\n"), tmp_path, environment(tmp_path))

    def test_it_runs_in_the_folder(self, tmp_path: Path) -> None:
        run_console(console("$ touch here\n"), tmp_path, environment(tmp_path))
        assert (tmp_path / "here").exists()


def test_packed_text_does_not_depend_on_the_formatter() -> None:
    assert packed("f(\n    a,\n    b,\n)\n") == packed("f(a, b)")


def test_packed_text_does_not_depend_on_a_measured_duration() -> None:
    assert packed("@takes(8)") == packed("@takes( 10.5 )") != packed("@hosts(8)")
