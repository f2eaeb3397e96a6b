"""The site's configuration: MyST pages in furo; the reference pages are written from the code first."""

from __future__ import annotations

import sys
from pathlib import Path

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent))

import conformance

project = "carp-conformance"
author = "the carp-conformance contributors"
copyright = f"2026, {author}. BSD-2-Clause"
version = release = conformance.__version__

extensions = ["myst_parser"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "reference/_*.md"]
suppress_warnings = ["myst.header"]  # a page may be included below a heading
nitpicky = True
smartquotes = False  # -- in a text is two dashes of an option

html_theme = "furo"
html_title = "carp-conformance"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False


def setup(app: Sphinx) -> None:
    """Has the generated pages written before Sphinx looks for pages."""
    app.connect("builder-inited", _write_reference)


def _write_reference(app: Sphinx) -> None:
    from generate import write

    write(Path(app.srcdir))
