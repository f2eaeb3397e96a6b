"""The pages of a bundle: templates filled without trust, one HTML file each without any remote asset, and the same as PDF."""

from __future__ import annotations

import base64
import hashlib
import io
import logging
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, Final

import jinja2
from markupsafe import Markup

from conformance.report import words
from conformance.report.results import NOT_COVERED, SUMMARY_ORDER
from conformance.report.visible import visible

_FEW: Final = 6


class NoPdf(Exception):
    """The library that makes PDF is not there, or its own libraries are not."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(
            f"a PDF cannot be made here ({problem}): pip install 'carp-conformance[report]', and the library pango "
            "(Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0)."
        )


def certificate_page(certificate: Mapping[str, Any]) -> str:
    """The page of a certificate's document."""
    claims = certificate["claims_conformance"]
    return page(
        "certificate.html.j2",
        c=certificate,
        title="Certificate of conformance" if claims else "Statement of results",
        columns=[*SUMMARY_ORDER, NOT_COVERED],
        cases=sum(certificate["summary"].values()),
        uncovered=[row["id"] for row in certificate["requirements"] if row["verdict"] == NOT_COVERED],
    )


def page(template: str, **values: Any) -> str:
    """One of this package's templates, filled; what a device said in ``values`` is shown and never obeyed."""
    style = asset("certificate.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return _environment().get_template(template).render(style=Markup(style), policy=policy, **values)  # noqa: S704  # made here, from escaped parts


def pdf(html: str) -> bytes:
    """``html`` as an accessible PDF (PDF/UA-1). It fetches nothing, whatever the page says. Raises :class:`NoPdf`."""
    try:
        import weasyprint
    except (ImportError, OSError) as error:
        raise NoPdf(" ".join(str(error).split())[:200]) from error
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    made = io.BytesIO()
    nothing = weasyprint.urls.URLFetcher(allowed_protocols=["none"])
    weasyprint.HTML(string=html, url_fetcher=nothing).write_pdf(made, pdf_variant="pdf/ua-1")
    return made.getvalue()


@cache
def asset(name: str) -> str:
    """The text of a file beside the templates."""
    return (resources.files(__package__) / "templates" / name).read_text(encoding="utf-8")


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("conformance.report.certificate", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        # Whatever a template prints passes here before it is escaped, so no text can be forgotten.
        finalize=_seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "instant": words.instant,
        "word": words.WORDS.__getitem__,
        "few": _few,
        "ms": lambda value: "an unknown time" if value is None else f"{value:g} ms",
    }
    return environment


def _few(ids: Sequence[str]) -> str:
    more = len(ids) - _FEW
    return ", ".join(ids[:_FEW]) + (f" and {more} more" if more > 0 else "")


def _seen(value: object) -> object:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
