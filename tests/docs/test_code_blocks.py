"""Every block of the documentation that can be run is run, in the order of its page."""

from __future__ import annotations

import os
import shutil
import tomllib
from pathlib import Path

import pytest
from blocks import ROOT, Block, blocks, environment, packed, pages, run_console

from conformance.targets.registry import find

NOT_RUN = ("git clone ", "cd ", "make ", "make\n", "pip install ", "pre-commit ", "tox ", "apt-get ")
"""What a ``sh`` block of docs/ may hold: what needs a network, or changes the machine."""
PAGES = pages()


def fenced(*languages: str) -> list[Block]:
    return [block for page in PAGES for block in blocks(page) if block.language in languages]


def test_there_are_pages_and_blocks() -> None:
    assert "docs/tutorial.md" in PAGES
    assert fenced("console")
    assert fenced("python")


@pytest.mark.parametrize("page", PAGES)
def test_no_block_is_of_a_kind_that_nobody_runs(page: str) -> None:
    kinds = (
        {"python", "console", "toml", "text", "sh", "{toctree}", "{include}"}
        if page.startswith("docs/")
        else {"sh", "console", "text"}
    )
    assert {block.language for block in blocks(page)} <= kinds


@pytest.mark.parametrize(
    "block", [block for block in fenced("sh") if block.page.startswith("docs/")], ids=str
)
def test_a_command_is_shown_without_being_run_only_if_it_needs_a_network(block: Block) -> None:
    for line in block.text.splitlines(keepends=True):
        assert line.startswith(NOT_RUN), f"{block}: make it a console block, which is run: {line!r}"


@pytest.mark.parametrize("block", fenced("toml"), ids=str)
def test_toml_can_be_read(block: Block) -> None:
    assert tomllib.loads(block.text)


@pytest.mark.parametrize(
    "block", [block for block in fenced("python", "toml", "console", "text") if block.use == "from"], ids=str
)
def test_what_is_quoted_stands_in_the_source(block: Block) -> None:
    assert packed(block.text) in packed((ROOT / block.path).read_text(encoding="utf-8")), (
        f"{block} is not, or no longer, in {block.path}"
    )


@pytest.mark.parametrize(
    "page", sorted({block.page for block in fenced("python", "console") if block.use != "from"})
)
def test_page_can_be_followed(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = [block for block in blocks(page) if block.use != "from"]
    _need([block.text for block in mine if block.language == "console"])
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    names: dict[str, object] = {"__name__": "page"}
    for block in mine:
        if block.use == "file":
            _write(tmp_path / block.path, block.text)
        elif block.language == "python":
            exec(compile("\n" * block.line + block.text, str(ROOT / page), "exec"), names)
        elif block.language == "console":
            run_console(block, tmp_path, environment(tmp_path))


def _need(consoles: list[str]) -> None:
    """Skips where this machine cannot do what a page does, except on CI, where it has to."""
    lacks = [
        program
        for program in ("tshark",)
        if any(f"{program} " in text for text in consoles) and shutil.which(program) is None
    ]
    if any("ucarp" in text for text in consoles):
        lacks += [what for what, _ in find("ucarp").lacks()]
    if lacks and os.environ.get("CI"):
        pytest.fail(f"CI has to run the pages: {', '.join(lacks)}")
    if lacks:
        pytest.skip(f"this machine cannot run the page: {', '.join(lacks)}")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    if path.name == "pyproject.toml":
        _install(path.parent, tomllib.loads(text)["project"])


def _install(folder: Path, project: dict) -> None:
    """Makes a distribution in ``folder`` known to Python, as pip would, without pip and its network."""
    facts = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n", encoding="utf-8"
    )
    lines = [
        line
        for group, points in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in points.items()))
    ]
    (facts / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
