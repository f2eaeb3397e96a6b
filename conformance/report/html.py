"""The HTML report of a run: one self-contained page that opens from disk and asks nobody for anything."""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final

import jinja2
from markupsafe import Markup

from conformance import catalogue as shipped
from conformance.catalogue import Catalogue, Group, Requirement
from conformance.report import words
from conformance.report.casepage import Allowance, case_page, count_timelines
from conformance.report.results import NOT_COVERED, SUMMARY_ORDER, Case, summarise
from conformance.report.visible import visible

_MOST_PROBLEMS: Final = 20
_UNSETTLED: Final = ("fail", "error", "inconclusive")


def html(document: Mapping[str, Any], catalogue: Catalogue | None = None) -> str:
    """The results document as one HTML page without any remote asset.

    `catalogue` (default: the shipped one) gives the texts of the requirements. Text from the target is shown and never
    obeyed: escapes, direction marks and markup in it are made visible.
    """
    known = shipped.load() if catalogue is None else catalogue
    clauses = {requirement.id: requirement for requirement in known}
    levels = {id: clause.level.value for id, clause in clauses.items()} | {
        row["id"]: row["level"] for row in document["requirements"]
    }
    cases = document["cases"]
    allowance = Allowance.over(count_timelines(cases))
    pages = [case_page(case, f"c{number}", clauses, levels, allowance) for number, case in enumerate(cases)]
    style, script = _asset("page.css"), _asset("page.js")
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            document=document,
            target=document["target"],
            target_name=_name(document["target"]),
            sentence=words.sentence(document),
            command=shlex.join([document["suite"]["name"], *document["arguments"]]),
            legend=words.LEGEND,
            exit_rule=words.EXIT_RULE,
            order=SUMMARY_ORDER,
            bar=_bar(document["summary"]),
            groups=_groups(cases, pages, known),
            problems=[page for page in pages if page["verdict"] in _UNSETTLED][:_MOST_PROBLEMS],
            problems_total=sum(case["verdict"] in _UNSETTLED for case in cases),
            requirements=_requirements(document, clauses),
            covered=sum(row["verdict"] != NOT_COVERED for row in document["requirements"]),
            requirement_counts=_count(row["verdict"] for row in document["requirements"]),
            levels=[
                level for level in ("MUST", "SHOULD", "MAY") if any(level in page["levels"] for page in pages)
            ],
            policy=f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; "
            "base-uri 'none'; form-action 'none'",
            style=Markup(style),  # noqa: S704  # made here, from escaped parts
            script=Markup(script),  # noqa: S704  # made here, from escaped parts
        )
    )


class _Quick(jinja2.Environment):
    """Looks for a key of a dict before it looks for an attribute, which half the time of a page would go into."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


@cache
def _environment() -> jinja2.Environment:
    environment = _Quick(
        loader=jinja2.PackageLoader("conformance.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        # Whatever a template prints passes here before it is escaped, so no text can be forgotten.
        finalize=_seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "seconds": words.seconds,
        "instant": words.instant,
        "word": words.WORDS.__getitem__,
        "declared": words.declared,
        "quoted": words.quoted,
        "anchor": words.case_anchor,
    }
    parts: Any = environment.get_template("parts.html.j2").module
    # There are few verdicts and many rows, clauses are cited again and again, and frames have most of their fields in common.
    environment.filters |= {
        "verdict_word": lru_cache(parts.verdict_word),
        "clause": lru_cache(1024)(parts.clause),
        "field_row": lru_cache(4096)(parts.field_row),
    }
    return environment


def _seen(value: object) -> object:
    if type(value) is Markup:
        return value
    return visible(value) if isinstance(value, str) else value


@cache
def _asset(name: str) -> str:
    return (resources.files("conformance.report") / "templates" / name).read_text(encoding="utf-8")


def _digest(asset: str) -> str:
    # The browser runs only what hashes to this: a script that slipped into the page stays text.
    return f"'sha256-{base64.b64encode(hashlib.sha256(asset.encode()).digest()).decode()}'"


def _name(target: Mapping[str, Any]) -> str:
    return " ".join(part for part in (target["name"], target["version"]) if part)


def _bar(summary: Mapping[str, int]) -> list[dict[str, Any]]:
    """The segments of the bar: verdict, count, and left edge and width in percent."""
    total = sum(summary.values())
    segments: list[dict[str, Any]] = []
    left = 0.0
    for verdict in SUMMARY_ORDER:
        if summary[verdict]:
            width = 100 * summary[verdict] / total
            segments.append({"verdict": verdict, "left": f"{left:.3f}", "width": f"{width:.3f}"})
            left += width
    return segments


def _groups(
    cases: Iterable[Case], pages: Iterable[Mapping[str, Any]], catalogue: Catalogue
) -> list[dict[str, Any]]:
    """The groups that have cases, in the order of the catalogue; a group that it does not know comes last."""
    about: dict[str, Group] = {group.id: group for group in catalogue.groups}
    present = dict.fromkeys(case["group"] for case in cases)
    listed = [id for id in about if id in present] + [id for id in present if id not in about]
    return [
        {
            "id": id,
            "anchor": f"group:{words.quoted(id)}",
            "title": about[id].title if id in about else id,
            "about": about[id].about if id in about else "",
            "summary": summarise(case for case in cases if case["group"] == id),
            "cases": [page for page in pages if page["group"] == id],
        }
        for id in listed
    ]


def _requirements(document: Mapping[str, Any], clauses: Mapping[str, Requirement]) -> list[dict[str, Any]]:
    rows = []
    for row in document["requirements"]:
        clause = clauses.get(row["id"])
        rows.append(
            dict(row)
            | {
                "text": clause.text if clause else words.NOT_IN_CATALOGUE,
                "untestable": clause.untestable if clause and row["verdict"] == NOT_COVERED else None,
                "links": [(id, words.case_anchor(id)) for id in row["cases"]],
            }
        )
    return rows


def _count(verdicts: Iterable[str]) -> list[tuple[str, int]]:
    found = list(verdicts)
    return [(verdict, found.count(verdict)) for verdict in (*SUMMARY_ORDER, NOT_COVERED) if verdict in found]
