"""What the commands print for people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from conformance.commands.progress import MARKS, STYLES
from conformance.report import invariants
from conformance.report.visible import all_visible, visible
from conformance.report.words import sentence
from conformance.targets.protocol import CAPABILITIES

Document = Mapping[str, Any]
_TOLD = ("id", "title", "requirements", "reason", "frames", "evidence", "detail", "reproduce")
_MOST_BREACHES = 4
_WORDS = {
    "pass": "passed",
    "known_deviation": "known deviations",
    "fail": "failed",
    "error": "errors",
    "inconclusive": "inconclusive",
    "not_applicable": "not applicable",
}


def print_run(document: Document, folder: Path) -> None:
    """A table of groups, every case that did not pass with what was expected and seen, one summary line and where the report is."""
    console = Console(highlight=False)
    table = Table(
        "group",
        *(Column(name, header_style=STYLES[word], justify="right") for word, name in _WORDS.items()),
        box=None,
        pad_edge=False,
    )
    groups: dict[str, dict[str, int]] = {}
    for case in document["cases"]:
        counts = groups.setdefault(case["group"], dict.fromkeys(_WORDS, 0))
        counts[case["verdict"]] += 1
    for group, counts in sorted(groups.items()):
        table.add_row(visible(group), *(str(counts[word] or "·") for word in _WORDS))
    console.print(table)
    for word in ("known_deviation", "inconclusive", "error", "fail"):
        _print_cases(console, document, word)
    _print_invariants(console, document)
    headline, detail = sentence(document)
    counted = ", ".join(
        f"{document['summary'][word]} {name}" for word, name in _WORDS.items() if document["summary"][word]
    )
    console.print()
    console.print(Text(f"{headline}. {detail}", style="bold"))
    console.print(
        f"{counted or 'no case was run'}; {document['duration_s']:.1f} s (the cases one after the other: {document['cases_duration_s']:.0f} s)"
    )
    console.print(f"report: {visible(str(folder / 'index.html'))}", soft_wrap=True, markup=False)


def _print_invariants(console: Console, document: Document) -> None:
    """What the monitors saw broken, beside what the cases decide."""
    for row in document["invariants"]:
        if row["verdict"] == "pass":
            continue
        console.print()
        console.print(
            Text(f"{MARKS[row['verdict']]} {row['id']}", style=STYLES[row["verdict"]]),
            Text(f"(watched in {row['cases']} cases)", style="dim"),
        )
        told = list(invariants.account(row))
        for line in told[:_MOST_BREACHES]:
            console.print(f"  {line}", markup=False)
        if len(told) > _MOST_BREACHES:
            console.print(f"  and {len(told) - _MOST_BREACHES} more")


def _print_cases(console: Console, document: Document, word: str) -> None:
    for row in document["cases"]:
        if row["verdict"] != word:
            continue
        case = all_visible({key: row[key] for key in _TOLD})
        console.print()
        console.print(
            Text(f"{MARKS[word]} {case['id']}", style=STYLES[word]),
            Text(f"({', '.join(case['requirements'])})", style="dim"),
        )
        console.print(f"  {case['title']}", markup=False)
        if word == "known_deviation":
            console.print(f"  known: {case['reason']}", markup=False)
            continue
        console.print(f"  {case['reason']}", markup=False)
        if case["frames"] and case["evidence"]:
            console.print(
                f"  frames {', '.join(map(str, case['frames']))} of {case['evidence']}", markup=False
            )
        for line in case["detail"].splitlines():
            console.print(f"  | {line}", markup=False, soft_wrap=True)
        console.print(f"  again: {case['reproduce']}", markup=False, soft_wrap=True)


def print_list(document: Document) -> None:
    """Requirements, each with its cases below it or the reason why it has none."""
    console = Console(highlight=False)
    titles = {case["id"]: case["title"] for case in document["cases"]}
    for row in document["requirements"]:
        console.print(Text.assemble((row["id"], "bold"), " ", (row["level"], "cyan"), f"  {row['text']}"))
        for case in row["cases"]:
            console.print(Text.assemble(f"    {case}  ", (titles[case], "dim")))
        if row["untestable"]:
            console.print(Text(f"    untestable: {row['untestable']}", style="dim"))
        elif not row["cases"] and not row["monitors"]:
            console.print(Text("    no case yet", style="yellow"))
    covered = sum(1 for row in document["requirements"] if row["cases"] or row["monitors"])
    console.print(
        f"\n{len(document['requirements'])} requirements, {covered} with a case or a monitor; {len(document['cases'])} cases"
    )


def print_targets(document: Document) -> None:
    """One line a target."""
    console = Console(highlight=False)
    table = Table(
        Column("target", no_wrap=True),
        Column("rung", no_wrap=True),
        Column("dialect", no_wrap=True),
        Column("can", no_wrap=True),
        "descends from",
        box=None,
        pad_edge=False,
    )
    for row in document["targets"]:
        can = f"{sum(row['pics'].values())} of {len(CAPABILITIES)}" if row["pics"] else "as declared"
        table.add_row(row["name"], row["rung"], row["dialect"], can, row["origin"])
    console.print(table)
    console.print("\nWhat each can do, by capability: --json", soft_wrap=True)


def print_mutants(document: Document) -> None:
    """One line a mutant: the case that killed it, or that it survived; then the score."""
    console = Console(highlight=False)
    for row in document["mutants"]:
        if row["killed"]:
            console.print(
                Text.assemble(("✔ ", "green"), row["id"], ("  " + ", ".join(row["killed_by"]), "dim")),
                soft_wrap=True,
            )
            if row["unproven"]:
                console.print(
                    Text(
                        f"    none of the cases of {', '.join(row['unproven'])} noticed it", style="bold red"
                    ),
                    soft_wrap=True,
                )
            continue
        fate = (
            f"noticed only by a case of other requirements: {', '.join(row['unrelated'])}"
            if row["unrelated"]
            else "survived every case"
        )
        console.print(
            Text.assemble(
                ("✘ ", "bold red"),
                f"{row['id']} ({', '.join(row['violates'])}): {row['about']}: ",
                (fate, "bold"),
            ),
            soft_wrap=True,
        )
    summary = document["summary"]
    console.print(
        f"\n{summary['killed']} of {summary['total']} mutants killed, {summary['survived']} survived"
    )
    if summary["unproven"]:
        console.print(f"{summary['unproven']} are said to violate a requirement whose cases pass")


def print_doctor(document: Document) -> None:
    """One line a check, the remedy below what is missing."""
    console = Console(highlight=False)
    for check in document["checks"]:
        mark = ("✔", "green") if check["ok"] else ("–", "dim") if check["optional"] else ("✘", "bold red")
        console.print(Text.assemble(mark, f" {check['what']}"))
        if check["remedy"]:
            console.print(f"    {check['remedy']}", markup=False)
