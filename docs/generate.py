"""The reference pages, written from the code.

``python docs/generate.py`` writes all of them, the committed page of dialects included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from cells import code, family, plain, table
from dialects_page import dialects
from matrix_pages import hazards, scenarios
from pixit_page import pixit

from conformance.catalogue import Requirement, load
from conformance.catalogue.requirement import IMPLEMENTATIONS
from conformance.commands.listing import listing, targets
from conformance.model.mutants import MUTANTS
from conformance.targets.protocol import CAPABILITIES
from conformance.wire.malformations import MALFORMATIONS, Malformation

Document = Mapping[str, Any]
_SHOWN = 12


def requirements() -> str:
    """The catalogue, one table a group."""
    catalogue, listed = load(), {row["id"]: row for row in listing((), None)["requirements"]}
    levels = ", ".join(
        f"{sum(one.level is level for one in catalogue)} {level}"
        for level in dict.fromkeys(one.level for one in catalogue)
    )
    text = (
        f"# Requirements\n\n{len(catalogue)} requirements ({levels}). Ids are never renumbered or reused. "
        "*Holds for* names the implementations that are known to satisfy the text; a MAY binds only those.\n"
    )
    for group in catalogue.groups:
        rows = (
            [_requirement(one), _clause(one), _holds_for(one), _cover(one, listed[one.id])]
            for one in catalogue
            if one.group == group.id
        )
        shown = table(("id", "text", "holds for", "cases"), rows)
        text += f"\n## {group.id}: {group.title}\n\n{group.about}\n\n{shown}"
    return text


def _requirement(one: Requirement) -> str:
    return f'<span id="{one.id.lower()}"></span>{one.id}<br>**{one.level}**'


def _clause(one: Requirement) -> str:
    notes = f"<br>*{plain(one.notes)}*" if one.notes else ""
    return f"{plain(one.text)}{notes}<br><small>{plain('; '.join(one.sources))}</small>"


def _holds_for(one: Requirement) -> str:
    return (
        "all"
        if set(IMPLEMENTATIONS) <= one.holds_for
        else ", ".join(name for name in IMPLEMENTATIONS if name in one.holds_for) or "none"
    )


def _cover(one: Requirement, row: Document) -> str:
    if one.untestable:
        return f"untestable: {plain(one.untestable)}"
    cases = [
        f'<a href="cases.html#{_stem(stem).lower()}"><code>{_stem(stem)}</code></a>{_times(count)}'
        for stem, count in _stems(row["cases"])
    ]
    return "<br>".join([*cases, *(f"monitor {code(monitor)}" for monitor in row["monitors"])]) or "none yet"


def cases() -> str:
    """Every case, one row for those that differ only in parameters."""
    listed = listing((), None)["cases"]
    groups = {group.id: group.title for group in load().groups}
    text = (
        f"# Cases\n\n{len(listed)} cases; those that differ only in a parameter share a row. "
        "The part of an id before the dot is the first requirement that the case decides. "
        "*Needs* are [capabilities](capabilities.md).\n"
    )
    for group, title in groups.items():
        mine = sorted(
            (case for case in listed if case["id"].split("-")[0] == group), key=lambda case: _stem(case["id"])
        )
        if mine:
            shown = table(("case", "title", "decides", "needs"), _case_rows(mine))
            text += f"\n## {group}: {title}\n\n{shown}"
    return text


def _case_rows(mine: Iterable[Document]) -> Iterable[tuple[str, ...]]:
    for stem, members in groupby(mine, key=lambda case: _stem(case["id"])):
        alike = list(members)
        decides = dict.fromkeys(id for case in alike for id in case["requirements"])
        needs = dict.fromkeys(name for case in alike for name in case["needs"])
        yield (
            f'<span id="{stem.lower()}"></span>{code(stem)}{_parameters(stem, alike)}',
            plain(alike[0]["title"]),
            _links(decides),
            ", ".join(code(name) for name in needs),
        )


def _parameters(stem: str, alike: Iterable[Document]) -> str:
    """What cases of one stem differ in: all of it, or the first and the last where it is too much."""
    found = [code(case["id"].removeprefix(stem)) for case in alike if case["id"] != stem]
    if len(found) > _SHOWN:
        return f"<br>{found[0]} to {found[-1]}, {len(found)} in all"
    return "<br>" + " ".join(found) if found else ""


def malformations() -> str:
    """What the tester spoils, one row for a family of names that differ only in numbers."""
    rows = []
    for _, members in groupby(MALFORMATIONS, key=_alike):
        one, *more = members
        name = (
            code(one.name)
            if not more
            else f"{code(one.name)} to {code(more[-1].name)}, {len(more) + 1} in all"
        )
        rows.append(
            (
                name,
                plain(one.breaks) + (f"; to: {plain(more[-1].breaks)}" if more else ""),
                one.check.value,
                _links([one.requirement]),
            )
        )
    return (
        f"# Malformations\n\n{len(MALFORMATIONS)} named ways to spoil an advertisement "
        "(`conformance/wire/malformations.py`). Each frame is proved, before it is sent, to fail the one "
        "check of its row and no other, so that a refusal can have only that cause.\n\n"
        + table(("name", "what is wrong", "check", "demanded by"), rows)
    )


def _alike(one: Malformation) -> tuple[object, ...]:
    return family(one.name), one.check, one.requirement


def capabilities() -> str:
    """The vocabulary of PICS, who claims what, and how many cases depend on it."""
    known = targets()["targets"]
    needed = [name for case in listing((), None)["cases"] for name in case["needs"]]
    rows = [
        (
            code(name),
            plain(meaning),
            str(needed.count(name)),
            ", ".join(code(target["name"]) for target in known if target["pics"].get(name)) or "nobody",
        )
        for name, meaning in CAPABILITIES.items()
    ]
    return (
        "# Capabilities\n\nWhat an implementation, or the access to it, can do (its PICS: `CAPABILITIES` in "
        "`conformance/targets/protocol/profile.py`). A case that needs what a target does not claim is "
        "*not applicable* there.\n\n" + table(("capability", "meaning", "cases", "claimed by"), rows)
    )


def mutants() -> str:
    """The deliberate faults, one table a group."""
    text = (
        f"# Mutants\n\n{len(MUTANTS)} deliberate faults of the models. `carp-conformance mutants` runs the "
        "cases against each: one of a violated requirement's cases must fail.\n"
    )
    for group in sorted({mutant.group for mutant in MUTANTS}):
        rows = (
            (code(one.id), plain(one.about), one.dialect, _links(one.violates))
            for one in MUTANTS
            if one.group == group
        )
        text += f"\n## {group}\n\n{table(('mutant', 'fault', 'dialect', 'violates'), rows)}"
    return text


def untestable() -> str:
    """The rows of the catalogue that no rung can show; included by the page of non-goals."""
    rows = ((_links([one.id]), plain(one.text), plain(one.untestable)) for one in load() if one.untestable)
    return table(("id", "requirement", "why no case shows it"), rows)


def _links(ids: Iterable[str]) -> str:
    return " ".join(f'<a href="requirements.html#{id.lower()}">{id.removeprefix("CARP-")}</a>' for id in ids)


def _stem(case_id: str) -> str:
    return case_id.partition("[")[0]


def _stems(ids: Iterable[str]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for case_id in ids:
        counts[_stem(case_id)] = counts.get(_stem(case_id), 0) + 1
    return list(counts.items())


def _times(count: int) -> str:
    return f" ({count})" if count > 1 else ""


BUILT: Mapping[str, Callable[[], str]] = {
    "reference/requirements.md": requirements,
    "reference/cases.md": cases,
    "reference/malformations.md": malformations,
    "reference/capabilities.md": capabilities,
    "reference/mutants.md": mutants,
    "reference/pixit.md": pixit,
    "reference/_untestable.md": untestable,
    "reference/_hazards.md": hazards,
    "reference/_scenarios.md": scenarios,
}
"""Pages that each build writes; git ignores them."""

COMMITTED: Mapping[str, Callable[[], str]] = {"reference/dialects.md": dialects}
"""Pages that the repository's front page links to; a test proves that they are up to date."""


def write(folder: Path, pages: Mapping[str, Callable[[], str]] = BUILT) -> None:
    """Writes ``pages`` below ``folder``, each only if its text changed: Sphinx reads again what is newer."""
    for name, page in pages.items():
        path, text = folder / name, page()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(__file__).parent, {**BUILT, **COMMITTED})
