"""The site of the interop matrix: static pages from the results of one or more nights, and nothing else."""

from conformance.report.site.nights import NoMatrix, load
from conformance.report.site.pages import build

__all__ = ["NoMatrix", "build", "load"]
