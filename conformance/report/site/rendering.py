"""The templates of the site: filters, style and script inside the page, a policy that fetches nothing."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from conformance.report.site.words import LEGEND, ORDER, WORDS, appearance
from conformance.report.visible import visible


def render(template: str, **values: Any) -> str:
    """A page from one of the package's templates, with its style and script inside and a policy that lets nothing else in."""
    style, script = _asset("page.css") + _asset("matrix.css"), _asset("matrix.js")
    policy = f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; img-src 'self' file:; base-uri 'none'; form-action 'none'"
    return (
        _environment()
        .get_template(template)
        .render(
            style=Markup(style),  # noqa: S704  # made here, from escaped parts
            script=Markup(script),  # noqa: S704  # made here, from escaped parts
            policy=policy,
            legend=LEGEND,
            order=ORDER,
            **values,
        )
    )


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("conformance.report", "templates"), autoescape=True, undefined=jinja2.StrictUndefined,
        finalize=lambda value: visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {
        "word": WORDS.__getitem__,
        "appearance": appearance,
        "ms": _seconds,
        "instant": lambda text: str(text)[:16].replace("T", " "),
    }
    return environment


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value / 1000:.3f} s"


@cache
def _asset(name: str) -> str:
    return (resources.files("conformance.report") / "templates" / name).read_text(encoding="utf-8")


def _digest(asset: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(asset.encode()).digest()).decode()}'"
